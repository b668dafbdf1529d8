"""Counting open time: the arithmetic under `business_hours`, with no dates in it.

A track answers two questions about a growing count of open microseconds: how much lies before a
position, and which is the first position with that much before it. Positions are microseconds
since 0001-01-01, a Monday; some tracks count on local wall-clock time, some on UTC. Tracks are
stacked (week, then closures, then DST, then absences) and each adds one bisection, so the cost of
an answer depends on how many exceptions there are, logarithmically, and never on the span asked.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import cache
from itertools import accumulate
from typing import Protocol
from zoneinfo import ZoneInfo

Piece = tuple[int, int]
"""A half-open stretch of a track, `[start, end)`."""

MICROSECOND = timedelta(microseconds=1)
MINUTE = 60_000_000
DAY = 24 * 60 * MINUTE
WEEK = 7 * DAY

# Offsets are tabulated for these years once per zone; an answer outside them is refused.
FIRST_YEAR, LAST_YEAR = 1970, 2100
# No zone has ever changed its offset twice within a week, so a change cannot hide between steps.
SCAN_STEP = timedelta(days=3)


class CalendarError(ValueError):
    """A question a calendar cannot answer; the message says what is wrong and what to do."""


class OutOfRange(CalendarError):
    """A position, or the answer to a question, lies outside the years the calendar knows."""


def to_position(moment: datetime) -> int:
    """The position of a naive `moment` on its own axis."""
    return (moment - datetime.min) // MICROSECOND


def from_position(position: int) -> datetime:
    return datetime.min + position * MICROSECOND


def merge_pieces(pieces: Iterable[Piece]) -> list[Piece]:
    """Return the same coverage as disjoint pieces in order; touching pieces become one."""
    merged: list[Piece] = []
    for start, end in sorted(piece for piece in pieces if piece[0] < piece[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


class Track(Protocol):
    def before(self, position: int) -> int:
        """Open microseconds before `position`."""
        ...

    def first(self, count: int) -> int:
        """The first position with `count` open microseconds before it."""
        ...


class Week:
    """The same pieces of every week, for ever, on local time."""

    def __init__(self, pieces: Iterable[Piece]) -> None:
        """`pieces` count from Monday 00:00; one that runs past Sunday night wraps to Monday."""
        pieces = list(pieces)
        cut = [(start, min(end, WEEK)) for start, end in pieces]
        wrapped = [(0, end - WEEK) for _, end in pieces if end > WEEK]
        self.pieces = merge_pieces(cut + wrapped)
        self.starts = [start for start, _ in self.pieces]
        self.counts = list(accumulate((end - start for start, end in self.pieces), initial=0))
        self.total = self.counts[-1]

    def before(self, position: int) -> int:
        weeks, rest = divmod(position, WEEK)
        index = bisect_right(self.starts, rest) - 1
        if index < 0:
            return weeks * self.total
        start, end = self.pieces[index]
        return weeks * self.total + self.counts[index] + min(rest, end) - start

    def first(self, count: int) -> int:
        # Working on the last microsecond wanted, not on the count, gives the end of a piece rather
        # than the start of the next when the count falls on the boundary between them.
        weeks, rest = divmod(count - 1, self.total)
        index = bisect_right(self.counts, rest) - 1
        return weeks * WEEK + self.starts[index] + rest - self.counts[index] + 1


class Without:
    """Another track with some stretches of it taken out (closures, absences)."""

    def __init__(self, track: Track, removed: Iterable[Piece]) -> None:
        self.track = track
        self.pieces = merge_pieces(removed)
        self.starts = [start for start, _ in self.pieces]
        bounds = [(track.before(start), track.before(end)) for start, end in self.pieces]
        self.lost = list(accumulate((after - before for before, after in bounds), initial=0))
        self.counts = [before - lost for (before, _), lost in zip(bounds, self.lost, strict=False)]

    def before(self, position: int) -> int:
        index = bisect_right(self.starts, position) - 1
        if index < 0:
            return self.track.before(position)
        end = self.pieces[index][1]
        if position < end:
            return self.counts[index]
        return self.track.before(position) - self.lost[index + 1]

    def first(self, count: int) -> int:
        # Only removals that begin before the count is complete delay it.
        delayed_by = bisect_left(self.counts, count)
        return self.track.first(count + self.lost[delayed_by])


class Zoned:
    """A track on local time seen from UTC: skipped hours do not count, repeated ones count twice."""

    def __init__(self, track: Track, zone: str) -> None:
        self.track = track
        self.starts, self.offsets = zone_offsets(zone)
        self.ends = [*self.starts[1:], to_position(datetime(LAST_YEAR, 1, 1))]
        local = [
            (track.before(start + offset), track.before(end + offset))
            for start, end, offset in zip(self.starts, self.ends, self.offsets, strict=True)
        ]
        self.locals = [before for before, _ in local]
        self.counts = list(accumulate((after - before for before, after in local), initial=0))

    def before(self, position: int) -> int:
        index = self.segment_at(position)
        local = self.track.before(position + self.offsets[index])
        return self.counts[index] + local - self.locals[index]

    def first(self, count: int) -> int:
        if count > self.counts[-1]:
            raise OutOfRange(f"This time would run out after the year {LAST_YEAR - 1}.")
        index = bisect_left(self.counts, count) - 1
        local = self.track.first(self.locals[index] + count - self.counts[index])
        return local - self.offsets[index]

    def segment_at(self, position: int) -> int:
        """The index of the stretch of constant offset that holds `position`."""
        if not self.starts[0] <= position < self.ends[-1]:
            years = f"{FIRST_YEAR} to {LAST_YEAR - 1}"
            raise OutOfRange(f"Working hours are known for the years {years} only.")
        return bisect_right(self.starts, position) - 1

    def segments(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """The stretches of constant offset from `start` to `end`, each with its offset."""
        if start >= end:
            return
        for index in range(self.segment_at(start), self.segment_at(end - 1) + 1):
            yield max(start, self.starts[index]), min(end, self.ends[index]), self.offsets[index]

    def clip(self, piece: Piece) -> Piece:
        """Cut a piece to the years that can be counted."""
        first, last = self.starts[0], self.ends[-1] - 1
        return min(max(piece[0], first), last), min(max(piece[1], first), last)

    def to_local(self, position: int) -> int:
        return position + self.offsets[self.segment_at(position)]

    def last_instant(self, local: int) -> int:
        """The last instant whose wall clock has not passed `local`.

        The second of two when the hour is repeated; the moment of change when it is skipped.
        """
        index = self.segment_at(local + DAY)
        if self.starts[index] + self.offsets[index] > local:
            index -= 1
        return min(local - self.offsets[index], self.ends[index])


@cache
def zone_offsets(zone: str) -> tuple[list[int], list[int]]:
    """Return when each UTC offset of a zone begins, and the offsets, both in microseconds."""
    info = ZoneInfo(zone)
    moment, last = datetime(FIRST_YEAR, 1, 1), datetime(LAST_YEAR, 1, 1)
    offset = _offset_at(info, moment)
    starts, offsets = [to_position(moment)], [offset]
    while moment < last:
        step = moment + SCAN_STEP
        if _offset_at(info, step) != offset:
            change = _change_between(info, moment, step)
            offset = _offset_at(info, change)
            starts.append(to_position(change))
            offsets.append(offset)
        moment = step
    return starts, offsets


def _offset_at(info: ZoneInfo, moment: datetime) -> int:
    local = info.fromutc(moment.replace(tzinfo=info))
    return (local.replace(tzinfo=None) - moment) // MICROSECOND


def _change_between(info: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The second at which the offset that holds at `low`, and no longer at `high`, changes."""
    offset = _offset_at(info, low)
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if _offset_at(info, middle) == offset:
            low = middle
        else:
            high = middle
    return high
