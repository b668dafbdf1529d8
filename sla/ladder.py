"""The ladder after a missed deadline: when each step is due, and which of those due still make sense (SLA-5).

Plain values in, decisions out. Steps are settled in order, each once: taken, or left out with the reason in
words. One that waits until its receiver works holds up those after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from sla.business_hours import WorkingCalendar


class Action(StrEnum):
    """What a step does; the members are those of `EscalationStep.Action`."""

    REMIND = "remind"
    NOTIFY_MANAGER = "notify_manager"
    REASSIGN = "reassign"
    REVIEW = "review"
    FLAG_CRM = "flag_crm"
    REST = "rest"


class Step(Protocol):
    """A step of a ladder as far as its time is asked for."""

    @property
    def action(self) -> str: ...

    @property
    def after_minutes(self) -> int: ...


@dataclass(frozen=True)
class Overdue:
    """A step whose time has come.

    `obstacle` says in words why it cannot be taken; blank: it can. `waits_until` is when its receiver is at
    work again; None: now, or it waits for nobody.
    """

    position: int
    action: str
    due_at: datetime
    obstacle: str = ""
    waits_until: datetime | None = None


@dataclass(frozen=True)
class Decision:
    """What becomes of a step; `left_out` says why it is not taken, blank: it is."""

    step: Overdue
    left_out: str = ""


@dataclass(frozen=True)
class Settlement:
    """What is decided now, in order, and until when the step after that waits for its receiver."""

    decisions: tuple[Decision, ...]
    waits_until: datetime | None = None


# Who is told of a breach by which steps, and so needs no other message about it.
TELLS_OWNER = frozenset({Action.REMIND, Action.REASSIGN})
TELLS_MANAGER = frozenset({Action.NOTIFY_MANAGER, Action.REVIEW})

_GOES_ANYHOW = "It goes to another rep now, so there is nothing to remind of."
_ONCE_IS_ENOUGH = "The same step was due again by then; once is enough."

# A step is left out when one of these is taken with it. Taking somebody out of the rotation is in none: how
# many offers it takes differs from step to step.
_INCLUDED_IN: dict[str, dict[str, str]] = {
    Action.REMIND: {Action.REMIND: _ONCE_IS_ENOUGH, Action.REASSIGN: _GOES_ANYHOW},
    Action.NOTIFY_MANAGER: {Action.NOTIFY_MANAGER: _ONCE_IS_ENOUGH},
    Action.REASSIGN: {Action.REASSIGN: _ONCE_IS_ENOUGH},
    Action.REVIEW: {Action.REVIEW: _ONCE_IS_ENOUGH},
    Action.FLAG_CRM: {Action.FLAG_CRM: _ONCE_IS_ENOUGH},
    Action.REST: {},
}


def step_time(step: Step, *, due_at: datetime, hours: WorkingCalendar) -> datetime:
    """When a step is due after a deadline, counted in these hours. Raises CalendarError if never."""
    return hours.add_business_time(due_at, timedelta(minutes=step.after_minutes))


def next_step_time(
    steps: Sequence[Step], *, settled: int, due_at: datetime, hours: WorkingCalendar
) -> datetime | None:
    """When the first step that is not settled yet is due; None when the ladder has come to its end."""
    return step_time(steps[settled], due_at=due_at, hours=hours) if settled < len(steps) else None


def settle(overdue: Sequence[Overdue]) -> Settlement:
    """Decide on the steps whose time has come, given in order.

    After an outage several are: each is decided on, but one whose purpose a later one serves as well is left
    out. What can only be done once the receiver works ends the list, and so does a change of owner: what was
    due later is a matter of how things stand after it.
    """
    decisions: list[Decision] = []
    waits_until = None
    # From the last to the first, because what is taken later decides about what comes before.
    for step in reversed(_until_reassigned(overdue)):
        left_out = step.obstacle or _included(step, decisions)
        if step.waits_until and not left_out:
            decisions, waits_until = [], step.waits_until
        else:
            decisions.insert(0, Decision(step, left_out))
    return Settlement(tuple(decisions), waits_until)


def _until_reassigned(overdue: Sequence[Overdue]) -> Sequence[Overdue]:
    moves = [each for each in overdue if each.action == Action.REASSIGN and _is_possible(each)]
    return [each for each in overdue if each.due_at <= moves[-1].due_at] if moves else overdue


def _is_possible(step: Overdue) -> bool:
    return not step.obstacle and step.waits_until is None


def _included(step: Overdue, later: Iterable[Decision]) -> str:
    """Why a step is not worth taking, given what is decided about those after it; blank: it is."""
    reasons = _INCLUDED_IN[step.action]
    taken = (each.step.action for each in later if not each.left_out)
    return next((reasons[action] for action in taken if action in reasons), "")
