"""Loading the scoring of a preset: rows, and a plan of them in sentences."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import User
from scoring.language.rules import Model, Shape
from scoring.language.sentences import Change, differences
from scoring.lifecycle.permissions import require_marketing
from scoring.lifecycle.revising import revise_signal
from scoring.lifecycle.versions import CONTENT_FIELDS, create_draft, publish_version, take_versions_lock
from scoring.loading import load_model
from scoring.models import (
    CategoryTier,
    DecayStep,
    ModelVersion,
    Rule,
    RuleGroup,
    Signal,
    SignalCondition,
)
from scoring.presets import RulePreset, ScoringPreset, SignalPreset, model_of_preset


class _DryRun(Exception):
    """Carries the plan out of the transaction that is undone."""

    def __init__(self, plan: list[str]) -> None:
        self.plan = plan


def load_scoring_preset(
    preset: ScoringPreset, *, by: User | None, now: datetime, dry_run: bool = False
) -> list[str]:
    """Make the preset the active model and say in sentences what that changed (or, dry, would change).

    A signal of the same key takes the preset's definition, as a new revision where a published version counts
    the old one. Nothing to change: nothing is written and the plan is empty, so repeating it is harmless.
    """
    require_marketing(by)
    try:
        with transaction.atomic():
            take_versions_lock()
            plan = _load(preset, by=by, now=now)
            if dry_run:
                raise _DryRun(plan)
            return plan
    except _DryRun as dry:
        return dry.plan


@transaction.atomic
def draft_scoring_preset(preset: ScoringPreset, *, by: User | None, now: datetime) -> ModelVersion | None:
    """A draft that says what the preset says; None if the active version says so already.

    Signals are made and redefined as in `load_scoring_preset`; the active version goes on counting the old
    definitions until the draft takes its place.
    """
    require_marketing(by)
    take_versions_lock()
    signals, _ = _load_signals(preset, by=by, now=now)
    if not _changes(preset, signals):
        return None
    return _draft(preset, signals, by=by, now=now)


def preset_changes(*presets: ScoringPreset) -> list[list[Change]]:
    """What would change if each preset took the place of the active version; nothing is written."""
    active = _active_model()
    wanted = {signal.key for preset in presets for signal in preset.signals}
    current = Signal.objects.current().filter(key__in=wanted).prefetch_related("conditions")
    by_key = {signal.key: signal for signal in current}
    changes = []
    for preset in presets:
        ids = {
            signal.key: by_key[signal.key].pk
            for signal in preset.signals
            if signal.key in by_key and _is_as(by_key[signal.key], signal)
        }
        changes.append(differences(active, model_of_preset(preset, ids)))
    return changes


def _active_model() -> Model | None:
    active = ModelVersion.objects.active().with_rules().first()
    return load_model(active) if active else None


def _changes(preset: ScoringPreset, signals: dict[str, Signal]) -> list[Change]:
    ids = {key: signal.pk for key, signal in signals.items()}
    return differences(_active_model(), model_of_preset(preset, ids))


def _load(preset: ScoringPreset, *, by: User | None, now: datetime) -> list[str]:
    signals, plan = _load_signals(preset, by=by, now=now)
    changes = _changes(preset, signals)
    if not changes:
        return plan
    draft = _draft(preset, signals, by=by, now=now)
    publish_version(draft, by=by, note=f"Preset “{preset.name}” loaded", now=now)
    return [*plan, f"Publish {draft}", *map(str, changes)]


def _load_signals(
    preset: ScoringPreset, *, by: User | None, now: datetime
) -> tuple[dict[str, Signal], list[str]]:
    """The signals by key, as the preset has them, and what had to be done for that in sentences."""
    signals, plan = {}, []
    for wanted in preset.signals:
        signals[wanted.key], sentence = _load_signal(wanted, by=by, now=now)
        plan += [sentence] if sentence else []
    return signals, plan


def _load_signal(preset: SignalPreset, *, by: User | None, now: datetime) -> tuple[Signal, str]:
    """The signal as the preset has it, and a sentence if that had to be made so."""
    signal = Signal.objects.current().filter(key=preset.key).first()
    if signal is None:
        signal = Signal.objects.create(key=preset.key, created_at=now, **_definition(preset))
        conditions = _conditions(preset)
        for condition in conditions:
            condition.signal = signal
        SignalCondition.objects.bulk_create(conditions)
        return signal, f"Add the signal “{preset.name}”"
    if _is_as(signal, preset):
        return signal, ""
    for field, value in _definition(preset).items():
        setattr(signal, field, value)
    revised = revise_signal(signal, conditions=_conditions(preset), by=by, now=now)
    return revised, f"Redefine the signal “{preset.name}”"


def _definition(preset: SignalPreset) -> dict[str, Any]:
    return {
        "name": preset.name,
        "event_names": list(preset.event_names),
        "intent": Signal.Intent.HIGH if preset.is_high_intent else Signal.Intent.LOW,
        "is_engagement": preset.is_engagement,
    }


def _conditions(preset: SignalPreset) -> list[SignalCondition]:
    return [
        SignalCondition(
            property_name=condition.property_name,
            operator=condition.operator,
            values=list(condition.values),
        )
        for condition in preset.conditions
    ]


def _is_as(signal: Signal, preset: SignalPreset) -> bool:
    def said(condition: SignalCondition) -> tuple[str, str, tuple[str, ...]]:
        return condition.property_name, condition.operator, tuple(condition.values)

    return all(getattr(signal, field) == value for field, value in _definition(preset).items()) and sorted(
        map(said, signal.conditions.all())
    ) == sorted(map(said, _conditions(preset)))


def _draft(
    preset: ScoringPreset, signals: dict[str, Signal], *, by: User | None, now: datetime
) -> ModelVersion:
    draft = create_draft(based_on=None, by=by, now=now, name=preset.name)
    draft.based_on = ModelVersion.objects.active().first()
    draft.threshold, draft.icp_from, draft.signal_days = preset.threshold, preset.icp_from, preset.signal_days
    draft.formula, draft.engagement_percent = preset.formula, preset.engagement_percent
    draft.decay_floor = preset.decay_floor
    draft.save(update_fields=["based_on", *CONTENT_FIELDS])
    groups = {
        group.name: RuleGroup.objects.create(version=draft, name=group.name, cap=group.cap)
        for group in preset.groups
    }
    Rule.objects.bulk_create(
        _rule(draft, position, rule, signals, groups) for position, rule in enumerate(preset.rules)
    )
    DecayStep.objects.bulk_create(
        DecayStep(version=draft, after_days=days, per_mille=kept) for days, kept in preset.decay
    )
    CategoryTier.objects.bulk_create(
        CategoryTier(
            version=draft,
            category=category,
            min_engagement=engagement,
            min_readiness=readiness,
            position=position,
        )
        for position, (category, engagement, readiness) in enumerate(preset.tiers)
    )
    return ModelVersion.objects.with_rules().get(pk=draft.pk)


def _rule(
    draft: ModelVersion,
    position: int,
    preset: RulePreset,
    signals: dict[str, Signal],
    groups: dict[str, RuleGroup],
) -> Rule:
    fading = preset.fading
    return Rule(
        version=draft,
        position=position,
        kind=preset.kind,
        name=preset.name,
        points=preset.points,
        factor_per_mille=preset.factor,
        group=groups[preset.group] if preset.group else None,
        attribute=preset.attribute,
        operator=preset.operator or "",
        values=list(preset.values),
        low=preset.low,
        high=preset.high,
        signal=signals[preset.signal] if preset.signal else None,
        min_count=preset.min_count,
        max_count=preset.max_count,
        window_days=preset.window_days,
        per_occurrence=preset.per_occurrence,
        cap=preset.cap,
        decay=fading.shape if fading else Rule.Decay.NONE,
        decay_days=fading.days if fading else None,
        decay_percent=fading.percent if fading and fading.shape is Shape.STEP else None,
        decay_floor_percent=fading.floor_percent if fading else 0,
    )
