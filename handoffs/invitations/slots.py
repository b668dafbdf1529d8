"""When a rep could make a first contact: a free quarter of an hour of their working time. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from sla.business_hours import WorkingCalendar

QUARTER = timedelta(minutes=15)
MINUTE = timedelta(minutes=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def find_slot(
    hours: WorkingCalendar, *, since: datetime, until: datetime, taken: Mapping[datetime, int]
) -> datetime | None:
    """The start of the next free quarter hour of working time that begins before `until`, in UTC.

    `taken` says how many appointments there are in which quarters. Where every quarter is taken, the one with
    the fewest is shared: all of these leads wait for a call within the window. In a window too short to hold
    the beginning of a quarter, it is the next minute. None when the person does not work within the window.
    """
    fewest: tuple[int, datetime] | None = None
    for start in _quarters(hours, since, until):
        number = taken.get(start, 0)
        if not number:
            return start
        fewest = min(fewest or (number, start), (number, start))
    if fewest:
        return fewest[1]
    at_once = _next_multiple(hours.next_open(since), MINUTE)
    return at_once if at_once < until and fits(hours, at_once, until) else None


def quarters_in(start: datetime) -> tuple[datetime, ...]:
    """The quarter hours of which an appointment from `start` on takes a part."""
    last = _next_multiple(start, QUARTER)
    return (last,) if last == start else (last - QUARTER, last)


def fits(hours: WorkingCalendar, start: datetime, until: datetime) -> bool:
    """Whether a quarter hour from `start` on is working time, and begins before `until`."""
    return start < until and is_working_time(hours, start)


def is_working_time(hours: WorkingCalendar, start: datetime) -> bool:
    """Whether a quarter hour from `start` on is working time from end to end."""
    return hours.business_time_between(start, start + QUARTER) == QUARTER


def _quarters(hours: WorkingCalendar, since: datetime, until: datetime) -> Iterator[datetime]:
    """The quarters of the clock that lie in working time. Every zone is whole quarters away from UTC."""
    at = _next_multiple(since, QUARTER)
    while (at := _next_multiple(hours.next_open(at), QUARTER)) < until:
        if fits(hours, at, until):
            yield at
        at += QUARTER


def _next_multiple(at: datetime, step: timedelta) -> datetime:
    return _EPOCH - (_EPOCH - at) // step * step
