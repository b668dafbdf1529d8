"""A made-up week in plain values: four offices, twenty reps, what they do, and a naive reading of the hours.

Nothing here comes from the portal's own calendar code: it is what the portal is held against.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

Stretch = tuple[datetime, datetime]

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

# Whit Monday in Germany and Memorial Day in the United States are the 25th.
BEGIN = datetime(2026, 5, 25, tzinfo=UTC)
END = BEGIN + 7 * DAY
# Deadlines that the week leaves open are looked at no further.
HORIZON_MINUTES = 16 * 1440
BEFORE = datetime(2026, 5, 24, tzinfo=UTC)

# Nothing runs in the background: no sweep, no mail. People go on working.
OUTAGE = (datetime(2026, 5, 27, 10, tzinfo=UTC), datetime(2026, 5, 27, 13, tzinfo=UTC))
# On Thursday noon somebody enters that Berlin is closed on Friday.
EDITED_AT = datetime(2026, 5, 28, 12, tzinfo=UTC)
OUTING = date(2026, 5, 29)


@dataclass(frozen=True)
class Office:
    """A place with its own hours. Weekdays from Monday = 0; shifts in local time, several a day."""

    name: str
    country: str
    zone: str
    days: tuple[int, ...]
    shifts: tuple[tuple[time, time], ...]
    holidays: frozenset[date] = frozenset()
    holiday_country: str = ""


OFFICES = (
    Office(
        "Berlin",
        "Germany",
        "Europe/Berlin",
        (0, 1, 2, 3, 4),
        ((time(9), time(12)), (time(13), time(18))),
        frozenset({date(2026, 5, 25)}),
        "DE",
    ),
    Office(
        "New York",
        "United States",
        "America/New_York",
        (0, 1, 2, 3, 4),
        ((time(8), time(17)),),
        frozenset({date(2026, 5, 25)}),
        "US",
    ),
    Office("Kathmandu", "Nepal", "Asia/Kathmandu", (6, 0, 1, 2, 3, 4), ((time(10), time(18)),)),
    Office("Adelaide", "Australia", "Australia/Adelaide", (0, 1, 2, 3, 4), ((time(9), time(17)),)),
)
REPS_PER_OFFICE = 5


@dataclass(frozen=True)
class Rep:
    """Somebody at an office. `pace` is how many working minutes they take to act, None: they never do."""

    name: str
    office: Office
    pace: int | None
    away: tuple[datetime, datetime] | None = None


def make_reps() -> list[Rep]:
    """Five at each office: quick, steady, slow, one who never acts, one who is away for a day and a half."""
    reps = []
    for office in OFFICES:
        noon = datetime(2026, 5, 27, 12, tzinfo=ZoneInfo(office.zone)).astimezone(UTC)
        for number, pace in enumerate((8, 25, 90, None, 12)):
            away = (noon, noon + 36 * HOUR) if number == 4 else None
            reps.append(Rep(f"{office.name.replace(' ', '').lower()}{number}", office, pace, away))
    return reps


class Reading:
    """Whether somebody works, looked up minute by minute; closed on the outing from when that was known."""

    def __init__(
        self, office: Office, away: tuple[datetime, datetime] | None, *, knows_of_outing: bool
    ) -> None:
        self._zone = ZoneInfo(office.zone)
        self._office, self._away = office, away
        self._closed = office.holidays | ({OUTING} if knows_of_outing and office.name == "Berlin" else set())

    @cached_property
    def _open(self) -> list[bool]:
        return [self._is_open(BEFORE + minute * MINUTE) for minute in range(HORIZON_MINUTES)]

    def _is_open(self, at: datetime) -> bool:
        local = at.astimezone(self._zone)
        on_shift = any(begin <= local.time() < end for begin, end in self._office.shifts)
        is_away = self._away is not None and self._away[0] <= at < self._away[1]
        works = local.weekday() in self._office.days and local.date() not in self._closed
        return works and on_shift and not is_away

    def is_open(self, at: datetime) -> bool:
        return self._open[(at - BEFORE) // MINUTE]

    def is_day_over(self, at: datetime) -> bool:
        """Whether a lead that comes now comes after hours: outside the first opening to the last close."""
        local = at.astimezone(self._zone)
        opens, closes = self._office.shifts[0][0], self._office.shifts[-1][1]
        works = local.weekday() in self._office.days and local.date() not in self._closed
        is_away = self._away is not None and self._away[0] <= at < self._away[1]
        return not (works and opens <= local.time() < closes) or is_away

    def after(self, start: datetime, minutes: int, pauses: Sequence[Stretch] = ()) -> datetime:
        """When so many open minutes have passed, pauses not counted, one minute after the other."""
        at, left = start, minutes
        while left:
            paused = any(begin <= at < end for begin, end in pauses)
            left -= self.is_open(at) and not paused
            at += MINUTE
        return at

    def next_open(self, at: datetime) -> datetime:
        while not self.is_open(at):
            at += MINUTE
        return at


@dataclass(frozen=True)
class Arrival:
    """A lead comes in."""

    at: datetime
    office: Office
    category: str
    waits: bool
    """Its rep pauses the first contact for three hours after accepting."""


def make_arrivals(seed: int, number: int) -> list[Arrival]:
    """Leads at any minute of the first six days, nights included."""
    dice = random.Random(seed)
    return sorted(
        (
            Arrival(
                BEGIN + dice.randrange(6 * 1440) * MINUTE,
                dice.choice(OFFICES),
                dice.choice("AABBC"),
                dice.random() < 0.15,
            )
            for _ in range(number)
        ),
        key=lambda arrival: arrival.at,
    )


def moments(every: timedelta) -> Iterator[datetime]:
    """The ticks at which background work runs, not during the outage."""
    at = BEGIN
    while at <= END:
        if not OUTAGE[0] <= at < OUTAGE[1]:
            yield at
        at += every


@dataclass
class Promised:
    """What a published number promises: minutes of working time, or of any, and after hours."""

    minutes: int
    is_wall: bool = False
    after_hours: int | None = None
    steps: list[tuple[str, int]] = field(default_factory=list)


# The `hybrid` column of chapter 12. Starting values: the ladder, and half of the time to decide.
_LADDER = [("remind", 0), ("notify_manager", 30), ("reassign", 60), ("review", 120), ("flag_crm", 240)]
_WITHOUT_REASSIGN = [step for step in _LADDER if step[0] != "reassign"]
FIRST_CONTACT = {"A": 60, "B": 240, "C": 1440}


def promised(kind: str, category: str) -> Promised:
    match kind:
        case "notification":
            return Promised(30, steps=_WITHOUT_REASSIGN)
        case "decision":
            return Promised(FIRST_CONTACT[category] // 2, steps=_LADDER)
        case "first_contact":
            return Promised(FIRST_CONTACT[category], after_hours=120, steps=_WITHOUT_REASSIGN)
        case _:
            return Promised(1440, is_wall=True, steps=_WITHOUT_REASSIGN)
