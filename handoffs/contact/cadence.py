"""When to try to reach a lead: by the steps of a cadence, or at a time that suits (QUEUE-3).

Plain values in and out, no Django.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sla.business_hours import WorkingCalendar

# When mornings begin where no calendar says when people work.
MORNING = time(9)
HOUR = timedelta(hours=1)
FIVE_MINUTES = timedelta(minutes=5)
LONGEST_WEEK = 8  # working days until another week has begun, closures left aside


@dataclass(frozen=True)
class Step:
    """One attempt: due so many minutes after acceptance, counted in working hours or around the clock."""

    number: int
    channel: str
    minutes: int
    in_working_hours: bool = True

    def due_at(self, accepted_at: datetime, hours: WorkingCalendar) -> datetime:
        allowed = timedelta(minutes=self.minutes)
        if self.in_working_hours:
            return hours.add_business_time(accepted_at, allowed)
        return accepted_at + allowed


@dataclass(frozen=True)
class Progress:
    """How far a cadence has come. Without a next attempt it is over: reached, or all attempts made.

    `reached_by` is the number of the attempt in which somebody first spoke with the lead; None if nobody did.
    """

    made: int
    of: int
    reached_by: int | None = None
    next_channel: str = ""
    due_at: datetime | None = None

    @property
    def next_number(self) -> int | None:
        return self.made + 1 if self.due_at else None


def follow_cadence(
    steps: Sequence[Step],
    *,
    accepted_at: datetime,
    made: int,
    reached_by: int | None,
    hours: WorkingCalendar,
    promised_by: datetime | None = None,
) -> Progress:
    """Which attempt is next and by when, after so many; none once somebody spoke with the lead.

    Steps count by their order: numbers may have gaps. `promised_by`: when the promise of a first contact
    falls due, as long as it is not kept; an attempt is then due no later.
    """
    ordered = sorted(steps, key=lambda step: step.number)
    if reached_by or made >= len(ordered):
        return Progress(made, len(ordered), reached_by)
    step = ordered[made]
    due_at = step.due_at(accepted_at, hours)
    if promised_by is not None:
        due_at = min(due_at, promised_by)
    return Progress(made, len(ordered), reached_by, step.channel, due_at)


@dataclass(frozen=True)
class QuickTime:
    """A time to plan the next contact for, with its name."""

    words: str
    at: datetime


def quick_times(hours: WorkingCalendar, *, zone: str, now: datetime) -> list[QuickTime]:
    """Times a rep plans for again and again: while at work in an hour, next morning, in two days, next week.

    Each once, in order, even where several fall together before a weekend.
    """
    mornings = _mornings(hours, ZoneInfo(zone), now)
    tomorrow, after_tomorrow = next(mornings), next(mornings)
    week = now.astimezone(ZoneInfo(zone)).isocalendar()[:2]
    coming = [tomorrow, after_tomorrow, *(next(mornings) for _ in range(LONGEST_WEEK))]
    next_week = next(at for at in coming if at.astimezone(ZoneInfo(zone)).isocalendar()[:2] != week)
    found = {
        tomorrow: "Next working day",
        after_tomorrow: "In two working days",
        next_week: "Next week",
    }
    if hours.is_open(now):
        found |= {_rounded_up(hours.add_business_time(now, HOUR)): "In an hour"}
    return [QuickTime(words, at) for at, words in sorted(found.items())]


def _mornings(hours: WorkingCalendar, zone: ZoneInfo, now: datetime) -> Iterator[datetime]:
    """When each working day after today begins; today's too while it has not begun."""
    at = hours.next_open(now)
    if not hours.is_after_hours(now):
        at = hours.next_open(hours.close_of_business(now))
    while True:
        local = at.astimezone(ZoneInfo(hours.zone))
        # Around the clock a day begins at midnight, which is no time to call anybody.
        morning = at if local.time() != time(0) else datetime.combine(local.date(), MORNING, zone)
        if morning > now:
            yield morning
        at = hours.next_open(hours.close_of_business(at))


def _rounded_up(at: datetime) -> datetime:
    """To the next five minutes."""
    past = timedelta(minutes=at.minute % 5, seconds=at.second, microseconds=at.microsecond)
    return at + (FIVE_MINUTES - past if past else timedelta())
