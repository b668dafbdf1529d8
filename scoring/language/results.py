"""What goes into the engine and what comes out: imagined leads, scores with their ledger, moves. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from scoring.language.rules import Category, Warmth


@dataclass(frozen=True, slots=True)
class Line:
    """What a rule added to the sum, and on what evidence; it holds if that is enough.

    Rules are added one after the other, multipliers last, and `points` is the step of this one. `base_points`
    is what the rule itself gave: within its own cap, before fading, its group and decay.
    """

    rule_id: int
    base_points: int
    points: int
    count: int
    first_at: datetime | None
    last_at: datetime | None
    holds: bool


@dataclass(frozen=True, slots=True)
class Result:
    """`adjustment` lifts a sum below zero to zero: the lines and it sum exactly to `total`."""

    lead_id: int
    total: int
    fit: int
    engagement: int
    readiness: int
    adjustment: int
    category: Category
    warmth: Warmth
    icp_match: bool
    has_signal: bool
    has_red_flag: bool
    is_instant_mql: bool
    qualifies: bool
    next_change_at: datetime | None
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class ImaginedLead:
    """A lead that is not there: facts by the keys of attributes, hits as (id of the signal, when), and how
    often sales returned it."""

    facts: Mapping[str, str | int | None] = field(default_factory=dict)
    hits: tuple[tuple[int, datetime], ...] = ()
    trips: int = 0


@dataclass(frozen=True, slots=True)
class Move:
    """A kept score that became another one, or one by which the lead now qualifies or no longer does."""

    lead_id: int
    was: int
    became: int
    category_was: str
    category_became: str
    version_was: int | None
    qualified_was: bool
    qualifies: bool

    @property
    def shows(self) -> bool:
        """Whether people see another score than before."""
        return (self.was, self.category_was) != (self.became, self.category_became)
