"""When a promise falls due, and when to warn before: arithmetic only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sla.business_hours import ALWAYS_OPEN, WorkingCalendar
from sla.models import Target

Stretch = tuple[datetime, datetime]


class Promise(Protocol):
    """How much time something may take: what a target says, its copy in a version, and that in a clock."""

    @property
    def mode(self) -> str: ...

    @property
    def minutes(self) -> int | None: ...

    @property
    def after_hours_minutes(self) -> int | None: ...

    @property
    def warn_percent(self) -> Sequence[int]: ...


@dataclass(frozen=True)
class Deadline:
    due_at: datetime
    warnings_at: list[datetime]

    def next_warning(self, now: datetime) -> datetime | None:
        """The first warning still ahead: those behind are given already, or never will be."""
        return next((at for at in self.warnings_at if at > now), None)


def set_deadline(
    promise: Promise, *, hours: WorkingCalendar, since: datetime, pauses: Sequence[Stretch] = ()
) -> Deadline:
    """Work out a promise made at `since` to somebody who works these hours. Pauses are in order and over."""
    counted_by, allowed = terms_of(promise, hours, since)
    if allowed is None:
        due_at = _last_close(hours, since, pauses)
        allowed = time_used(hours, since, due_at, pauses)
    else:
        due_at = _used_up(counted_by, since, allowed, pauses)
    return Deadline(due_at, _warnings(promise, counted_by, since, allowed, pauses))


def move_deadline(
    promise: Promise,
    *,
    hours: WorkingCalendar,
    since: datetime,
    due_at: datetime,
    old: Sequence[Stretch],
    new: Sequence[Stretch],
) -> Deadline:
    """The deadline when these pauses take the place of those that led to `due_at`.

    The promise is not worked out anew: a due time that stands although the working hours have changed since
    keeps what it allowed.
    """
    counted_by, allowed = terms_of(promise, hours, since)
    if allowed is None:
        moved = _last_close(hours, since, new)
    else:
        moved = _used_up(counted_by, since, time_used(counted_by, since, due_at, old), new)
        if not counted_by.business_time_between(moved, due_at):
            moved = due_at
    allowed = time_used(counted_by, since, moved, new)
    return Deadline(moved, _warnings(promise, counted_by, since, allowed, new))


def time_used(
    hours: WorkingCalendar, since: datetime, until: datetime, pauses: Sequence[Stretch]
) -> timedelta:
    """The time in these hours from `since` to `until`, not counting pauses."""
    paused = (hours.business_time_between(start, min(end, until)) for start, end in pauses if start < until)
    return hours.business_time_between(since, until) - sum(paused, timedelta())


def terms_of(
    promise: Promise, hours: WorkingCalendar, since: datetime
) -> tuple[WorkingCalendar, timedelta | None]:
    """By which hours the promise counts, and how much time it allows; None: until close of business."""
    if promise.after_hours_minutes and hours.is_after_hours(since):
        return hours, timedelta(minutes=promise.after_hours_minutes)
    if promise.minutes is None:
        return hours, None
    counted_by = ALWAYS_OPEN if promise.mode == Target.Mode.WALL else hours
    return counted_by, timedelta(minutes=promise.minutes)


def _warnings(
    promise: Promise, hours: WorkingCalendar, since: datetime, allowed: timedelta, pauses: Sequence[Stretch]
) -> list[datetime]:
    parts = sorted(set(promise.warn_percent))
    return [_used_up(hours, since, allowed * part / 100, pauses) for part in parts]


def _used_up(
    hours: WorkingCalendar, since: datetime, allowed: timedelta, pauses: Sequence[Stretch]
) -> datetime:
    """When so much time has gone; what was left when a pause began is left when it ends."""
    at = hours.add_business_time(since, allowed)
    for start, end in pauses:
        if start < at:
            at = hours.add_business_time(end, hours.business_time_between(start, at))
    return at


def _last_close(hours: WorkingCalendar, since: datetime, pauses: Sequence[Stretch]) -> datetime:
    """Close of business of the day; of the day a pause ends on when it began before that."""
    close = hours.close_of_business(since)
    for start, end in pauses:
        if start < close:
            close = max(close, hours.close_of_business(end))
    return close
