"""When clocks stood still: their pauses as plain values, for many clocks at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from common.bulk import among
from sla.deadlines import Stretch
from sla.models import Pause


class Rest(NamedTuple):
    """A stretch in which a clock stood still; without an end it still does."""

    start: datetime
    end: datetime | None
    incident_id: int | None
    """The incident that excuses it; None: somebody paused it."""


def rests_of(clock_ids: Collection[int]) -> defaultdict[int, list[Rest]]:
    """When each of these clocks stood still, in order, in one query."""
    found: defaultdict[int, list[Rest]] = defaultdict(list)
    pauses = Pause.objects.filter(clock__in=among(clock_ids)).order_by("started_at", "id")
    rows = pauses.values_list("clock_id", "started_at", "ended_at", "incident_id")
    for clock_id, started_at, ended_at, incident_id in rows:
        found[clock_id].append(Rest(started_at, ended_at, incident_id))
    return found


def over(rests: Iterable[Rest]) -> list[Stretch]:
    """Those that are over: a rest that goes on moves a deadline only when it ends."""
    return [(rest.start, rest.end) for rest in rests if rest.end]
