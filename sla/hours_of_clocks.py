"""The working hours by which clocks count, for many clocks of few owners."""

from __future__ import annotations

from sla.business_hours import WorkingCalendar
from sla.calendars import working_hours
from sla.models import Calendar, Clock


class HoursOfClocks:
    """Looks each calendar and each owner's absences up once, however many clocks ask.

    The clocks need their owners loaded.
    """

    def __init__(self) -> None:
        self._calendars: dict[int, Calendar] | None = None
        self._hours: dict[tuple[int | None, int | None, int], WorkingCalendar] = {}

    def of(self, clock: Clock) -> WorkingCalendar:
        # Public holidays are worked out for some years around a moment, so the year is part of the key.
        key = (clock.calendar_id, clock.owner_id, clock.started_at.year)
        if key not in self._hours:
            calendar = self._calendar(clock.calendar_id)
            self._hours[key] = working_hours(calendar, person=clock.owner, around=clock.started_at)
        return self._hours[key]

    def _calendar(self, pk: int | None) -> Calendar | None:
        if pk is None:
            return None
        if self._calendars is None:
            calendars = Calendar.objects.prefetch_related("intervals", "closures")
            self._calendars = {calendar.pk: calendar for calendar in calendars}
        return self._calendars[pk]
