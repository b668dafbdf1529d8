"""Who lost the time: what a promise took, split by what stood in its way (SLA-7). Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import accumulate, pairwise

from sla.business_hours import ALWAYS_OPEN, WorkingCalendar

SECOND = timedelta(seconds=1)
NOTHING = timedelta()

Stretch = tuple[datetime, datetime]


class Loss(StrEnum):
    """What the time went to, in the order of a handoff's way."""

    SYNC = "sync"
    SHIFT = "shift"
    UNSEEN = "unseen"
    IDLE = "idle"
    PAUSED = "paused"


@dataclass(frozen=True)
class Course:
    """What was the case while a clock ran. Stretches of one kind are in order and do not overlap; they may
    reach beyond the clock."""

    started_at: datetime
    ended_at: datetime
    paused: Sequence[Stretch] = ()
    unowned: Sequence[Stretch] = ()
    """Nobody had it: it waited in the overflow queue."""
    unsynced: Sequence[Stretch] = ()
    """The CRM did not have it yet."""
    seen: Sequence[Stretch] = ()
    """Whoever owned it had opened it."""
    qualified_at: datetime | None = None
    """When we knew what made the lead qualify, if the clock began with the handoff that followed."""


@dataclass(frozen=True)
class Attribution:
    """The time a promise took, by what it went to; the parts add up to the whole exactly."""

    parts: Mapping[Loss, timedelta]
    scoring: timedelta
    """Gone before the clock began: from the qualifying activity to the handoff. No part of the whole."""
    is_around_the_clock: bool
    """False: counted in somebody's working hours."""

    @property
    def whole(self) -> timedelta:
        return sum(self.parts.values(), NOTHING)

    @property
    def seconds(self) -> dict[Loss, int]:
        """The parts in whole seconds, which still add up to those of the whole.

        Each is the difference of two rounded sums, so that no second is lost between them.
        """
        sums = [total // SECOND for total in accumulate(self.parts.values(), initial=NOTHING)]
        steps = (after - before for before, after in pairwise(sums))
        return dict(zip(self.parts, steps, strict=True))

    @property
    def scoring_seconds(self) -> int:
        return self.scoring // SECOND


def attribute_time(course: Course, *, counted_by: WorkingCalendar, worked_by: WorkingCalendar) -> Attribution:
    """Split the time from the start of a clock to its end by what it went to.

    Time is counted as the promise counts it. For one around the clock that is more than the hours its owner
    works: what lies outside them waited for a shift. A moment to which several things apply goes to the first
    of: paused, nobody had it, nobody was on shift, opened and not acted on, not in the CRM yet, not opened.
    """
    parts = dict.fromkeys(Loss, NOTHING)
    paused, unowned = _Cover(course.paused), _Cover(course.unowned)
    unsynced, seen = _Cover(course.unsynced), _Cover(course.seen)
    for start, end in pairwise(_cuts(course)):
        counted = counted_by.business_time_between(start, end)
        if start in paused:
            parts[Loss.PAUSED] += counted
        elif start in unowned:
            parts[Loss.SHIFT] += counted
        else:
            worked = worked_by.business_time_between(start, end)
            parts[Loss.SHIFT] += counted - worked
            at_hand = Loss.SYNC if start in unsynced else Loss.UNSEEN
            parts[Loss.IDLE if start in seen else at_hand] += worked
    return Attribution(parts, _scoring_delay(course, counted_by), counted_by is ALWAYS_OPEN)


class _Cover:
    """Whether a moment lies within one of some stretches."""

    def __init__(self, stretches: Sequence[Stretch]) -> None:
        self.stretches = stretches
        self.starts = [start for start, _ in stretches]

    def __contains__(self, at: datetime) -> bool:
        index = bisect_right(self.starts, at) - 1
        return index >= 0 and at < self.stretches[index][1]


def _cuts(course: Course) -> list[datetime]:
    """The moments between which nothing changes, from the start of the clock to its end."""
    kinds = (course.paused, course.unowned, course.unsynced, course.seen)
    edges = {edge for stretches in kinds for stretch in stretches for edge in stretch}
    inner = {edge for edge in edges if course.started_at < edge < course.ended_at}
    return sorted({course.started_at, course.ended_at} | inner)


def _scoring_delay(course: Course, counted_by: WorkingCalendar) -> timedelta:
    if course.qualified_at is None:
        return NOTHING
    return max(counted_by.business_time_between(course.qualified_at, course.started_at), NOTHING)
