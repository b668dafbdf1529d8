"""Which cadence a handoff follows and how far it has come: rows in, the pure answer of `cadence` out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Count, Q

from accounts.models import User
from handoffs.cadence import Progress, Step, follow_cadence
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
    steps = _steps_for(handoff, _active_cadences())
    return _follow(
        handoff,
        steps,
        made=len(attempts),
        reached=any(attempt.outcome == Attempt.Outcome.CONNECTED for attempt in attempts),
        hours=hours,
    )


def next_attempts(handoffs: Sequence[Handoff], *, now: datetime) -> dict[int, Progress]:
    """The progress of many handoffs by id, those with an attempt to come; a few queries for each owner."""
    trying = [handoff for handoff in handoffs if handoff.status in TRYING]
    if not trying:
        return {}
    cadences = _active_cadences()
    counts = _count_attempts(trying)
    hours = {owner: hours_of(owner, around=now) for owner in {handoff.owner for handoff in trying}}
    found = {}
    for handoff in trying:
        made, connected = counts.get(handoff.pk, (0, 0))
        progress = _follow(
            handoff,
            _steps_for(handoff, cadences),
            made=made,
            reached=bool(connected),
            hours=hours[handoff.owner],
        )
        if progress and progress.due_at:
            found[handoff.pk] = progress
    return found


def _follow(
    handoff: Handoff, steps: Sequence[Step], *, made: int, reached: bool, hours: WorkingCalendar
) -> Progress | None:
    if handoff.status not in TRYING or handoff.accepted_at is None or not steps:
        return None
    return follow_cadence(steps, accepted_at=handoff.accepted_at, made=made, reached=reached, hours=hours)


def _active_cadences() -> list[Cadence]:
    return list(Cadence.objects.filter(is_active=True).prefetch_related("steps"))


def _steps_for(handoff: Handoff, cadences: Sequence[Cadence]) -> list[Step]:
    """The steps of the first cadence whose conditions hold; a blank one holds for any handoff."""
    source = handoff.lead.source.casefold()
    for cadence in cadences:
        sources = [name.casefold() for name in cadence.sources]
        if handoff.category in (cadence.categories or [handoff.category]) and source in (sources or [source]):
            return [
                Step(step.number, step.channel, step.minutes, step.in_working_hours)
                for step in cadence.steps.all()
            ]
    return []


def _count_attempts(handoffs: Sequence[Handoff]) -> dict[int, tuple[int, int]]:
    """Attempts of each handoff, and those at which somebody answered."""
    counted = (
        Attempt.objects.filter(handoff__in=handoffs)
        .order_by()
        .values_list("handoff")
        .annotate(made=Count("pk"), connected=Count("pk", filter=Q(outcome=Attempt.Outcome.CONNECTED)))
    )
    return {handoff_id: (made, connected) for handoff_id, made, connected in counted}
