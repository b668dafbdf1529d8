"""From rows to the rule language."""

from __future__ import annotations

from collections.abc import Iterable

from scoring.language.rules import (
    BehaviourRule,
    Category,
    Effect,
    FitRule,
    Formula,
    Group,
    Model,
    Operator,
    RuleDecay,
    Shape,
)
from scoring.language.rules import CategoryTier as Tier
from scoring.language.rules import DecayStep as Step
from scoring.models import CategoryTier, DecayStep, ModelVersion, Rule, RuleGroup, Signal

EFFECTS = {
    Rule.Kind.MULTIPLIER: Effect.MULTIPLIES,
    Rule.Kind.DISQUALIFIER: Effect.DISQUALIFIES,
    Rule.Kind.INSTANT_MQL: Effect.INSTANT_MQL,
}
# The person asked to be contacted (SCORE-8, warmth).
EXPLICIT = (Rule.Kind.INTENT, Rule.Kind.INSTANT_MQL)


def load_model(version: ModelVersion) -> Model:
    """The version as plain values. Raises RuleRefused if it cannot mean anything.

    Fetch the version `with_rules()`, or this takes four queries and one more for every signal.
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
        formula=Formula(version.formula),
        engagement_percent=version.engagement_percent,
        groups=load_groups(version.groups.all()),
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
        factor=rule.factor_per_mille,
        group=rule.group_id,
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
        max_count=rule.max_count,
        decay=load_rule_decay(rule),
        factor=rule.factor_per_mille,
        group=rule.group_id,
    )


def load_rule_decay(rule: Rule) -> RuleDecay | None:
    if not rule.decay:
        return None
    return RuleDecay(
        Shape(rule.decay),
        days=rule.decay_days or 0,
        percent=rule.decay_percent or 0,
        floor_percent=rule.decay_floor_percent,
    )


def load_groups(groups: Iterable[RuleGroup]) -> tuple[Group, ...]:
    return tuple(Group(group.pk, group.cap, group.name) for group in groups)


def load_decay(steps: Iterable[DecayStep]) -> tuple[Step, ...]:
    ordered = sorted(steps, key=lambda step: step.after_days)
    return tuple(Step(step.after_days * 24, step.per_mille) for step in ordered)


def load_tiers(tiers: Iterable[CategoryTier]) -> tuple[Tier, ...]:
    return tuple(Tier(Category(tier.category), tier.min_engagement, tier.min_readiness) for tier in tiers)
