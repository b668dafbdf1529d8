"""From rows to the rule language."""

from __future__ import annotations

from collections.abc import Iterable

from scoring.models import CategoryTier, DecayStep, ModelVersion, Rule, Signal
from scoring.rules import (
    BehaviourRule,
    Category,
    Effect,
    FitRule,
    Model,
    Operator,
)
from scoring.rules import CategoryTier as Tier
from scoring.rules import DecayStep as Step

EFFECTS = {Rule.Kind.DISQUALIFIER: Effect.DISQUALIFIES, Rule.Kind.INSTANT_MQL: Effect.INSTANT_MQL}
# The person asked to be contacted (SCORE-8, warmth).
EXPLICIT = (Rule.Kind.INTENT, Rule.Kind.INSTANT_MQL)


def load_model(version: ModelVersion) -> Model:
    """The version as plain values. Raises RuleRefused if it cannot mean anything.

    Fetch the version `with_rules()`, or this takes three queries and one more for every signal.
    """
    version_rules = list(version.rules.all())
    return Model(
        threshold=version.threshold,
        icp_from=version.icp_from,
        signal_hours=version.signal_days * 24,
        fit=tuple(load_fit_rule(rule) for rule in version_rules if rule.signal is None),
        behaviour=tuple(
            load_behaviour_rule(rule, rule.signal) for rule in version_rules if rule.signal is not None
        ),
        decay=load_decay(version.decay_steps.all()),
        decay_floor=version.decay_floor,
        categories=load_tiers(version.category_tiers.all()),
    )


def load_fit_rule(rule: Rule) -> FitRule:
    return FitRule(
        key=rule.pk or 0,
        attribute=rule.attribute,
        operator=Operator(rule.operator),
        values=tuple(rule.values),
        low=rule.low,
        high=rule.high,
        points=rule.points,
        effect=EFFECTS.get(Rule.Kind(rule.kind), Effect.POINTS),
        name=rule.name,
    )


def load_behaviour_rule(rule: Rule, signal: Signal) -> BehaviourRule:
    return BehaviourRule(
        key=rule.pk or 0,
        signal=signal.pk,
        points=rule.points,
        effect=EFFECTS.get(Rule.Kind(rule.kind), Effect.POINTS),
        min_count=rule.min_count,
        window_hours=None if rule.window_days is None else rule.window_days * 24,
        each=rule.per_occurrence,
        cap=rule.cap,
        high_intent=signal.intent == Signal.Intent.HIGH,
        explicit=rule.kind in EXPLICIT,
        engages=signal.is_engagement,
        name=rule.name,
        signal_name=signal.name,
    )


def load_decay(steps: Iterable[DecayStep]) -> tuple[Step, ...]:
    ordered = sorted(steps, key=lambda step: step.after_days)
    return tuple(Step(step.after_days * 24, step.per_mille) for step in ordered)


def load_tiers(tiers: Iterable[CategoryTier]) -> tuple[Tier, ...]:
    return tuple(Tier(Category(tier.category), tier.min_engagement, tier.min_fit) for tier in tiers)
