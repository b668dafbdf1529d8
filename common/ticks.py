"""Where the marks of an axis stand and what they say. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice

Moment = date | datetime

# Steps between two marks of a time axis, shortest first.
HOURS = (1, 3, 6, 12)
DAYS = (1, 2, 7, 14)
MONTHS = (1, 2, 3, 6, 12, 24, 60, 120)


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    label: str


def plain_number(value: float) -> str:
    """'1,200', '0.25', '−5': as few digits as tell the value."""
    text = f"{abs(value):,.0f}" if float(value).is_integer() else f"{abs(value):,.3g}"
    return f"−{text}" if value < 0 else text


def percentage(value: float) -> str:
    """A share as '12 %' or '0.5 %'."""
    rounded = round(float(value) * 100, 1)
    return f"{plain_number(int(rounded) if rounded.is_integer() else rounded)} %"


def number_ticks(low: float, high: float, *, about: int, whole: bool = False) -> list[float]:
    """Round numbers from at most `low` to at least `high`, some `about` steps apart; at least two of them.

    The step is 1, 2 or 5 times a power of ten. With `whole` none lies between two integers.
    """
    if high <= low:
        high = low + 1
    step = _round_step((high - low) / max(1, about))
    if whole:
        step = max(1, step)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    digits = max(0, -math.floor(math.log10(step)))
    return [round(number * step, digits) for number in range(first, last + 1)]


def _round_step(rough: float) -> float:
    power: float = 10.0 ** math.floor(math.log10(rough))
    for factor in (1, 2, 5):
        if rough <= factor * power * (1 + 1e-9):
            return factor * power
    return 10 * power


def seconds_of(moment: Moment) -> float:
    """The place of a day or moment on a time axis: wall-clock seconds, so that days are equally long."""
    if isinstance(moment, datetime):
        return (moment.replace(tzinfo=None) - datetime.min).total_seconds()
    return (datetime.combine(moment, time()) - datetime.min).total_seconds()


def time_ticks(first: Moment, last: Moment, *, most: int) -> list[Tick]:
    """At most `most` round moments within the span, each at the beginning of its hour, day or month."""
    start, end = _wall(first), _wall(last)
    for moments, words in _scales(start, end):
        found = list(islice(moments, most + 1))
        if len(found) <= most:
            return [Tick(seconds_of(moment), words(moment)) for moment in found] or [
                Tick(seconds_of(start), day_words(start))
            ]
    return [Tick(seconds_of(start), day_words(start)), Tick(seconds_of(end), day_words(end))]


def day_words(moment: Moment) -> str:
    """'3 Mar 2026'."""
    return f"{moment.day} {moment:%b %Y}"


def moment_words(moment: Moment) -> str:
    """'Tue 3 Mar 2026, 14:05', or the day alone for a date."""
    if isinstance(moment, datetime):
        return f"{moment:%a} {moment.day} {moment:%b %Y, %H:%M}"
    return day_words(moment)


def _wall(moment: Moment) -> datetime:
    if isinstance(moment, datetime):
        return moment.replace(tzinfo=None)
    return datetime.combine(moment, time())


def _scales(start: datetime, end: datetime) -> Iterator[tuple[Iterator[datetime], Callable[[datetime], str]]]:
    midnight = datetime.combine(start.date(), time())
    if end - start < timedelta(days=3):
        for hours in HOURS:
            yield _each(midnight, timedelta(hours=hours), start, end), _hour_words
    # Weeks begin on Monday.
    monday = midnight - timedelta(days=midnight.weekday())
    for days in DAYS:
        yield _each(monday if days >= 7 else midnight, timedelta(days=days), start, end), _day_words
    for months in MONTHS:
        yield _each_month(start, end, months), _month_words


def _each(first: datetime, step: timedelta, start: datetime, end: datetime) -> Iterator[datetime]:
    moment = first
    while moment <= end:
        if moment >= start:
            yield moment
        moment += step


def _each_month(start: datetime, end: datetime, step: int) -> Iterator[datetime]:
    number = (start.year * 12 + start.month - 1) // step * step
    while (moment := datetime(max(1, number // 12), number % 12 + 1, 1)) <= end:
        if moment >= start:
            yield moment
        number += step


def _hour_words(moment: datetime) -> str:
    return f"{moment:%H:%M}" if moment.hour else f"{moment.day} {moment:%b}"


def _day_words(moment: datetime) -> str:
    return f"{moment.day} {moment:%b}"


def _month_words(moment: datetime) -> str:
    return f"{moment:%b}" if moment.month > 1 else f"{moment:%Y}"
