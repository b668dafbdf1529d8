"""Taking the steps that are due. `sla.ladder` decides which, `steps` does them.

The mark is `Clock.next_step_at`. Any number of sweeps may run at once: each claims clocks nobody else holds,
together with their leads, and whatever a step does is in the transaction that moves the mark. So a worker
that is killed has taken a step wholly or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog

from common.bulk import among, insert_rows, update_rows
from handoffs.escalation.cases import Case
from handoffs.escalation.people import People
from handoffs.escalation.steps import Steps
from handoffs.models import Handoff
from leads.models import LeadEvent
from leads.services import Entry, log_entries
from sla.escalations import hours_of_ladders, ladder_of
from sla.ladder import Decision, settle
from sla.models import Clock, Escalation
from sla.sweep import work_through

log = structlog.get_logger(__name__)

# Rows one transaction claims. To pass a lead on takes some 30 statements under the lock of a pool.
BATCH = 100


def escalate_due_clocks(*, now: datetime) -> int:
    """Take every step of every ladder that is due at `now`; say how many clocks were looked at.

    Safe to repeat and to run twice. After downtime the steps missed are settled in order, and only what still
    makes sense is done. A step that waits until its receiver works is tried again then.
    """
    due = Clock.objects.step_due(now).select_related("owner").order_by("next_step_at", "id")
    looked_at = work_through(due, _escalate, now=now, size=BATCH)
    if looked_at:
        log.info("clocks_escalated", clocks=looked_at)
    return looked_at


def _escalate(clocks: Sequence[Clock], *, now: datetime) -> None:
    cases = _open_cases(clocks, now=now)
    steps = Steps(cases, People(now), now=now)
    settled = []
    for case in cases:
        # A handoff that has just gone to somebody else is looked at anew, as it stands then.
        if case.handoff not in steps.moved:
            settled.append(case)
            _climb(case, steps)
    steps.finish()
    _write(settled, now=now)


def _open_cases(clocks: Sequence[Clock], *, now: datetime) -> list[Case]:
    # One object for each person: that a step sent them home is seen by all steps after it.
    owners = {clock.owner.pk: clock.owner for clock in clocks if clock.owner}
    for clock in clocks:
        clock.owner = owners[clock.owner_id] if clock.owner_id else None
    handoffs = Handoff.objects.open().filter(pk__in=among({clock.handoff_id for clock in clocks}))
    by_id = {
        handoff.pk: handoff
        for handoff in handoffs.select_related("owner__team", "pool__team", "lead__company", "lead__team")
    }
    hours = hours_of_ladders(clocks)
    return [Case(clock, ladder_of(clock), hours[clock.pk], by_id.get(clock.handoff_id)) for clock in clocks]


def _climb(case: Case, steps: Steps) -> None:
    """Decide on what is due of one ladder, do it, and move the mark on."""
    settlement = settle([steps.look_at(case, position) for position in case.overdue(steps.now)])
    for decision in settlement.decisions:
        case.results.append((decision, decision.left_out or steps.take(case, decision.step.position)))
    case.clock.steps_taken += len(settlement.decisions)
    case.clock.next_step_at = settlement.waits_until or case.next_step_at


def _write(cases: Sequence[Case], *, now: datetime) -> None:
    """What was decided, on the clocks, in the log of the leads, and step by step."""
    update_rows(
        Clock,
        [
            {
                "id": case.clock.pk,
                "steps_taken": case.clock.steps_taken,
                "next_step_at": case.clock.next_step_at,
            }
            for case in cases
        ],
    )
    results = [(case, decision, why) for case in cases for decision, why in case.results]
    insert_rows(
        Escalation,
        [
            {
                "clock_id": case.clock.pk,
                "position": decision.step.position,
                "action": decision.step.action,
                "due_at": decision.step.due_at,
                "at": now,
                "result": Escalation.Result.LEFT_OUT if decision.left_out else Escalation.Result.TAKEN,
                "why": why[:300],
            }
            for case, decision, why in results
        ],
    )
    log_entries([_entry(case, decision) for case, decision, _ in results if not decision.left_out], at=now)


def _entry(case: Case, decision: Decision) -> Entry:
    """Whose it was when the step was taken; that one is who let it lapse."""
    clock = case.clock
    detail = {"target": clock.kind, "action": decision.step.action, "owner_id": clock.owner_id}
    return Entry(clock.lead_id, LeadEvent.Kind.ESCALATED, detail, clock.handoff_id)
