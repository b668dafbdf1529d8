"""What the engine yields: the score of one lead at one moment, with its ledger. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from scoring.rules import Category, Warmth


@dataclass(frozen=True, slots=True)
class Line:
    """What a rule gave (`base_points` before decay) on what evidence; it holds if that is enough."""

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
