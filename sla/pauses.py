"""Standing still: a promise that waits on the lead does not use up the owner's time (SLA-4)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.roles import may_work_handoffs
from common.errors import DomainError, InvalidInput, NotAllowed
from leads.models import Lead, LeadEvent
from leads.services import log_event
from sla.business_hours import WorkingCalendar
from sla.calendars import digest_of, working_hours
from sla.deadlines import Stretch, set_deadline
from sla.models import Clock, Pause


class ClockNotTicking(DomainError):
    code = "clock_not_ticking"


class ClockAlreadyLate(DomainError):
    code = "clock_already_late"


@transaction.atomic
def pause_clock(clock: Clock, *, reason: str, by: User, now: datetime) -> Clock:
    """Stop the time, with a reason. Raises ClockNotTicking or ClockAlreadyLate: lateness cannot be paused."""
    _check_may_pause(clock, by)
    reason = reason.strip()
    if not reason:
        raise InvalidInput("Say what the clock waits for.", field="reason")
    lead = Lead.objects.lock(clock.lead_id)
    clock = Clock.objects.select_for_update(of=("self",)).select_related("owner").get(pk=clock.pk)
    if clock.outcome != Clock.Outcome.RUNNING or clock.paused_at:
        raise ClockNotTicking(f"This clock is {clock.state(now).label.lower()} already.")
    if clock.is_late(now):
        raise ClockAlreadyLate("This is overdue already; a pause would not change that.")
    clock.paused_at, clock.pause_reason = now, reason[:200]
    clock.save(update_fields=["paused_at", "pause_reason"])
    Pause.objects.create(clock=clock, reason=clock.pause_reason, started_at=now, by=by)
    _log(lead, clock, by=by, now=now, change="paused")
    return clock


@transaction.atomic
def resume_clock(clock: Clock, *, by: User, now: datetime) -> Clock:
    """Let the time go on; the time that was left is left again. Raises ClockNotTicking unless paused."""
    _check_may_pause(clock, by)
    lead = Lead.objects.lock(clock.lead_id)
    clock = Clock.objects.select_for_update(of=("self",)).select_related("calendar", "owner").get(pk=clock.pk)
    if not clock.paused_at:
        raise ClockNotTicking("This clock is not paused.")
    hours = working_hours(clock.calendar, person=clock.owner, around=now)
    end_pause(clock, hours=hours, now=now)
    _log(lead, clock, by=by, now=now, change="resumed", due_at=clock.due_at.isoformat())
    return clock


def end_pause(clock: Clock, *, hours: WorkingCalendar, now: datetime) -> None:
    """Close the open pause of a clock and move its deadline by it. The caller holds the lead's lock."""
    Pause.objects.filter(clock=clock, ended_at=None).update(ended_at=now)
    deadline = set_deadline(clock, hours=hours, since=clock.started_at, pauses=closed_pauses(clock))
    clock.due_at, clock.warnings_at = deadline.due_at, deadline.warnings_at
    clock.risk_at = next(iter(deadline.warnings_at), None)
    clock.warn_at = deadline.next_warning(now)
    clock.hours_digest = digest_of(hours)
    clock.paused_at, clock.pause_reason = None, ""
    clock.save(
        update_fields=[
            "due_at", "warnings_at", "risk_at", "warn_at", "hours_digest", "paused_at", "pause_reason"
        ]
    )  # fmt: skip


def closed_pauses(clock: Clock) -> list[Stretch]:
    """The pauses of a clock that are over, in order."""
    pauses = Pause.objects.filter(clock=clock, ended_at__isnull=False)
    return [(pause.started_at, pause.ended_at) for pause in pauses if pause.ended_at]


def _check_may_pause(clock: Clock, by: User) -> None:
    is_theirs = by.role == User.Role.MANAGER or by == clock.owner
    if not (may_work_handoffs(by) and is_theirs):
        raise NotAllowed("Only the owner or a manager can pause this clock.")


def _log(lead: Lead, clock: Clock, *, by: User, now: datetime, **detail: str) -> None:
    log_event(
        lead,
        LeadEvent.Kind.CLOCK_MOVED,
        at=now,
        by=by,
        handoff_id=clock.handoff_id,
        target=clock.kind,
        **detail,
    )
