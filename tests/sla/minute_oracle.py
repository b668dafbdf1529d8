"""An independent reading of the calendar rules: look at every single minute."""

from datetime import UTC, datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from sla.business_hours import WorkingCalendar

MINUTE = timedelta(minutes=1)


class MinuteOracle:
    """Open minutes of a stretch of time, counted one by one on the wall clock of the zone."""

    def __init__(self, calendar: WorkingCalendar, start: datetime, minutes: int) -> None:
        self.start = start.astimezone(UTC)
        zone = ZoneInfo(calendar.zone)
        weekly = {
            (shift.weekday * 1440 + minute) % 10080
            for shift in calendar.shifts
            for minute in range(shift.opens, shift.closes)
        }
        closed = {closure.on for closure in calendar.closures}

        def is_open(minute: int) -> bool:
            at = self.start + minute * MINUTE
            local = at.astimezone(zone)
            return (
                local.weekday() * 1440 + local.hour * 60 + local.minute in weekly
                and local.date() not in closed
                and not any(absence.start <= at < absence.end for absence in calendar.absences)
            )

        self.open = [is_open(minute) for minute in range(minutes)]
        self.before = list(accumulate(self.open, initial=0))

    def between(self, a: datetime, b: datetime) -> timedelta:
        return (self.before[self.index(b)] - self.before[self.index(a)]) * MINUTE

    def add(self, start: datetime, duration: timedelta) -> datetime | None:
        """Walk until the duration is used up; None when it reaches beyond the stretch."""
        left = duration // MINUTE
        minute = self.index(start)
        while left and minute < len(self.open):
            left -= self.open[minute]
            minute += 1
        return None if left else self.start + minute * MINUTE

    def index(self, at: datetime) -> int:
        return (at - self.start) // MINUTE
