"""When somebody wants to be left alone. Plain values in and out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class QuietHours:
    """Every day from one local time until another; an `until` that is earlier is on the next day.

    The same time twice means no quiet at all, not a whole quiet day.
    """

    starts: time
    ends: time
    zone: ZoneInfo

    def covers(self, local: time) -> bool:
        """Whether this time of the wall clock is quiet. The start is, the end is not."""
        if self.starts <= self.ends:
            return self.starts <= local < self.ends
        return local >= self.starts or local < self.ends


def end_of_quiet(hours: QuietHours, at: datetime) -> datetime | None:
    """When the quiet around `at` ends, in UTC; None when `at` is not quiet.

    Where the clock is put forward over the end, it is as much later as the clock jumps. Where it is put back,
    a quiet hour that comes twice is quiet twice.
    """
    local = at.astimezone(hours.zone)
    if not hours.covers(local.time()):
        return None
    over_midnight = hours.starts > hours.ends and local.time() >= hours.starts
    day = local.date() + timedelta(days=over_midnight)
    end = datetime.combine(day, hours.ends, tzinfo=hours.zone)
    first = end.astimezone(UTC)
    return first if first > at else end.replace(fold=1).astimezone(UTC)
