"""Standing still: a promise that waits on the lead does not use up the owner's time (SLA-4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.urls import reverse

from accounts.models import User
from accounts.roles import may_work_handoffs
from common.errors import DomainError, InvalidInput, NotAllowed
from leads.models import Lead, LeadEvent
from leads.services import log_event
from notifications.models import Notification
from notifications.services import Message, send_messages
from sla.business_hours import WorkingCalendar
from sla.calendars import working_hours, working_hours_by
from sla.deadlines import Deadline, Stretch, set_deadline
from sla.models import Clock, Pause
from sla.wording import span_in_words

LONGEST_PAUSE_OVER = "The longest pause allowed is over."


class ClockNotTicking(DomainError):
    code = "clock_not_ticking"


class ClockAlreadyLate(DomainError):
    code = "clock_already_late"


class PauseNotAllowed(DomainError):
    code = "pause_not_allowed"


@transaction.atomic
def pause_clock(clock: Clock, *, reason: str, by: User, now: datetime) -> Clock:
    """Stop the time, with a reason; at most for as long as the policy allows, then it goes on by itself.

    Raises InvalidInput, ClockNotTicking, PauseNotAllowed, NotAllowed, and ClockAlreadyLate: lateness cannot
    be paused.
    """
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
    clock.paused_at, clock.pause_reason, clock.resume_at = now, reason[:200], _require_time_left(clock, now)
    clock.save(update_fields=["paused_at", "pause_reason", "resume_at"])
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


def end_longest_pauses(clocks: Sequence[Clock], *, now: datetime) -> None:
    """Let clocks go on whose longest pause allowed is over, from the moment it was; tell their owners.

    The caller holds the locks of the leads.
    """
    hours = working_hours_by({(clock.calendar_id, clock.owner_id) for clock in clocks}, around=now)
    for clock in clocks:
        ended_at = end_pause(clock, hours=hours[clock.calendar_id, clock.owner_id], now=now)
        due_at = clock.due_at.isoformat()
        _log(
            clock.lead, clock, by=None, now=ended_at, change="resumed", why=LONGEST_PAUSE_OVER, due_at=due_at
        )
    send_messages((_goes_on(clock, clock.owner) for clock in clocks if clock.owner), now=now)


def end_pause(clock: Clock, *, hours: WorkingCalendar, now: datetime) -> datetime:
    """Close the open pause of a clock and move its deadline by it; return when it ended.

    That is no later than the policy allows, whenever we come to look. The caller holds the lead's lock.
    """
    ended_at = min(now, clock.resume_at) if clock.resume_at else now
    Pause.objects.filter(clock=clock, ended_at=None).update(ended_at=ended_at)
    clock.warn_at = recompute_deadline(clock, hours=hours).next_warning(ended_at)
    clock.paused_at, clock.pause_reason, clock.resume_at = None, "", None
    clock.save(update_fields=[*DEADLINE_FIELDS, "warn_at", "paused_at", "pause_reason", "resume_at"])
    return ended_at


# --- What pauses do to a deadline ----------------------------------------------------------------

DEADLINE_FIELDS = ("due_at", "due_before_incident", "warnings_at", "risk_at", "hours_digest")


def recompute_deadline(clock: Clock, *, hours: WorkingCalendar) -> Deadline:
    """Work out by these hours and the pauses that are over when a clock is due; the caller saves
    DEADLINE_FIELDS.

    Pauses that an incident made count in `due_at`, and not in `due_before_incident`.
    """
    pauses = list(Pause.objects.filter(clock=clock, ended_at__isnull=False))
    deadline = set_deadline(clock, hours=hours, since=clock.started_at, pauses=_stretches(pauses))
    clock.due_at, clock.warnings_at = deadline.due_at, deadline.warnings_at
    clock.risk_at = next(iter(deadline.warnings_at), None)
    clock.hours_digest = hours.digest
    own = [pause for pause in pauses if pause.incident_id is None]
    clock.due_before_incident = None
    if len(own) < len(pauses):
        without = set_deadline(clock, hours=hours, since=clock.started_at, pauses=_stretches(own))
        clock.due_before_incident = without.due_at
    return deadline


def closed_pauses(clock: Clock) -> list[Stretch]:
    """The pauses of a clock that are over, in order."""
    return _stretches(Pause.objects.filter(clock=clock, ended_at__isnull=False))


def longest_until(clock: Clock, *, since: datetime) -> datetime | None:
    """Until when a pause since then may last at most, by the policy; None: as long as it takes."""
    if clock.max_pause_minutes is None:
        return None
    own = _stretches(Pause.objects.filter(clock=clock, ended_at__isnull=False, incident=None))
    used = sum((end - start for start, end in own), timedelta())
    return since + max(timedelta(minutes=clock.max_pause_minutes) - used, timedelta())


def _stretches(pauses: Iterable[Pause]) -> list[Stretch]:
    return [(pause.started_at, pause.ended_at) for pause in pauses if pause.ended_at]


def _require_time_left(clock: Clock, now: datetime) -> datetime | None:
    """Until when it may stand still. Raises PauseNotAllowed."""
    if clock.max_pause_minutes == 0:
        raise PauseNotAllowed("The policy does not let this clock be paused.")
    until = longest_until(clock, since=now)
    if until is not None and until <= now:
        longest = span_in_words(clock.max_pause_minutes or 0)
        raise PauseNotAllowed(f"The longest pause allowed, {longest} in all, is used up.")
    return until


def _goes_on(clock: Clock, owner: User) -> Message:
    return Message(
        recipient=owner,
        kind=Notification.Kind.WARNING,
        dedupe_key=f"pause-over-{clock.pk}-{clock.due_at.isoformat()}",
        title=f"{clock.get_kind_display()} goes on: {clock.lead}",
        body=f"{LONGEST_PAUSE_OVER} The time left is running again.",
        url=reverse("leads:detail", args=[clock.lead_id]),
    )


def _check_may_pause(clock: Clock, by: User) -> None:
    is_theirs = by.role == User.Role.MANAGER or by == clock.owner
    if not (may_work_handoffs(by) and is_theirs):
        raise NotAllowed("Only the owner or a manager can pause this clock.")


def _log(lead: Lead, clock: Clock, *, by: User | None, now: datetime, **detail: str) -> None:
    log_event(
        lead,
        LeadEvent.Kind.CLOCK_MOVED,
        at=now,
        by=by,
        handoff_id=clock.handoff_id,
        target=clock.kind,
        **detail,
    )
