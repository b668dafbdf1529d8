"""Which cadence a handoff follows and how far it has come: rows in, the pure answer of `cadence` out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from accounts.models import User
from handoffs.contact.cadence import Progress, Step, follow_cadence
from handoffs.models import Attempt, Cadence, Handoff
from sla.business_hours import WorkingCalendar
from sla.calendars import calendar_of, working_hours

# While an attempt can still be next. Qualified means they have spoken.
TRYING = (Handoff.Status.ACCEPTED, Handoff.Status.CONTACTED)


def hours_of(person: User | None, *, around: datetime) -> WorkingCalendar:
    """The hours in which this person works."""
    return working_hours(calendar_of(person), person=person, around=around)


def progress_of(handoff: Handoff, attempts: Sequence[Attempt], *, hours: WorkingCalendar) -> Progress | None:
    """How far the attempts have come, in the owner's hours; None where nobody tries, or no cadence fits."""
    if handoff.status not in TRYING or handoff.accepted_at is None:
        return None
    steps = _steps_for(handoff)
    if not steps:
        return None
    return follow_cadence(
        steps,
        accepted_at=handoff.accepted_at,
        made=len(attempts),
        reached=any(attempt.outcome == Attempt.Outcome.CONNECTED for attempt in attempts),
        hours=hours,
    )


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
