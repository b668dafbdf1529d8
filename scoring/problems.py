"""What is wrong or odd about a model as a whole, in sentences for the person who edits it. Pure."""

from __future__ import annotations

from scoring.rules import MAX_OCCURRENCES, BehaviourRule, Effect, FitRule, Model
from scoring.sentences import count_phrase, rule_sentence


def faults(model: Model) -> list[str]:
    """Why the model cannot be published."""
    if not model.fit and not model.behaviour:
        return ["There are no rules yet: add at least one."]
    found = []
    if not any(rule.is_clear_signal for rule in model.behaviour):
        found.append(
            "No rule counts a high-intent signal, so no lead could ever show a clear signal of interest."
        )
    reach = highest_fit(model)
    if model.icp_from > reach:
        found.append(
            f"ICP match asks for {count_phrase(model.icp_from, 'fit point')}, "
            f"but all fit rules together give {reach}."
        )
    best = reach + highest_engagement(model)
    if model.threshold > best and not has_instant(model):
        found.append(
            f"Nobody can reach the threshold of {model.threshold:,}: "
            f"all rules together give {count_phrase(best, 'point')}."
        )
    return found


def oddities(model: Model) -> list[str]:
    """What may be meant but probably is not."""
    found = [
        f"“{rule_sentence(rule)}” is of no use: who matches it is disqualified."
        for rule in model.fit
        if any(_same_test(rule, other) for other in model.fit if other.effect is Effect.DISQUALIFIES)
        and rule.effect is Effect.POINTS
        and rule.points > 0
    ]
    best = highest_fit(model) + highest_engagement(model)
    if model.threshold > best and has_instant(model):
        found.append(
            f"Nobody reaches the threshold of {model.threshold:,} by points ({best} at most): "
            "only instant-MQL rules make MQLs."
        )
    found += [
        f"“{rule_sentence(rule)}” alone reaches the threshold of {model.threshold:,}."
        for rule in model.behaviour
        if _most(rule) >= model.threshold and not rule.each and not rule.explicit
    ]
    found += [
        f"“{rule_sentence(rule)}” has no cap: one busy visitor can outweigh everything else."
        for rule in model.behaviour
        if rule.each and rule.cap is None and rule.points > 0 and not rule.high_intent
    ]
    found += _hidden_tiers(model)
    return found


def highest_fit(model: Model) -> int:
    """An upper bound: all rules that give points, as if they could hold together."""
    return sum(max(0, rule.points) for rule in model.fit)


def highest_engagement(model: Model) -> int:
    return sum(max(0, _most(rule)) for rule in model.behaviour)


def has_instant(model: Model) -> bool:
    return any(rule.effect is Effect.INSTANT_MQL for rule in model.behaviour)


def _most(rule: BehaviourRule) -> int:
    points = rule.points * (MAX_OCCURRENCES if rule.each else 1)
    return points if rule.cap is None else min(points, rule.cap)


def _same_test(one: FitRule, other: FitRule) -> bool:
    return (
        one.key != other.key
        and one.attribute == other.attribute
        and one.operator == other.operator
        and (one.values, one.low, one.high) == (other.values, other.low, other.high)
    )


def _hidden_tiers(model: Model) -> list[str]:
    found = []
    for position, tier in enumerate(model.categories):
        if any(
            earlier.min_engagement <= tier.min_engagement and earlier.min_readiness <= tier.min_readiness
            for earlier in model.categories[:position]
        ):
            found.append(
                f"No lead gets category {tier.category} by engagement {tier.min_engagement} and readiness "
                f"{tier.min_readiness}: an earlier line takes them all."
            )
    return found
