"""Time in the demo's past: acts in their order, and between them the sweeps, when their marks say so."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from itertools import count

from django.db import connection

from feedback.models import Recycling
from feedback.recycling import wake_recyclings
from feedback.tasks_for_marketing import open_gap_tasks
from handoffs.pipeline import advance_lead
from sla.sweep import sweep_clocks

Act = Callable[[datetime], None]
MINUTE = timedelta(minutes=1)

# The next thing a sweep would find, each from its partial index. LEAST passes over nulls.
NEXT_MARK = """
SELECT LEAST(
    (SELECT min(due_at) FROM sla_clock
     WHERE outcome = 'running' AND breach_recorded_at IS NULL AND paused_at IS NULL),
    (SELECT min(warn_at) FROM sla_clock WHERE outcome = 'running'),
    (SELECT min(wake_at) FROM feedback_recycling WHERE woken_at IS NULL),
    (SELECT min(incomplete_at) FROM handoffs_handoff WHERE incomplete_at IS NOT NULL)
)
"""


class Clockwork:
    """Plays acts from a heap. `on_woken` hears of leads that a sweep has let qualify again."""

    def __init__(self, *, until: datetime, on_woken: Callable[[Iterable[int], datetime], None]) -> None:
        self.until = until
        self._on_woken = on_woken
        self._acts: list[tuple[datetime, int, Act]] = []
        self._order = count()
        self._mark: datetime | None = None

    def schedule(self, at: datetime, act: Act) -> None:
        """Have it done at that moment. What would come after the end is left for the living to do."""
        if at < self.until:
            heapq.heappush(self._acts, (at, next(self._order), act))

    def marks_moved(self) -> None:
        """Look at the marks again: an act has started or stopped a clock, or returned a lead."""
        self._mark = _next_mark()

    def run(self) -> int:
        """Play everything until the end; say how many acts there were."""
        played = 0
        while self._acts:
            at, _, act = heapq.heappop(self._acts)
            self._sweep(up_to=at)
            act(at)
            played += 1
        self._sweep(up_to=self.until)
        return played

    def _sweep(self, *, up_to: datetime) -> None:
        """Run the sweeps at the minutes at which a schedule would have found something to do."""
        while self._mark is not None and self._mark <= up_to:
            now = min(_full_minute_after(self._mark), up_to)
            sweep_clocks(now=now)
            open_gap_tasks(now=now)
            if wake_recyclings(now=now):
                woken = list(Recycling.objects.filter(woken_at=now).values_list("lead_id", flat=True))
                for lead_id in woken:
                    advance_lead(lead_id, now=now)
                self._on_woken(woken, now)
            self._mark = _next_mark()


def _next_mark() -> datetime | None:
    with connection.cursor() as cursor:
        cursor.execute(NEXT_MARK)
        (mark,) = cursor.fetchone() or (None,)
    return mark


def _full_minute_after(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0) + MINUTE
