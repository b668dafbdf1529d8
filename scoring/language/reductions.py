"""Why a rule counts for less in a score than it gives: fading, groups, decay and weights, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from scoring.language.arithmetic import capped_points, toward_zero
from scoring.language.results import Line, Result
from scoring.language.rules import PER_MILLE, BehaviourRule, Effect, FitRule, Formula, Group, Model
from scoring.language.sentences import count_phrase


@dataclass(frozen=True, slots=True)
class _Held:
    """A rule that holds: what its fading left of its points, and then its group."""

    rule: FitRule | BehaviourRule
    line: Line
    faded: int
    left: int


def reductions(model: Model, result: Result, *, as_of: datetime) -> dict[int, str]:
    """By the key of each rule whose points in the score are not those that it gives: why, in words."""
    groups = {group.key: group for group in model.groups}
    held = _held(model, result, as_of=as_of)
    gained = [one.left for one in held if isinstance(one.rule, BehaviourRule)]
    earned = sum(points for points in gained if points > 0)
    decayed = result.engagement - (sum(gained) - earned)
    reasons = {}
    for one in held:
        if one.line.points == one.line.base_points or one.rule.effect is not Effect.POINTS:
            continue
        steps = [*_own_steps(one, groups, as_of=as_of)]
        if isinstance(one.rule, BehaviourRule) and one.left > 0 and decayed != earned:
            steps.append(f"decay leaves {decayed:,} of {count_phrase(earned, 'behaviour point')}")
        if model.formula is Formula.HYBRID:
            steps.append(_weight_step(model, one.rule))
        reason = "; ".join(steps)
        reasons[one.rule.key] = reason[:1].upper() + reason[1:]
    return reasons


def faded_points(rule: BehaviourRule, line: Line, *, as_of: datetime) -> int:
    """What the rule's own fading left by then of the points that it gave."""
    if rule.decay is None or line.last_at is None:
        return line.base_points
    kept = rule.decay.kept_after(_age_in_days(line.last_at, as_of))
    return toward_zero(line.base_points * kept, PER_MILLE)


def _held(model: Model, result: Result, *, as_of: datetime) -> list[_Held]:
    lines = {line.rule_id: line for line in result.lines if line.holds}
    given = [
        (
            rule,
            faded_points(rule, lines[rule.key], as_of=as_of)
            if isinstance(rule, BehaviourRule)
            else lines[rule.key].base_points,
        )
        for rule in model.rules
        if rule.key in lines
    ]
    left = capped_points(model, given)
    return [
        _Held(rule, lines[rule.key], faded, points) for (rule, faded), points in zip(given, left, strict=True)
    ]


def _own_steps(one: _Held, groups: dict[int, Group], *, as_of: datetime) -> Iterator[str]:
    rule, line = one.rule, one.line
    if isinstance(rule, BehaviourRule) and rule.decay and line.last_at and one.faded != line.base_points:
        age = _age_in_days(line.last_at, as_of)
        yield f"faded to {rule.decay.kept_after(age) / 10:g} % after {count_phrase(age, 'day')}"
    if rule.group is not None and one.left != one.faded:
        yield f"the group “{groups[rule.group].name}” stops at {groups[rule.group].cap:,}"


def _weight_step(model: Model, rule: FitRule | BehaviourRule) -> str:
    readiness = f"{100 - model.engagement_percent} % as readiness"
    if isinstance(rule, FitRule):
        return f"counts {readiness}"
    return f"counts {model.engagement_percent} % as engagement and {readiness}"


def _age_in_days(since: datetime, as_of: datetime) -> int:
    return (as_of - since) // timedelta(days=1)
