"""Working calendars: how much business time lies between two instants, and when an amount is used up.

An instant is open when its wall-clock time in the calendar's zone falls inside a weekly shift, its
local date is not closed, and no absence covers it. Time is counted as it really passes: an hour
skipped by daylight saving does not count, an hour that is repeated counts twice.

Everything here is a plain value. Instants are aware datetimes in any zone; answers are in UTC.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from hashlib import sha256
from itertools import pairwise
from zoneinfo import ZoneInfo

from sla.timeline import (
    DAY,
    MICROSECOND,
    MINUTE,
    CalendarError,
    Piece,
    Week,
    Without,
    Zoned,
    from_position,
    to_position,
)

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
OUTSIDE_HOURS = "Outside working hours"
OUT_OF_OFFICE = "Out of office"


class NoOpenHours(CalendarError):
    def __init__(self) -> None:
        super().__init__("This calendar is never open. Give it at least one working interval a week.")


@dataclass(frozen=True, order=True)
class Shift:
    """Working hours that begin on one weekday, in minutes after its midnight.

    `closes` beyond 1440 runs into the next day; 0 to 1440 is the whole day.
    """

    weekday: int  # Monday is 0
    opens: int
    closes: int

    def __post_init__(self) -> None:
        if not 0 <= self.weekday <= 6:
            raise CalendarError(f"There is no weekday {self.weekday}: Monday is 0 and Sunday 6.")
        if not (0 <= self.opens < 1440 and self.opens < self.closes <= self.opens + 1440):
            raise CalendarError(f"The interval {self} must close after it opens and within 24 hours.")

    @classmethod
    def between(cls, weekday: int, opens: time, closes: time) -> "Shift":
        """Build from clock times; closing at or before the opening time means the next day."""
        start, end = (moment.hour * 60 + moment.minute for moment in (opens, closes))
        return cls(weekday, start, end if end > start else end + 1440)

    def __str__(self) -> str:
        opens, closes = (
            f"{minutes // 60 % 24:02}:{minutes % 60:02}" for minutes in (self.opens, self.closes)
        )
        night = " (next day)" if self.closes > 1440 else ""
        return f"{WEEKDAYS[self.weekday]} {opens}–{closes}{night}"

    @property
    def piece(self) -> Piece:
        midnight = self.weekday * DAY
        return midnight + self.opens * MINUTE, midnight + self.closes * MINUTE


@dataclass(frozen=True, order=True)
class Closure:
    """A local date on which nobody works, from midnight to midnight: a holiday or a company closure."""

    on: date
    name: str


@dataclass(frozen=True, order=True)
class Absence:
    """A time when this person is away although the calendar is open."""

    start: datetime
    end: datetime
    name: str = OUT_OF_OFFICE


@dataclass(frozen=True)
class Span:
    """A stretch of time in an explanation. `skipped_for` is blank where the time counted."""

    start: datetime
    end: datetime
    skipped_for: str = ""

    @property
    def counted(self) -> bool:
        return not self.skipped_for

    @property
    def duration(self) -> timedelta:
        return self.end - self.start


@dataclass(frozen=True)
class WorkingCalendar:
    """A zone, weekly shifts, closed dates and one person's absences."""

    zone: str
    shifts: tuple[Shift, ...]
    closures: tuple[Closure, ...] = ()
    absences: tuple[Absence, ...] = ()

    def __post_init__(self) -> None:
        if not self.shifts:
            raise NoOpenHours
        check_zone(self.zone)
        for absence in self.absences:
            if absence.end <= absence.start:
                raise CalendarError(f"The absence “{absence.name}” must end after it starts.")

    @cached_property
    def digest(self) -> str:
        """A short fingerprint: when it changes, due times computed by these hours may move."""
        return sha256(repr(self).encode()).hexdigest()[:16]

    def is_open(self, at: datetime) -> bool:
        position = _position(at)
        return self._track.before(position + 1) > self._track.before(position)

    def business_time_between(self, a: datetime, b: datetime) -> timedelta:
        """The open time from `a` to `b`; negative when `b` is the earlier one."""
        return (self._track.before(_position(b)) - self._track.before(_position(a))) * MICROSECOND

    def add_business_time(self, start: datetime, duration: timedelta) -> datetime:
        """The first instant with `duration` of open time since `start`.

        The inverse of `business_time_between`: going there and back returns the duration exactly.
        A duration that is used up at closing time is due then, not at the next opening.
        """
        if duration < timedelta():
            raise CalendarError("Business time is added forwards: the duration must not be negative.")
        position = _position(start)
        if not duration:
            return _instant(position)
        return _instant(self._track.first(self._track.before(position) + duration // MICROSECOND))

    def next_open(self, at: datetime) -> datetime:
        """`at` itself when open, otherwise the next instant that is."""
        return self.add_business_time(at, MICROSECOND) - MICROSECOND

    def close_of_business(self, at: datetime) -> datetime:
        """The end of the business day in progress at `at`, or of the next one."""
        opening = _position(self.next_open(at))
        return _instant(max(end for _, end in self._business_days(opening)))

    def is_after_hours(self, at: datetime) -> bool:
        """Whether no business day is in progress; a lunch break is not after hours."""
        return not any(self._business_days(_position(at)))

    def explain(self, start: datetime, due: datetime) -> tuple[Span, ...]:
        """Split `start` to `due` into what counted and what was skipped, and why.

        The spans touch; those that counted add up to `business_time_between(start, due)`. The cost
        grows with the number of days, as the answer does.
        """
        reached, end = _position(start), _position(due)
        spans: list[Span] = []
        for opens, closes, closed_for in self._shifts_between(reached, end):
            if reached < opens:
                spans.append(_span(reached, opens, OUTSIDE_HOURS))
            spans += (
                [_span(opens, closes, closed_for)] if closed_for else self._around_absences(opens, closes)
            )
            reached = closes
        if reached < end:
            spans.append(_span(reached, end, OUTSIDE_HOURS))
        return tuple(spans)

    @cached_property
    def _hours(self) -> Zoned:
        return _compile_hours(self.zone, self.shifts, tuple(closure.on for closure in self.closures))

    @cached_property
    def _track(self) -> Without:
        hours = self._hours
        away = [(_position(absence.start), _position(absence.end)) for absence in self.absences]
        return Without(hours, [hours.clip(piece) for piece in away])

    def _business_days(self, position: int) -> Iterator[Piece]:
        """The business days in progress: what begins on one local date, from first opening to last close.

        A night shift belongs to the day it starts on, so yesterday's may still be going on.
        """
        today = self._hours.to_local(position) // DAY * DAY
        for midnight in (today - DAY, today):
            shifts = [shift for shift in self.shifts if shift.weekday == midnight // DAY % 7]
            if not shifts:
                continue
            opens = self._hours.last_instant(midnight + min(shift.opens for shift in shifts) * MINUTE)
            closes = self._hours.last_instant(midnight + max(shift.closes for shift in shifts) * MINUTE)
            first, last = self._track.before(opens), self._track.before(closes)
            if first < last and self._track.first(first + 1) <= position + 1 <= self._track.first(last):
                yield self._track.first(first + 1) - 1, self._track.first(last)

    def _shifts_between(self, start: int, end: int) -> Iterator[tuple[int, int, str]]:
        """Working hours from `start` to `end` day by day, each with the name of what closes the day."""
        closed = {to_position(_midnight(closure.on)): closure.name for closure in reversed(self.closures)}
        for first, last, offset in self._hours.segments(start, end):
            for midnight in range((first + offset) // DAY * DAY, last + offset, DAY):
                for opens, closes in self._hours_of_weekday[midnight // DAY % 7]:
                    opens = max(midnight + opens - offset, first)
                    closes = min(midnight + closes - offset, last)
                    if opens < closes:
                        yield opens, closes, closed.get(midnight, "")

    @cached_property
    def _hours_of_weekday(self) -> tuple[list[Piece], ...]:
        pieces = Week(shift.piece for shift in self.shifts).pieces
        return tuple(
            [
                (max(start - day, 0), min(end - day, DAY))
                for start, end in pieces
                if start < day + DAY and end > day
            ]
            for day in range(0, 7 * DAY, DAY)
        )

    def _around_absences(self, start: int, end: int) -> Iterator[Span]:
        for absence in sorted(self.absences):
            away, back = max(start, _position(absence.start)), min(end, _position(absence.end))
            if away >= back:
                continue
            if start < away:
                yield _span(start, away)
            yield _span(away, back, absence.name)
            start = back
        if start < end:
            yield _span(start, end)


def check_zone(zone: str) -> None:
    """Raise a CalendarError naming the remedy unless `zone` is an IANA time zone."""
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise CalendarError(f"“{zone}” is not a time zone. Use a name such as Europe/Berlin.") from error


def find_overlap(shifts: Iterable[Shift]) -> tuple[Shift, Shift] | None:
    """Return two shifts that cover the same time, if any do; Sunday night meets Monday morning."""
    ordered = sorted(shifts)
    if not ordered:
        return None
    for earlier, later in pairwise(ordered):
        if earlier.piece[1] > later.piece[0]:
            return earlier, later
    first, last = ordered[0], ordered[-1]
    if first is not last and last.piece[1] > first.piece[0] + 7 * DAY:
        return last, first
    return None


@lru_cache(maxsize=256)
def _compile_hours(zone: str, shifts: tuple[Shift, ...], closed: tuple[date, ...]) -> Zoned:
    """Build the counting structure once per process for everybody who shares these hours."""
    week = Week(shift.piece for shift in shifts)
    midnights = [to_position(_midnight(day)) for day in closed]
    return Zoned(Without(week, [(midnight, midnight + DAY) for midnight in midnights]), zone)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)


def _position(at: datetime) -> int:
    if at.tzinfo is None:
        raise CalendarError("An instant needs a time zone.")
    return to_position(at.astimezone(UTC).replace(tzinfo=None))


def _instant(position: int) -> datetime:
    return from_position(position).replace(tzinfo=UTC)


def _span(start: int, end: int, skipped_for: str = "") -> Span:
    return Span(_instant(start), _instant(end), skipped_for)


ALWAYS_OPEN = WorkingCalendar("UTC", tuple(Shift(day, 0, 1440) for day in range(7)))
"""Wall time as a calendar: every minute counts."""
