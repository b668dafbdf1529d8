"""When people do things: working hours in their zone, quiet weekends, a summer dip, a pause at Christmas."""

from __future__ import annotations

import random
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

# Share of a usual day's traffic.
BY_WEEKDAY = (1.0, 1.05, 1.05, 1.0, 0.75, 0.12, 0.14)
BY_MONTH = (0.9, 1.0, 1.1, 1.0, 1.0, 0.95, 0.6, 0.55, 1.1, 1.15, 1.1, 0.8)
BY_HOUR = (0, 0, 0, 0, 0, 0, 1, 3, 7, 11, 12, 10, 5, 7, 11, 11, 9, 6, 3, 2, 3, 2, 1, 0)


def busyness(at: datetime) -> float:
    """How much goes on on this day against a usual working day (1.0)."""
    if (at.month, at.day) >= (12, 20) or (at.month, at.day) <= (1, 3):
        return 0.2 * BY_WEEKDAY[at.weekday()]
    return BY_MONTH[at.month - 1] * BY_WEEKDAY[at.weekday()]


def pick_day(rng: random.Random, start: datetime, end: datetime) -> datetime:
    """A day between the two, busy days more often than quiet ones."""
    span = (end - start).total_seconds()
    while True:
        at = start + timedelta(seconds=rng.uniform(0, span))
        if rng.random() * 1.3 < busyness(at):
            return at


def at_their_desk(rng: random.Random, day: datetime, zone: str) -> datetime:
    """A plausible moment on that day for somebody living in that zone, in UTC."""
    local_day = day.astimezone(ZoneInfo(zone)).date()
    hour = rng.choices(range(24), BY_HOUR)[0]
    moment = datetime.combine(
        local_day, time(hour, rng.randrange(60), rng.randrange(60)), tzinfo=ZoneInfo(zone)
    )
    return moment.astimezone(UTC)


def off_the_weekend(rng: random.Random, at: datetime) -> datetime:
    """Mostly moves a Saturday or Sunday to the Monday after."""
    if at.weekday() >= 5 and rng.random() < 0.85:
        return at + timedelta(days=7 - at.weekday())
    return at
