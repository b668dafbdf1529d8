"""Which cadence a handoff follows and how far it has come: rows in, the pure answer of `cadence` out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from accounts.models import User
from handoffs.contact.cadence import Progress, Step, follow_cadence
from handoffs.models import Attempt, Cadence, Handoff
from sla.business_hours import WorkingCalendar
from sla.calendars import calendar_of, working_hours
from sla.models import Clock, Target

# While an attempt can still be next. Qualified means they have spoken.
TRYING = (Handoff.Status.ACCEPTED, Handoff.Status.CONTACTED)


def hours_of(person: User | None, *, around: datetime) -> WorkingCalendar:
    """The hours in which this person works."""
    return working_hours(calendar_of(person), person=person, around=around)


def progress_of(
    handoff: Handoff, attempts: Sequence[Attempt], clocks: Iterable[Clock], *, hours: WorkingCalendar
) -> Progress | None:
    """How far the attempts have come, in the owner's hours; None where nobody tries, or no cadence fits.

    `clocks` are those of the handoff: a promise of a first contact that runs is no later than the cadence.
    """
    if handoff.status not in TRYING or handoff.accepted_at is None:
        return None
    steps = _steps_for(handoff)
    if not steps:
        return None
    return follow_cadence(
        steps,
        accepted_at=handoff.accepted_at,
        made=len(attempts),
        reached_by=_reached_by(attempts),
        hours=hours,
        promised_by=next((clock.due_at for clock in clocks if _promises_contact(clock)), None),
    )


def _reached_by(attempts: Sequence[Attempt]) -> int | None:
    """Which attempt was the first to reach somebody, counted from 1."""
    in_order = sorted(attempts, key=lambda attempt: (attempt.at, attempt.pk))
    connected = (attempt.outcome == Attempt.Outcome.CONNECTED for attempt in in_order)
    return next((number for number, reached in enumerate(connected, start=1) if reached), None)


def _promises_contact(clock: Clock) -> bool:
    """Runs: one that pauses has no moment yet at which it falls due."""
    runs = clock.outcome == Clock.Outcome.RUNNING and clock.paused_at is None
    return runs and clock.kind == Target.Kind.FIRST_CONTACT


def _steps_for(handoff: Handoff) -> list[Step]:
    """The steps of the first cadence whose conditions hold; a blank one holds for any handoff."""
    source = handoff.lead.source.casefold()
    for cadence in Cadence.objects.filter(is_active=True).prefetch_related("steps"):
        sources = [name.casefold() for name in cadence.sources]
        if handoff.category in (cadence.categories or [handoff.category]) and source in (sources or [source]):
            return [
                Step(step.number, step.channel, step.minutes, step.in_working_hours)
                for step in cadence.steps.all()
            ]
    return []
