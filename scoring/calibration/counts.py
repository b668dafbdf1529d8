"""What calibration counts: outcomes by score, by rule and by reason. Pure.

Sums only: chunks of hand-offs add up in any order, and the page can draw its bands and guards from them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from scoring.conversion import Goal, Share, failed, is_about_the_lead, reached
from scoring.language.results import Result
from scoring.outcomes import Outcome

# Leads whose remaining points lie in one stretch of so many count as alike when a rule is judged.
STRATUM = 10


def total_of(shares: Iterable[Share]) -> Share:
    return sum(shares, Share())


@dataclass(slots=True)
class RuleCounts:
    """The leads on which one rule fired, by the stratum of what they scored without it, and by that of their
    whole score; with the points it gave them in all."""

    by_rest: dict[int, Share] = field(default_factory=dict)
    by_total: dict[int, Share] = field(default_factory=dict)
    points: int = 0

    @property
    def fired(self) -> Share:
        return total_of(self.by_total.values())


@dataclass(slots=True)
class GoalCounts:
    """Mature hand-offs by their score, and how the rules divide them. `immature` ones are only counted.

    `ended` has those of them that reached the goal (yes) or failed, by score: their order is judged.
    """

    by_score: dict[int, Share] = field(default_factory=dict)
    rules: dict[int, RuleCounts] = field(default_factory=dict)
    ended: dict[int, Share] = field(default_factory=dict)
    immature: int = 0

    def count(self, result: Result, *, is_reached: bool) -> None:
        self.by_score.setdefault(result.total, Share()).add(is_reached)
        for line in result.lines:
            if line.holds:
                rule = self.rules.setdefault(line.rule_id, RuleCounts())
                rest = (result.total - line.points) // STRATUM
                rule.by_rest.setdefault(rest, Share()).add(is_reached)
                rule.by_total.setdefault(result.total // STRATUM, Share()).add(is_reached)
                rule.points += line.points


@dataclass(slots=True)
class Counts:
    """All that one calibration knows. Shares of `decided` are those accepted."""

    handed: int = 0
    left_out: int = 0
    goals: dict[Goal, GoalCounts] = field(default_factory=lambda: {goal: GoalCounts() for goal in Goal})
    decided: Share = field(default_factory=Share)
    decided_by_rule: dict[int, Share] = field(default_factory=dict)
    # How many rejections had the reason, and on how many of them each rule had fired.
    reasons: dict[str, int] = field(default_factory=dict)
    reasons_by_rule: dict[int, dict[str, int]] = field(default_factory=dict)

    def count(
        self, outcome: Outcome, result: Result, *, age: timedelta, cycles: Mapping[Goal, timedelta]
    ) -> None:
        """Take in one hand-off of that age; younger than a goal's cycle it is immature for that goal."""
        self.handed += 1
        if not is_about_the_lead(outcome):
            self.left_out += 1
            return
        fired = [line.rule_id for line in result.lines if line.holds]
        for goal, counts in self.goals.items():
            is_reached = reached(outcome, goal)
            if age >= cycles.get(goal, timedelta()):
                counts.count(result, is_reached=is_reached)
                if is_reached or failed(outcome, goal):
                    counts.ended.setdefault(result.total, Share()).add(is_reached)
            else:
                counts.immature += 1
        if outcome.is_decided:
            self._count_decision(outcome, fired)

    def _count_decision(self, outcome: Outcome, fired: list[int]) -> None:
        self.decided.add(outcome.is_accepted)
        if outcome.reason:
            self.reasons[outcome.reason] = self.reasons.get(outcome.reason, 0) + 1
        for rule_id in fired:
            self.decided_by_rule.setdefault(rule_id, Share()).add(outcome.is_accepted)
            if outcome.reason:
                by_reason = self.reasons_by_rule.setdefault(rule_id, {})
                by_reason[outcome.reason] = by_reason.get(outcome.reason, 0) + 1


# --- As JSON, whose keys are texts ---------------------------------------------------------------


def to_json(counts: Counts) -> dict[str, Any]:
    return {
        "handed": counts.handed,
        "left_out": counts.left_out,
        "goals": {goal.value: _goal_to_json(each) for goal, each in counts.goals.items()},
        "decided": _pair(counts.decided),
        "decided_by_rule": _pairs(counts.decided_by_rule),
        "reasons": counts.reasons,
        "reasons_by_rule": {str(rule): by_reason for rule, by_reason in counts.reasons_by_rule.items()},
    }


def from_json(data: Mapping[str, Any]) -> Counts:
    """The counts again; none from an empty mapping."""
    if not data:
        return Counts()
    return Counts(
        handed=data["handed"],
        left_out=data["left_out"],
        goals={goal: _goal_from_json(data["goals"][goal.value]) for goal in Goal},
        decided=Share(*data["decided"]),
        decided_by_rule=_shares(data["decided_by_rule"]),
        reasons=dict(data["reasons"]),
        reasons_by_rule={int(rule): dict(found) for rule, found in data["reasons_by_rule"].items()},
    )


def _goal_to_json(counts: GoalCounts) -> dict[str, Any]:
    rules = {
        str(rule): [_pairs(each.by_rest), _pairs(each.by_total), each.points]
        for rule, each in counts.rules.items()
    }
    return {
        "by_score": _pairs(counts.by_score),
        "rules": rules,
        "ended": _pairs(counts.ended),
        "immature": counts.immature,
    }


def _goal_from_json(data: Mapping[str, Any]) -> GoalCounts:
    rules = {
        int(rule): RuleCounts(_shares(by_rest), _shares(by_total), points)
        for rule, (by_rest, by_total, points) in data["rules"].items()
    }
    return GoalCounts(_shares(data["by_score"]), rules, _shares(data["ended"]), data["immature"])


def _pair(share: Share) -> list[int]:
    return [share.yes, share.n]


def _pairs(shares: Mapping[int, Share]) -> dict[str, list[int]]:
    return {str(key): _pair(share) for key, share in shares.items()}


def _shares(data: Mapping[str, list[int]]) -> dict[int, Share]:
    return {int(key): Share(*pair) for key, pair in data.items()}
