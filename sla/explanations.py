"""Why a clock is due when it is: the intervals counted and those skipped, by name (SLA-4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from sla.business_hours import Span, WorkingCalendar
from sla.calendars import working_hours
from sla.deadlines import set_deadline, terms_of
from sla.models import Clock, Pause
from sla.pauses import closed_pauses


@dataclass(frozen=True)
class Explanation:
    """The spans touch, from the start of the clock to its due time."""

    spans: list[Span]
    zone: str
    is_current: bool
    """False when the working hours have changed since, so that they no longer give this due time."""

    @property
    def counted(self) -> timedelta:
        return sum((span.duration for span in self.spans if span.counted), timedelta())


def explain_deadline(clock: Clock) -> Explanation:
    hours = working_hours(clock.calendar, person=clock.owner, around=clock.started_at)
    deadline = set_deadline(clock, hours=hours, since=clock.started_at, pauses=closed_pauses(clock))
    counted_by, _ = terms_of(clock, hours, clock.started_at)
    return Explanation(
        spans=list(_spans(clock, counted_by)),
        zone=hours.zone,
        is_current=deadline.due_at == clock.due_at,
    )


def _spans(clock: Clock, hours: WorkingCalendar) -> Iterator[Span]:
    reached = clock.started_at
    for pause in clock.pauses.select_related("incident"):
        if pause.started_at >= clock.due_at:
            break
        yield from hours.explain(reached, pause.started_at)
        reached = min(pause.ended_at or clock.due_at, clock.due_at)
        yield Span(pause.started_at, reached, _name(pause))
    yield from hours.explain(reached, clock.due_at)


def _name(pause: Pause) -> str:
    return f"Excused: {pause.incident}" if pause.incident else f"Paused: {pause.reason}"
