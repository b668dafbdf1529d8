"""What leads convert to, and shares of them that say how sure they are. Pure.

One definition for backtests, pilots and calibration, so that their figures may be held beside each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from common.chart_parts import X
from common.charts import Point, percentage
from scoring.intervals import wilson
from scoring.outcomes import Outcome


class Goal(StrEnum):
    """What it is that a lead converts to."""

    QUALIFIED = "qualified"
    WON = "won"


def reached(outcome: Outcome, goal: Goal) -> bool:
    """Whether it came so far. A deal means that it was qualified, whoever left out the step."""
    if goal is Goal.WON:
        return outcome.won_at is not None
    return any(at is not None for at in (outcome.qualified_at, outcome.opportunity_at, outcome.won_at))


def failed(outcome: Outcome, goal: Goal) -> bool:
    """Whether it ended short of the goal, in the way that the goal is held against."""
    if goal is Goal.WON:
        return outcome.lost_at is not None and outcome.won_at is None
    return outcome.rejected_at is not None and not reached(outcome, goal)


def is_about_the_lead(outcome: Outcome) -> bool:
    """Not if it was refused as another rep's, or taken back before sales had said anything."""
    taken_back = outcome.withdrawn_at is not None and not outcome.is_decided
    return not (outcome.is_passed_on or taken_back)


@dataclass(frozen=True, slots=True)
class Maturity:
    """Which hand-offs had the time to reach a goal by `as_of`: half of those that reach it take that long.

    A younger one says nothing yet, so it counts on neither side of a share. Without a cycle all are mature.
    """

    as_of: datetime
    cycles: Mapping[Goal, timedelta]

    def is_mature(self, outcome: Outcome, goal: Goal) -> bool:
        return self.as_of - outcome.handed_at >= self.cycles.get(goal, timedelta())


@dataclass(slots=True)
class Share:
    """How many of how many. Below `least` outcomes only the count is told, no share (SCORE-15)."""

    yes: int = 0
    n: int = 0
    least: int = 1

    def add(self, is_yes: bool) -> None:
        self.yes += is_yes
        self.n += 1

    def __add__(self, other: Share) -> Share:
        return Share(self.yes + other.yes, self.n + other.n, max(self.least, other.least))

    def __sub__(self, other: Share) -> Share:
        return Share(self.yes - other.yes, self.n - other.n, max(self.least, other.least))

    @property
    def is_enough(self) -> bool:
        return self.n >= max(1, self.least)

    @property
    def count(self) -> str:
        return f"{self.yes:,} of {self.n:,}"

    @property
    def value(self) -> float | None:
        return self.yes / self.n if self.is_enough else None

    @property
    def words(self) -> str:
        """The share and, with 95 % confidence, its interval."""
        if not self.n:
            return "—"
        if not self.is_enough:
            return f"{self.count}, too few to say"
        low, high = wilson(self.yes, self.n)
        return f"{percentage(self.yes / self.n)} ({percentage(low)} to {percentage(high)})"

    def point(self, x: X | str) -> Point:
        if not self.is_enough:
            return Point(x, None, note=f"{self.count}, too few to say")
        low, high = wilson(self.yes, self.n)
        return Point(x, self.yes / self.n, low=low, high=high, note=self.count)
