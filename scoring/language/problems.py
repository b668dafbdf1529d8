"""What is wrong or odd about a model as a whole, in sentences for the person who edits it. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from scoring.language.reach import Reach, can_hold, is_always_disqualified, reach_of
from scoring.language.rules import (
    MAX_HOURS,
    PER_MILLE,
    BehaviourRule,
    Effect,
    FitRule,
    Formula,
    Model,
    most_points,
)
from scoring.language.sentences import count_phrase, days_phrase, rule_sentence


def faults(model: Model) -> list[str]:
    """Why the model cannot be published."""
    if not model.rules:
        return ["There are no rules yet: add at least one."]
    reach = reach_of(model)
    if reach is None:
        return ["Every lead has a red flag, so nobody could ever become an MQL: change a disqualifier."]
    found = []
    if not any(rule.is_clear_signal for rule in model.behaviour):
        found.append(
            "No rule counts a high-intent signal, so no lead could ever show a clear signal of interest."
        )
    if model.icp_from > reach.fit:
        found.append(
            f"ICP match asks for {count_phrase(model.icp_from, 'fit point')}, "
            f"but nobody can have more than {reach.fit:,}."
        )
    if _is_out_of_reach(model, reach) and not has_instant(model):
        found.append(
            f"Nobody can reach the threshold of {model.threshold:,}: "
            f"the most that anybody can score is {_most(model, reach)}."
        )
    return found


def oddities(model: Model) -> list[str]:
    """What may be meant but probably is not."""
    reach = reach_of(model)
    if reach is None:
        return []
    found = [*_useless_rules(model), *_odd_formula(model)]
    if _is_out_of_reach(model, reach) and has_instant(model):
        found.append(
            f"Nobody reaches the threshold of {model.threshold:,} by points "
            f"({_most(model, reach)} at most): only instant-MQL rules make MQLs."
        )
    if model.formula is Formula.ADDITIVE:
        found += [
            f"“{rule_sentence(rule)}” alone reaches the threshold of {model.threshold:,}."
            for rule in model.behaviour
            if most_points(rule) >= model.threshold and not rule.each and not rule.explicit
        ]
    for rule in model.behaviour:
        found += _odd_counts(model, rule)
    return [*found, *_odd_groups(model), *_odd_tiers(model, reach)]


def has_instant(model: Model) -> bool:
    return any(rule.effect is Effect.INSTANT_MQL for rule in model.behaviour)


def _is_out_of_reach(model: Model, reach: Reach) -> bool:
    return model.formula is not Formula.CHECKLIST and model.threshold > reach.total


def _most(model: Model, reach: Reach) -> str:
    most = count_phrase(reach.total, "point")
    if model.formula is not Formula.HYBRID:
        return most
    return (
        f"{most} ({model.engagement_percent} % of engagement, {reach.engagement:,} at most, "
        f"and {100 - model.engagement_percent} % of readiness, {reach.readiness:,} at most)"
    )


# Rules


def _useless_rules(model: Model) -> Iterator[str]:
    for rule in model.rules:
        if isinstance(rule, FitRule) and not can_hold(rule):
            yield f"“{rule_sentence(rule)}” never holds: there is no such value."
        elif rule.effect is Effect.MULTIPLIES and rule.factor == PER_MILLE:
            yield f"“{rule_sentence(rule)}” changes nothing: choose another factor, or take it out."
        elif _is_good_news(rule) and is_always_disqualified(model, rule):
            yield f"“{rule_sentence(rule)}” is of no use: who matches it is disqualified."


def _is_good_news(rule: FitRule | BehaviourRule) -> bool:
    return rule.points > 0 or rule.factor > PER_MILLE or rule.effect is Effect.INSTANT_MQL


def _odd_counts(model: Model, rule: BehaviourRule) -> Iterator[str]:
    sentence = f"“{rule_sentence(rule)}”"
    size = abs(rule.points)
    if rule.cap is not None and rule.effect is Effect.POINTS:
        if rule.cap < size:
            yield f"{sentence} never counts in full: its cap is lower than its points."
        elif rule.each and rule.cap == size:
            yield f"{sentence} gives nothing the second time: its cap leaves no room for it."
    if rule.each and rule.max_count == 1:
        yield f"{sentence} is given each time, but holds only for the first."
    is_busy = rule.each and rule.cap is None and rule.group is None and rule.max_count is None
    if is_busy and rule.points > 0 and not rule.high_intent:
        yield f"{sentence} has no cap: one busy visitor can outweigh everything else."
    if rule.decay is not None and rule.decay.days * 24 >= (rule.window_hours or MAX_HOURS + 24):
        window = days_phrase(rule.window_hours or 0)
        yield (
            f"{sentence}: its window ends after {window} and takes all that is left by then. "
            "Make the window longer, or the fading shorter."
        )
    if rule.effect is Effect.INSTANT_MQL and model.formula is Formula.CHECKLIST:
        yield f"{sentence} changes nothing: the checklist alone decides."


# The model as a whole


def _odd_formula(model: Model) -> Iterator[str]:
    if model.formula is Formula.HYBRID:
        if not model.multipliers:
            yield (
                "The weighted formula has no multiplier, so readiness is only all points once more: "
                "add a multiplier, or choose the formula that adds points up."
            )
        elif model.engagement_percent == 100:
            yield "Engagement has all the weight, so no multiplier changes a score: give readiness a share."
    if model.decay_floor and not model.decay:
        floor = count_phrase(model.decay_floor, "point")
        yield f"Decay leaves at least {floor}, but there are no decay steps: add one, or set this to 0."


def _odd_groups(model: Model) -> Iterator[str]:
    for group in model.groups:
        members = [rule for rule in model.rules if rule.group == group.key]
        if not members:
            yield f"The group “{group.name}” has no rules: put some into it, or take it out."
            continue
        sizes = [abs(rule.points) for rule in members]
        most = sum(abs(most_points(rule)) for rule in members)
        if group.cap < min(sizes):
            yield (
                f"The group “{group.name}” stops at {group.cap:,}, less than any of its rules gives: "
                "whichever holds, it counts the same."
            )
        elif group.cap >= most:
            yield (
                f"The group “{group.name}” holds nothing back: its rules give {most:,} together, "
                f"and its cap is {group.cap:,}."
            )


def _odd_tiers(model: Model, reach: Reach) -> Iterator[str]:
    for position, tier in enumerate(model.categories):
        line = f"category {tier.category} by engagement {tier.min_engagement:,}"
        line = f"{line} and readiness {tier.min_readiness:,}"
        if any(
            earlier.min_engagement <= tier.min_engagement and earlier.min_readiness <= tier.min_readiness
            for earlier in model.categories[:position]
        ):
            yield f"No lead gets {line}: an earlier line takes them all."
        elif tier.min_engagement > reach.engagement:
            yield f"No lead gets {line}: nobody has more engagement than {reach.engagement:,}."
        elif tier.min_readiness > reach.readiness:
            yield f"No lead gets {line}: nobody has more readiness than {reach.readiness:,}."
