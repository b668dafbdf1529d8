"""A preset in the rule language: what it says and changes can be told before any row is written. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from scoring.language.rules import (
    BehaviourRule,
    Category,
    CategoryTier,
    DecayStep,
    Effect,
    FitRule,
    Group,
    Model,
    Operator,
    RuleDecay,
)
from scoring.presets.shapes import FadingPreset, RulePreset, ScoringPreset, SignalPreset

_EFFECTS = {
    "multiplier": Effect.MULTIPLIES,
    "disqualifier": Effect.DISQUALIFIES,
    "instant_mql": Effect.INSTANT_MQL,
}
_EXPLICIT = ("intent", "instant_mql")


def model_of_preset(preset: ScoringPreset, signal_ids: Mapping[str, int] | None = None) -> Model:
    """The preset as a model. `signal_ids` are the signals that exist, by key; others get numbers of their
    own, below zero. The keys of rules and groups are their places in the preset."""
    ids = {signal.key: -place for place, signal in enumerate(preset.signals, start=1)}
    ids |= signal_ids or {}
    signals = {signal.key: signal for signal in preset.signals}
    groups = {group.name: place for place, group in enumerate(preset.groups, start=1)}
    fit, behaviour = [], []
    for place, rule in enumerate(preset.rules, start=1):
        group = groups[rule.group] if rule.group else None
        if rule.signal:
            behaviour.append(_behaviour_rule(place, rule, signals[rule.signal], ids[rule.signal], group))
        else:
            fit.append(_fit_rule(place, rule, group))
    return Model(
        threshold=preset.threshold,
        icp_from=preset.icp_from,
        signal_hours=preset.signal_days * 24,
        fit=tuple(fit),
        behaviour=tuple(behaviour),
        decay=tuple(DecayStep(days * 24, kept) for days, kept in preset.decay),
        decay_floor=preset.decay_floor,
        categories=tuple(
            CategoryTier(Category(category), engagement, readiness)
            for category, engagement, readiness in preset.tiers
        ),
        formula=preset.formula,
        engagement_percent=preset.engagement_percent,
        groups=tuple(Group(groups[group.name], group.cap, group.name) for group in preset.groups),
    )


def _fit_rule(key: int, rule: RulePreset, group: int | None) -> FitRule:
    return FitRule(
        key=key,
        attribute=rule.attribute,
        operator=rule.operator or Operator.IS_KNOWN,
        values=rule.values,
        low=rule.low,
        high=rule.high,
        points=rule.points,
        effect=_EFFECTS.get(rule.kind, Effect.POINTS),
        name=rule.name,
        factor=rule.factor,
        group=group,
    )


def _behaviour_rule(
    key: int, rule: RulePreset, signal: SignalPreset, signal_id: int, group: int | None
) -> BehaviourRule:
    return BehaviourRule(
        key=key,
        signal=signal_id,
        points=rule.points,
        effect=_EFFECTS.get(rule.kind, Effect.POINTS),
        min_count=rule.min_count,
        window_hours=None if rule.window_days is None else rule.window_days * 24,
        each=rule.per_occurrence,
        cap=rule.cap,
        high_intent=signal.is_high_intent,
        explicit=rule.kind in _EXPLICIT,
        engages=signal.is_engagement,
        name=rule.name,
        signal_name=signal.name,
        max_count=rule.max_count,
        decay=_decay(rule.fading),
        factor=rule.factor,
        group=group,
    )


def _decay(fading: FadingPreset | None) -> RuleDecay | None:
    return RuleDecay(fading.shape, fading.days, fading.percent, fading.floor_percent) if fading else None
