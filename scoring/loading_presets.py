"""Loading the scoring of a preset: rows, and a plan of them in sentences."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.models import User
from scoring.loading import load_model
from scoring.models import CategoryTier, DecayStep, ModelVersion, Rule, Signal, SignalCondition
from scoring.permissions import require_marketing
from scoring.presets import RulePreset, ScoringPreset, SignalPreset
from scoring.revising import revise_signal
from scoring.sentences import differences
from scoring.versions import publish_version, take_versions_lock


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


def _load(preset: ScoringPreset, *, by: User | None, now: datetime) -> list[str]:
    signals, plan = {}, []
    for wanted in preset.signals:
        signals[wanted.key], sentence = _load_signal(wanted, by=by, now=now)
        plan += [sentence] if sentence else []
    draft = _draft(preset, signals, by=by, now=now)
    active = ModelVersion.objects.active().with_rules().first()
    changes = differences(load_model(active) if active else None, load_model(draft))
    if not changes:
        draft.delete()
        return plan
    publish_version(draft, by=by, note=f"Preset “{preset.name}” loaded", now=now)
    return [*plan, f"Publish {draft}", *map(str, changes)]


def _load_signal(preset: SignalPreset, *, by: User | None, now: datetime) -> tuple[Signal, str]:
    """The signal as the preset has it, and a sentence if that had to be made so."""
    definition = {
        "name": preset.name,
        "event_names": list(preset.event_names),
        "intent": Signal.Intent.HIGH if preset.is_high_intent else Signal.Intent.LOW,
        "is_engagement": preset.is_engagement,
    }
    conditions = [
        SignalCondition(
            property_name=condition.property_name,
            operator=condition.operator,
            values=list(condition.values),
        )
        for condition in preset.conditions
    ]
    signal = Signal.objects.current().filter(key=preset.key).first()
    if signal is None:
        signal = Signal.objects.create(key=preset.key, created_at=now, **definition)
        for condition in conditions:
            condition.signal = signal
        SignalCondition.objects.bulk_create(conditions)
        return signal, f"Add the signal “{preset.name}”"
    if _describes(signal, definition, conditions):
        return signal, ""
    for field, value in definition.items():
        setattr(signal, field, value)
    return revise_signal(
        signal, conditions=conditions, by=by, now=now
    ), f"Redefine the signal “{preset.name}”"


def _describes(signal: Signal, definition: dict[str, object], conditions: list[SignalCondition]) -> bool:
    def said(condition: SignalCondition) -> tuple[str, str, tuple[str, ...]]:
        return condition.property_name, condition.operator, tuple(condition.values)

    return all(getattr(signal, field) == value for field, value in definition.items()) and sorted(
        map(said, signal.conditions.all())
    ) == sorted(map(said, conditions))


def _draft(
    preset: ScoringPreset, signals: dict[str, Signal], *, by: User | None, now: datetime
) -> ModelVersion:
    highest = ModelVersion.objects.order_by("-number").values_list("number", flat=True).first() or 0
    draft = ModelVersion.objects.create(
        number=highest + 1,
        name=preset.name,
        threshold=preset.threshold,
        icp_from=preset.icp_from,
        signal_days=preset.signal_days,
        created_at=now,
        created_by=by,
        based_on=ModelVersion.objects.active().first(),
    )
    Rule.objects.bulk_create(
        _rule(draft, position, rule, signals) for position, rule in enumerate(preset.rules)
    )
    DecayStep.objects.bulk_create(
        DecayStep(version=draft, after_days=days, per_mille=kept) for days, kept in preset.decay
    )
    CategoryTier.objects.bulk_create(
        CategoryTier(
            version=draft, category=category, min_engagement=engagement, min_readiness=fit, position=position
        )
        for position, (category, engagement, fit) in enumerate(preset.tiers)
    )
    return ModelVersion.objects.with_rules().get(pk=draft.pk)


def _rule(draft: ModelVersion, position: int, preset: RulePreset, signals: dict[str, Signal]) -> Rule:
    return Rule(
        version=draft,
        position=position,
        kind=preset.kind,
        name=preset.name,
        points=preset.points,
        attribute=preset.attribute,
        operator=preset.operator or "",
        values=list(preset.values),
        low=preset.low,
        high=preset.high,
        signal=signals[preset.signal] if preset.signal else None,
        min_count=preset.min_count,
        window_days=preset.window_days,
        per_occurrence=preset.per_occurrence,
        cap=preset.cap,
    )
