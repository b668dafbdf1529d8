"""The sums of the rule language over single values, for explanations and bounds. Pure.

The engine sums in SQL; what people are told about a sum ("+12: for example one case study download") asks
what it would be if something were different, which no row holds. The steps are those of
`scoring.language.rules`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from scoring.language.rules import (
    MAX_OCCURRENCES,
    PER_MILLE,
    BehaviourRule,
    FitRule,
    Formula,
    Model,
)


@dataclass(frozen=True, slots=True)
class Sum:
    """Step 5, before it is lifted to zero, and what it is made of."""

    fit: int
    engagement: int
    readiness: int
    value: int

    @property
    def total(self) -> int:
        return max(0, self.value)


def holds_at(rule: BehaviourRule, count: int) -> bool:
    return rule.min_count <= count and (rule.max_count is None or count <= rule.max_count)


def points_at(rule: BehaviourRule, count: int) -> int:
    """What the rule itself gives for so many occurrences in its window, fresh."""
    if not holds_at(rule, count):
        return 0
    size = abs(rule.points) * (min(count, MAX_OCCURRENCES) if rule.each else 1)
    size = size if rule.cap is None else min(size, rule.cap)
    return size if rule.points > 0 else -size


def capped_points(model: Model, given: Iterable[tuple[FitRule | BehaviourRule, int]]) -> list[int]:
    """What is left of the points of each rule, given in order, when groups stop at their caps (step 2)."""
    room = {group.key: group.cap for group in model.groups}
    left = []
    for rule, points in given:
        if rule.group is not None:
            points = max(-room[rule.group], min(room[rule.group], points))
            room[rule.group] -= abs(points)
        left.append(points)
    return left


def sum_up(model: Model, *, fit: int, engagement: int, factors: Iterable[int]) -> Sum:
    """Steps 4 and 5: `factors` are those of the multipliers that hold, in order."""
    if model.formula is not Formula.HYBRID:
        return Sum(fit, engagement, fit, fit + engagement)
    readiness = max(0, fit + engagement)
    for factor in factors:
        readiness = readiness * factor // PER_MILLE
    weighted = engagement * model.engagement_percent + readiness * (100 - model.engagement_percent)
    return Sum(fit, engagement, readiness, toward_zero(weighted, 100))


def toward_zero(number: int, divisor: int) -> int:
    return number // divisor if number >= 0 else -(-number // divisor)
