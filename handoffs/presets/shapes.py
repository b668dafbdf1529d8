"""What a preset holds, as plain values. A part that is empty stays as it is in the portal."""

from __future__ import annotations

from dataclasses import dataclass

from handoffs.contact.gate import PARTS
from handoffs.models import Attempt

# Contact and company basics, as HAND-5 lists them.
BASICS = ("name", "title", "email", "phone", "company", "company_size", "industry")


@dataclass(frozen=True, kw_only=True)
class PoolPreset:
    """A pool of all active BDRs who are in no pool yet: so many new leads a week, so many open at once."""

    name: str
    weekly_capacity: int = 50
    max_open: int = 100


@dataclass(frozen=True, kw_only=True)
class RulePreset:
    """A routing rule; blank conditions hold for any lead."""

    name: str
    pool: str
    countries: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    employees_from: int | None = None
    employees_to: int | None = None


@dataclass(frozen=True, kw_only=True)
class PlaybookPreset:
    """What to say first to leads that show any of these signals; blank: to any lead."""

    name: str
    channel: Attempt.Channel
    timing: str
    opening_line: str
    next_step: str
    signal_keys: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    objections: tuple[str, ...] = ()


@dataclass(frozen=True)
class StepPreset:
    """One attempt, so many minutes after acceptance: of the owner's working time, or around the clock."""

    minutes: int
    channel: Attempt.Channel
    in_working_hours: bool = True


@dataclass(frozen=True, kw_only=True)
class CadencePreset:
    """How often and when to try to reach a lead; blank conditions hold for any."""

    name: str
    steps: tuple[StepPreset, ...]
    categories: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AcknowledgementPreset:
    """The automatic answer to leads that arrive after hours, and by when it is promised."""

    within_minutes: int
    subject: str
    body: str


@dataclass(frozen=True, kw_only=True)
class HandoffPreset:
    """`gate`: parts of BANT that must be a yes for SQL. `package`: facts a complete package holds;
    `task_below`: per cent of them under which marketing gets the task to fill the gaps."""

    pools: tuple[PoolPreset, ...] = ()
    rules: tuple[RulePreset, ...] = ()
    playbooks: tuple[PlaybookPreset, ...] = ()
    cadences: tuple[CadencePreset, ...] = ()
    gate: tuple[str, ...] = PARTS
    budget_may_be_rough: bool = False
    package: tuple[str, ...] = BASICS
    task_below: int = 60
    acknowledgement: AcknowledgementPreset | None = None
