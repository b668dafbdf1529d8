"""What a model can give at most, and to whom: exact wherever rules on one thing exclude each other. Pure.

Rules on different attributes and signals can hold together in any way. Those on one attribute cannot: a
company has one size. So each attribute and each signal is tried with the values and counts that matter to its
rules, and what no value brings together is not added up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement, product
from math import comb, prod

from scoring.language.arithmetic import Sum, capped_points, holds_at, points_at, sum_up
from scoring.language.attributes import ATTRIBUTES, Kind
from scoring.language.rules import (
    MAX_HOURS,
    MAX_NUMBER,
    MAX_OCCURRENCES,
    PER_MILLE,
    BehaviourRule,
    Effect,
    FitRule,
    Model,
    Operator,
    normal_words,
)

# How much is tried before things are taken together as if all could hold at once: the bound is then still
# never too low, only no longer exact.
MOST_COMBINATIONS = 1_000
MOST_COUNTS = 5_000

# A text that nobody looks for.
ANYTHING_ELSE = "\ue000"

# The keys of the rules that hold together for one value or history, each with its points.
Case = dict[int, int]


@dataclass(frozen=True, slots=True)
class Reach:
    """The most that leads without a red flag can have; each number may be of another lead."""

    total: int
    fit: int
    engagement: int
    readiness: int


def reach_of(model: Model) -> Reach | None:
    """None if every lead has a red flag."""
    rules = {rule.key: rule for rule in model.rules}
    subjects = [_fit_cases(mates) for mates in _rules_by_attribute(model).values()]
    subjects += [_signal_cases(mates) for mates in _rules_by_signal(model).values()]
    allowed = [
        [case for case in cases if not any(rules[key].effect is Effect.DISQUALIFIES for key in case)]
        for cases in subjects
    ]
    if not all(allowed):
        return None
    best = [_without_the_worse(cases, rules) for cases in allowed]
    sums = [_sum_of(model, together) for together in product(*_few_enough(best, rules))]
    return Reach(
        total=max(one.total for one in sums),
        fit=max(one.fit for one in sums),
        engagement=max(one.engagement for one in sums),
        readiness=max(one.readiness for one in sums),
    )


def can_hold(rule: FitRule) -> bool:
    """False if no value of the attribute passes the test."""
    return any(passes(rule, value) for value in _telling_values([rule]))


def is_always_disqualified(model: Model, rule: FitRule | BehaviourRule) -> bool:
    """True if whoever matches the rule has a red flag by the very same attribute or signal."""
    if isinstance(rule, FitRule):
        mates = _rules_by_attribute(model)[rule.attribute]
        against = [one for one in mates if one.effect is Effect.DISQUALIFIES and one.key != rule.key]
        values = [value for value in _telling_values([rule, *against]) if passes(rule, value)]
        return bool(against) and all(any(passes(one, value) for one in against) for value in values)
    return any(
        one.effect is Effect.DISQUALIFIES and one.key != rule.key and _implies(rule, one)
        for one in _rules_by_signal(model)[rule.signal]
    )


def _rules_by_attribute(model: Model) -> dict[str, list[FitRule]]:
    mates: dict[str, list[FitRule]] = {}
    for rule in model.fit:
        mates.setdefault(rule.attribute, []).append(rule)
    return mates


def _rules_by_signal(model: Model) -> dict[int, list[BehaviourRule]]:
    mates: dict[int, list[BehaviourRule]] = {}
    for rule in model.behaviour:
        mates.setdefault(rule.signal, []).append(rule)
    return mates


# Attributes


def passes(rule: FitRule, value: str | int | None) -> bool:
    """True if the rule holds for this value of its attribute; None is an unknown number."""
    if ATTRIBUTES[rule.attribute].kind is Kind.NUMBER:
        return _passes_number(rule, value if isinstance(value, int) else None)
    return _passes_text(rule, str(value or "").strip().lower())


def _passes_number(rule: FitRule, number: int | None) -> bool:
    if rule.operator is Operator.IS_BLANK or number is None:
        return rule.operator is Operator.IS_BLANK and number is None
    inside = (rule.low is None or number >= rule.low) and (rule.high is None or number <= rule.high)
    return {Operator.BETWEEN: inside, Operator.NOT_BETWEEN: not inside}.get(rule.operator, True)


def _passes_text(rule: FitRule, text: str) -> bool:
    if rule.operator is Operator.IS_BLANK or not text:
        return rule.operator is Operator.IS_BLANK and not text
    wanted = [value.strip().lower() for value in rule.values]
    if rule.operator is Operator.HAS_WORD:
        return any(f" {normal_words(value)} " in f" {normal_words(text)} " for value in wanted)
    return {
        Operator.ONE_OF: text in wanted,
        Operator.NOT_ONE_OF: text not in wanted,
        Operator.CONTAINS: any(value in text for value in wanted),
    }.get(rule.operator, True)


def _telling_values(rules: Sequence[FitRule]) -> list[str | int | None]:
    """Values among which every difference between the rules shows; those of one attribute."""
    if ATTRIBUTES[rules[0].attribute].kind is Kind.NUMBER:
        bounds = [bound for rule in rules for bound in (rule.low, rule.high) if bound is not None]
        near = {0, *(bound + step for bound in bounds for step in (-1, 0, 1))}
        return [None, *sorted(number for number in near if 0 <= number <= MAX_NUMBER)]
    return ["", ANYTHING_ELSE, *dict.fromkeys(value for rule in rules for value in rule.values)]


def _fit_cases(rules: list[FitRule]) -> list[Case]:
    values = _telling_values(rules)
    cases = [{rule.key: rule.points for rule in rules if passes(rule, value)} for value in values]
    if ATTRIBUTES[rules[0].attribute].kind is Kind.TEXT:
        # A text of many words: whatever helps is among them, and nothing that hurts.
        cases.append(
            {
                rule.key: rule.points
                for rule in rules
                if (_looks_inside(rule) and _helps(rule))
                or (not _looks_inside(rule) and passes(rule, ANYTHING_ELSE))
            }
        )
    return cases


def _looks_inside(rule: FitRule) -> bool:
    return rule.operator in (Operator.CONTAINS, Operator.HAS_WORD)


def _helps(rule: FitRule | BehaviourRule) -> bool:
    return rule.points > 0 or rule.factor > PER_MILLE


# Signals


def _implies(rule: BehaviourRule, other: BehaviourRule) -> bool:
    """True if `other` holds whenever `rule` does, both counting the same signal."""
    if other.max_count is None:
        ever = MAX_HOURS + 1
        longer = (other.window_hours or ever) >= (rule.window_hours or ever)
        return longer and other.min_count <= rule.min_count
    ends = (rule.min_count, rule.max_count or MAX_OCCURRENCES)
    return other.window_hours == rule.window_hours and all(holds_at(other, count) for count in ends)


def _signal_cases(rules: list[BehaviourRule]) -> list[Case]:
    """One case for each way to have seen the signal so and so often in each window."""
    windows = sorted({rule.window_hours or MAX_HOURS + 1 for rule in rules})
    counts = sorted({0, *(count for rule in rules for count in _telling_counts(rule))})
    if comb(len(counts) + len(windows) - 1, len(windows)) > MOST_COUNTS:
        return [{rule.key: _most_points(rule) for rule in rules if _helps(rule)}]
    cases = []
    for seen in combinations_with_replacement(counts, len(windows)):
        by_window = dict(zip(windows, seen, strict=True))
        seen_by = {rule.key: by_window[rule.window_hours or MAX_HOURS + 1] for rule in rules}
        cases.append(
            {
                rule.key: points_at(rule, seen_by[rule.key])
                for rule in rules
                if holds_at(rule, seen_by[rule.key])
            }
        )
    return cases


def _telling_counts(rule: BehaviourRule) -> list[int]:
    """Just enough, just too few, just too many, and as many as still add points."""
    most = rule.max_count or MAX_OCCURRENCES
    counts = [rule.min_count - 1, rule.min_count, most, most + 1]
    if rule.each and rule.cap is not None and rule.points:
        counts.append(min(most, max(rule.min_count, -(-rule.cap // abs(rule.points)))))
    return counts


def _most_points(rule: BehaviourRule) -> int:
    return points_at(rule, rule.max_count or MAX_OCCURRENCES)


# Together


def _worth(case: Case, rules: dict[int, FitRule | BehaviourRule], keys: Iterable[int]) -> tuple[int, ...]:
    """Points and factor rule by rule: a case worth no less everywhere never makes a lower sum."""
    worth = []
    for key in keys:
        worth += [case.get(key, 0), rules[key].factor if key in case else PER_MILLE]
    return tuple(worth)


def _without_the_worse(cases: list[Case], rules: dict[int, FitRule | BehaviourRule]) -> list[Case]:
    keys = sorted({key for case in cases for key in case})
    by_worth = {_worth(case, rules, keys): case for case in cases}
    return [
        case
        for worth, case in by_worth.items()
        if not any(
            other != worth and all(theirs >= ours for theirs, ours in zip(other, worth, strict=True))
            for other in by_worth
        )
    ]


def _few_enough(subjects: list[list[Case]], rules: dict[int, FitRule | BehaviourRule]) -> list[list[Case]]:
    """The same subjects, the widest of them taken together until few combinations are left."""
    subjects = sorted(subjects, key=len)
    while subjects and prod(map(len, subjects)) > MOST_COMBINATIONS:
        together: Case = {}
        for case in subjects.pop():
            for key, points in case.items():
                if rules[key].factor >= PER_MILLE and points >= 0:
                    together[key] = max(points, together.get(key, 0))
        subjects.insert(0, [together])
    return subjects


def _sum_of(model: Model, together: tuple[Case, ...]) -> Sum:
    holding = {key: points for case in together for key, points in case.items()}
    given = [(rule, holding[rule.key]) for rule in model.rules if rule.key in holding]
    left = capped_points(model, given)
    fit = sum(points for (rule, _), points in zip(given, left, strict=True) if isinstance(rule, FitRule))
    factors = [rule.factor for rule, _ in given if rule.effect is Effect.MULTIPLIES]
    return sum_up(model, fit=fit, engagement=sum(left) - fit, factors=factors)
