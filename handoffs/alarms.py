"""Alarms about handoffs (SLA-6): nobody opened it, nothing happens on it, the attempts were given up.

What is missed is found by marks: Clock.alarmed_at on the clocks that alarms watch, and
Handoff.activity_check_at on what was accepted. Each sweep first closes what needs no answer any more. Any
number of sweeps may run at once: each claims rows nobody else holds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Q

from handoffs.models import Handoff
from handoffs.summary import name_with_company
from sla.business_hours import ALWAYS_OPEN
from sla.calendars import working_hours_of
from sla.hours_of_clocks import hours_of_clocks
from sla.models import Clock, Target, Ticket
from sla.shifts import working_time_after
from sla.tickets import Finding, alarm_settings, close_needless, open_tickets

BATCH = 200
# What was missed longer ago, because nothing ran or the alarm was off, is the breach list's.
LOOK_BACK = timedelta(days=30)
# A look that finds nothing to do is not repeated sooner.
SHORTEST_WAIT = timedelta(minutes=1)

Alarm = Ticket.Alarm
ABOUT_HANDOFFS = (Alarm.NO_ACTIVITY, Alarm.UNEXPLAINED_RETURN, Alarm.ESCALATED)
WATCHED_BY = {Target.Kind.OPENED: Alarm.NOT_OPENED, Target.Kind.CADENCE: Alarm.CADENCE_ABANDONED}
TITLES = {
    Alarm.NOT_OPENED: "Not opened in time: {}",
    Alarm.CADENCE_ABANDONED: "Contact attempts given up: {}",
    Alarm.NO_ACTIVITY: "Accepted, and nothing happens: {}",
}
MET = {
    Target.Kind.OPENED: "Opened meanwhile.",
    Target.Kind.CADENCE: "The attempts were made meanwhile.",
}
IN_TIME_AGAIN = "It is in time again: its deadline was moved."


def raise_alarms(*, now: datetime) -> int:
    """Open the tickets that are due at `now` and close those whose cause has gone; say how many are new."""
    close_answered_by_events(now=now)
    settings = alarm_settings()
    opened = 0
    for kind, alarm in WATCHED_BY.items():
        if settings[alarm].is_active:
            opened += _alarm_about_clocks(kind, alarm, after=settings[alarm].after_minutes or 0, now=now)
    quiet_minutes = settings[Alarm.NO_ACTIVITY].after_minutes
    if settings[Alarm.NO_ACTIVITY].is_active and quiet_minutes:
        opened += _alarm_about_silence(quiet_minutes, now=now)
    return opened


# --- What its clock tells -------------------------------------------------------------------------


def _alarm_about_clocks(kind: Target.Kind, alarm: Ticket.Alarm, *, after: int, now: datetime) -> int:
    """Tickets about targets that were missed so many minutes of working time ago and are still not done."""
    allowed = timedelta(minutes=after)
    # Working time passes no faster than time, so that what was missed later need not be looked at.
    missed = list(
        Clock.objects.alarming()
        .filter(kind=kind, due_at__lte=now - allowed, due_at__gt=now - LOOK_BACK)
        .select_related("owner")
        .order_by("due_at")
    )
    hours = hours_of_clocks(missed)
    due = [
        clock.pk for clock in missed if hours[clock.pk].business_time_between(clock.due_at, now) >= allowed
    ]
    parts = (due[start : start + BATCH] for start in range(0, len(due), BATCH))
    return sum(_open_about_clocks(part, alarm, now=now) for part in parts)


@transaction.atomic
def _open_about_clocks(ids: Sequence[int], alarm: Ticket.Alarm, *, now: datetime) -> int:
    clocks = list(
        Clock.objects.alarming()
        .filter(pk__in=ids)
        .select_for_update(skip_locked=True, no_key=True, of=("self",))
        .order_by("due_at")
    )
    handoffs = Handoff.objects.select_related("lead__company").in_bulk({clock.handoff_id for clock in clocks})
    findings = [
        _finding(alarm, f"clock-{clock.pk}", handoffs[clock.handoff_id], team_id=clock.team_id)
        for clock in clocks
    ]
    opened = open_tickets(findings, now=now)
    # Without anybody to give a ticket to, the next sweep tries again.
    keys = {finding.subject_key for finding in findings}
    there = Ticket.objects.open().filter(alarm=alarm, subject_key__in=keys)
    Clock.objects.filter(pk__in=_ids_of(there.values_list("subject_key", flat=True))).update(alarmed_at=now)
    return len(opened)


# --- What does not happen -------------------------------------------------------------------------


def _alarm_about_silence(minutes: int, *, now: datetime) -> int:
    """Tickets about what was accepted so many minutes of working time ago, without an attempt or a plan."""
    opened = 0
    while True:
        looked_at, new = _look_for_activity(minutes, now=now)
        opened += new
        if looked_at < BATCH:
            return opened


@transaction.atomic
def _look_for_activity(minutes: int, *, now: datetime) -> tuple[int, int]:
    """Look at some handoffs whose time has come and say when to look again; how many, how many tickets."""
    accepted = Handoff.objects.filter(status=Handoff.Status.ACCEPTED, closed_at=None)
    handoffs = list(
        accepted.filter(Q(activity_check_at=None) | Q(activity_check_at__lte=now))
        .select_related("lead__company", "owner")
        .select_for_update(skip_locked=True, no_key=True, of=("self",))
        .order_by("activity_check_at")[:BATCH]
    )
    last_events = _last_events(handoffs, now=now)
    owners = {handoff.owner.pk: handoff.owner for handoff in handoffs if handoff.owner}
    hours = working_hours_of(owners.values(), around=now)
    findings = []
    for handoff in handoffs:
        theirs = hours[handoff.owner_id][1] if handoff.owner_id else ALWAYS_OPEN
        alarm_at = working_time_after(last_events[handoff.pk], minutes, theirs)
        if alarm_at <= now:
            team_id = handoff.owner.team_id if handoff.owner else None
            findings.append(_finding(Alarm.NO_ACTIVITY, f"handoff-{handoff.pk}", handoff, team_id=team_id))
            alarm_at = max(working_time_after(now, minutes, theirs), now + SHORTEST_WAIT)
        handoff.activity_check_at = alarm_at
    Handoff.objects.bulk_update(handoffs, ["activity_check_at"])
    return len(handoffs), len(open_tickets(findings, now=now))


def _last_events(handoffs: Sequence[Handoff], *, now: datetime) -> dict[int, datetime]:
    """Since when nothing has happened on each: accepted, handed on, planned for, or answered by somebody.

    A plan for later is something to wait for, and so is a lead that the rep said to wait for.
    """
    keys = {f"handoff-{handoff.pk}": handoff.pk for handoff in handoffs}
    answered = Ticket.objects.closed().filter(
        alarm=Alarm.NO_ACTIVITY, subject_key__in=keys, closed_by__isnull=False
    )
    last_answer = {
        keys[key]: at for key, at in answered.order_by().values_list("subject_key").annotate(Max("closed_at"))
    }
    paused = Clock.objects.running().filter(handoff_id__in=keys.values(), paused_at__isnull=False)
    waiting = set(paused.values_list("handoff_id", flat=True))
    return {
        handoff.pk: max(
            moment
            for moment in (
                handoff.accepted_at or handoff.created_at,
                handoff.offered_at,
                handoff.planned_contact_at,
                last_answer.get(handoff.pk),
                now if handoff.pk in waiting else None,
            )
            if moment is not None
        )
        for handoff in handoffs
    }


def _finding(alarm: Ticket.Alarm, key: str, handoff: Handoff, *, team_id: int | None) -> Finding:
    title = TITLES[alarm].format(name_with_company(handoff))
    return Finding(alarm, key, title, handoff.get_absolute_url(), handoff.lead, team_id)


# --- What needs no answer any more ----------------------------------------------------------------


def close_answered_by_events(*, now: datetime) -> int:
    """Close tickets whose cause has gone, with what happened as their answer; say how many."""
    closed = 0
    for alarms, explain in ((WATCHED_BY.values(), _explain_clocks), (ABOUT_HANDOFFS, _explain_handoffs)):
        open_now = Ticket.objects.open().filter(alarm__in=alarms)
        by_reason: dict[str, list[int]] = defaultdict(list)
        tickets = list(open_now.only("alarm", "subject_key", "opened_at"))
        for ticket, why in zip(tickets, explain(tickets, now), strict=True):
            by_reason[why].append(ticket.pk)
        by_reason.pop("", None)
        for why, ids in by_reason.items():
            closed += close_needless(Ticket.objects.filter(pk__in=ids), why=why, now=now)
    return closed


def _explain_clocks(tickets: Sequence[Ticket], now: datetime) -> list[str]:
    """Why each needs no answer any more; blank: it does."""
    clocks = Clock.objects.in_bulk(_ids_of(ticket.subject_key for ticket in tickets))
    whys = [_why_met(clocks[_id_of(ticket.subject_key)], now) for ticket in tickets]
    in_time = [pk for pk, clock in clocks.items() if _why_met(clock, now) == IN_TIME_AGAIN]
    # Missed once more, it is worth another ticket.
    Clock.objects.filter(pk__in=in_time).update(alarmed_at=None)
    return whys


def _why_met(clock: Clock, now: datetime) -> str:
    match clock.outcome:
        case Clock.Outcome.DONE:
            return MET[Target.Kind(clock.kind)]
        case Clock.Outcome.CANCELLED:
            return "The handoff has ended, or went to somebody else."
    return "" if clock.is_late(now) else IN_TIME_AGAIN


def _explain_handoffs(tickets: Sequence[Ticket], now: datetime) -> list[str]:
    handoffs = Handoff.objects.in_bulk(_ids_of(ticket.subject_key for ticket in tickets))
    missed = Clock.objects.missed(now).filter(handoff_id__in=handoffs).values_list("handoff_id", flat=True)
    late = set(missed)
    return [
        _why_settled(ticket, handoffs[handoff_id], is_missed=handoff_id in late, now=now)
        for ticket, handoff_id in ((ticket, _id_of(ticket.subject_key)) for ticket in tickets)
    ]


def _why_settled(ticket: Ticket, handoff: Handoff, *, is_missed: bool, now: datetime) -> str:
    if handoff.status == Handoff.Status.REJECTED:
        return "It was rejected here, with a reason."
    if not handoff.is_open:
        return "The handoff has ended."
    if ticket.alarm == Alarm.ESCALATED:
        return "" if is_missed else IN_TIME_AGAIN
    if ticket.alarm != Alarm.NO_ACTIVITY:
        return ""
    if handoff.first_contact_at:
        return "An attempt was made meanwhile."
    if handoff.planned_contact_at and handoff.planned_contact_at > now:
        return "The next contact is planned now."
    if handoff.offered_at and handoff.offered_at > ticket.opened_at:
        return "Somebody else has it now."
    return ""


def _id_of(key: str) -> int:
    return int(key.rpartition("-")[2])


def _ids_of(keys: Iterable[str]) -> list[int]:
    return [_id_of(key) for key in keys]
