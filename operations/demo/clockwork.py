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
from handoffs.acknowledgement.sending import record_past_answers
from handoffs.escalation import escalate_due_clocks
from handoffs.models import Handoff
from handoffs.pipeline import advance_lead
from sla.models import Escalation, EscalationStep
from sla.sweep import sweep_clocks

Act = Callable[[datetime], None]
MINUTE = timedelta(minutes=1)

# The next thing that each sweep would find, from its partial index. LEAST passes over nulls.
NEXT_MARKS = """
SELECT
    LEAST(
        (SELECT min(due_at) FROM sla_clock
         WHERE outcome = 'running' AND breach_recorded_at IS NULL AND paused_at IS NULL),
        (SELECT min(warn_at) FROM sla_clock WHERE outcome = 'running' AND paused_at IS NULL),
        (SELECT min(resume_at) FROM sla_clock WHERE outcome = 'running')
    ) AS clocks,
    (SELECT min(next_step_at) FROM sla_clock WHERE outcome = 'running' AND paused_at IS NULL) AS ladders,
    (SELECT min(incomplete_at) FROM handoffs_handoff WHERE incomplete_at IS NOT NULL) AS gaps,
    (SELECT min(wake_at) FROM feedback_recycling WHERE woken_at IS NULL) AS recyclings,
    (SELECT min(next_try_at) FROM handoffs_acknowledgement WHERE next_try_at IS NOT NULL) AS answers
"""


class Clockwork:
    """Plays acts from a heap. `on_woken` hears of leads that a sweep has let qualify again, `on_lapsed` of
    handoffs that a sweep has given to somebody else."""

    def __init__(
        self,
        *,
        until: datetime,
        on_woken: Callable[[Iterable[int], datetime], None],
        on_lapsed: Callable[[Iterable[Handoff], datetime], None],
    ) -> None:
        self.until = until
        self._on_woken = on_woken
        self._on_lapsed = on_lapsed
        self._acts: list[tuple[datetime, int, Act]] = []
        self._order = count()
        self._marks: dict[str, datetime] = {}
        self._now = datetime.min.replace(tzinfo=until.tzinfo)

    def schedule(self, at: datetime, act: Act) -> None:
        """Have it done at that moment. What would come after the end is left for the living to do."""
        if at < self.until:
            heapq.heappush(self._acts, (at, next(self._order), act))

    def marks_moved(self) -> None:
        """Look at the marks again: an act has started or stopped a clock, or returned a lead."""
        self._marks = _next_marks()

    def run(self) -> int:
        """Play everything until the end; say how many acts there were."""
        played = 0
        while True:
            # A sweep may have people act before what was to come next, so it is asked again after each.
            if self._sweep(before=self._acts[0][0] if self._acts else self.until):
                continue
            if not self._acts:
                return played
            self._now, _, act = heapq.heappop(self._acts)
            act(self._now)
            played += 1

    def _sweep(self, *, before: datetime) -> bool:
        """Run the sweeps at the next minute at which a schedule would have found something for them to do;
        False if that is not before this moment."""
        sweeps: dict[str, Act] = {
            "clocks": _sweep_clocks,
            "ladders": self._climb_ladders,
            "gaps": _open_gap_tasks,
            "recyclings": self._wake_recyclings,
            "answers": _record_answers,
        }
        # What is due at that very moment is not over yet: nothing would find it.
        if not self._marks or (mark := min(self._marks.values())) >= before:
            return False
        # A mark may lie behind: what a sweep has left for later, or an act has set going again.
        now = self._now = max(self._now, min(_full_minute_after(mark), before))
        for name in [name for name in sweeps if self._marks.get(name, self.until) <= now]:
            sweeps[name](now)
        self._marks = _next_marks()
        return True

    def _wake_recyclings(self, now: datetime) -> None:
        if wake_recyclings(now=now):
            woken = list(Recycling.objects.filter(woken_at=now).values_list("lead_id", flat=True))
            for lead_id in woken:
                advance_lead(lead_id, now=now)
            self._on_woken(woken, now)

    def _climb_ladders(self, now: datetime) -> None:
        if escalate_due_clocks(now=now):
            passed_on = Escalation.objects.filter(
                at=now, action=EscalationStep.Action.REASSIGN, result=Escalation.Result.TAKEN
            )
            self._on_lapsed(Handoff.objects.filter(pk__in=passed_on.values("clock__handoff_id")), now)


def _sweep_clocks(now: datetime) -> None:
    sweep_clocks(now=now)


def _open_gap_tasks(now: datetime) -> None:
    open_gap_tasks(now=now)


def _record_answers(now: datetime) -> None:
    record_past_answers(now=now)


def _next_marks() -> dict[str, datetime]:
    """Of each sweep that has something to do, when it is next due."""
    with connection.cursor() as cursor:
        cursor.execute(NEXT_MARKS)
        (row,) = cursor.fetchall()
        names = [column.name for column in cursor.description or ()]
    return {name: mark for name, mark in zip(names, row, strict=True) if mark is not None}


def _full_minute_after(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0) + MINUTE
