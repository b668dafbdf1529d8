"""Laying a preset over what is there: plain values in, rows and a plan in sentences out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict

import structlog
from django.db import transaction
from django.db.models import Model

from accounts.models import User
from common.errors import InvalidInput, NotAllowed
from handoffs.contact.gate import PARTS
from handoffs.models import (
    AcknowledgementPolicy,
    Cadence,
    CadenceStep,
    PackageStandard,
    Playbook,
    Pool,
    PoolMembership,
    QualificationGate,
    RoutingRule,
)
from handoffs.package.completeness import FACTS
from handoffs.presets.shapes import (
    AcknowledgementPreset,
    CadencePreset,
    HandoffPreset,
    PlaybookPreset,
    PoolPreset,
    RulePreset,
    StepPreset,
)

log = structlog.get_logger(__name__)


@transaction.atomic
def load_handoff_preset(preset: HandoffPreset, *, by: User | None, dry_run: bool = False) -> list[str]:
    """Lay the preset over what is there; return what changes (or, dry, would change), in sentences.

    Rows are known by their names: those of the preset take its values, others stay. Only cadences that the
    preset does not name are switched off, because the first that fits decides. Loading it again changes
    nothing. Raises InvalidInput for a part of BANT or a fact nobody knows, NotAllowed.
    """
    if by is not None and by.role != User.Role.MANAGER and not by.is_superuser:
        raise NotAllowed("Only a manager can change how leads are handed off.")
    _require_known(preset)
    rollback = transaction.savepoint()
    plan = list(_load(preset))
    if dry_run:
        transaction.savepoint_rollback(rollback)
    else:
        transaction.savepoint_commit(rollback)
        log.info("handoff_preset_loaded", changes=len(plan), by=by.pk if by else None)
    return plan


def _require_known(preset: HandoffPreset) -> None:
    for part in preset.gate:
        if part not in PARTS:
            raise InvalidInput(f"BANT has no part “{part}”. Use {', '.join(PARTS)}.", field="gate")
    for fact in preset.package:
        if fact not in FACTS:
            raise InvalidInput(f"A package has no “{fact}”. Use {', '.join(FACTS)}.", field="package")


def _load(preset: HandoffPreset) -> Iterator[str]:
    pools = {}
    for wanted in preset.pools:
        pools[wanted.name], sentences = _load_pool(wanted)
        yield from sentences
    for position, rule in enumerate(preset.rules, start=1):
        values = _values(rule) | {"position": position, "pool": pools[rule.pool], "is_active": True}
        yield from _lay(RoutingRule, rule.name, values, "the routing rule")
    for position, playbook in enumerate(preset.playbooks, start=1):
        values = _values(playbook) | {"position": position, "is_active": True}
        yield from _lay(Playbook, playbook.name, values, "the playbook")
    yield from _load_cadences(preset.cadences)
    yield from _load_gate(preset)
    yield from _load_standard(preset)
    if preset.acknowledgement:
        yield from _load_acknowledgement(preset.acknowledgement)


def _load_pool(preset: PoolPreset) -> tuple[Pool, list[str]]:
    pool, is_new = Pool.objects.get_or_create(name=preset.name)
    sentences = [f"Add the pool “{pool}”."] if is_new else []
    newcomers = User.objects.filter(role=User.Role.BDR, is_active=True, memberships=None).order_by("pk")
    for user in newcomers:
        PoolMembership.objects.create(
            pool=pool, user=user, weekly_capacity=preset.weekly_capacity, max_open=preset.max_open
        )
        sentences.append(
            f"Add {user} to the pool “{pool}”: {preset.weekly_capacity} new leads a week, "
            f"{preset.max_open} open at once."
        )
    return pool, sentences


# --- Cadences -----------------------------------------------------------------------------------


def _load_cadences(presets: tuple[CadencePreset, ...]) -> Iterator[str]:
    if not presets:
        return
    for position, preset in enumerate(presets, start=1):
        yield from _load_cadence(preset, position)
    others = Cadence.objects.filter(is_active=True).exclude(name__in=[preset.name for preset in presets])
    for cadence in others:
        cadence.is_active = False
        cadence.save(update_fields=["is_active"])
        yield f"Switch off the cadence “{cadence}”."


def _load_cadence(preset: CadencePreset, position: int) -> Iterator[str]:
    values = {
        "position": position,
        "categories": list(preset.categories),
        "sources": list(preset.sources),
        "is_active": True,
    }
    cadence, is_new = Cadence.objects.get_or_create(name=preset.name, defaults=values)
    is_changed = _change(cadence, values)
    if _replace_steps(cadence, preset.steps) or is_new or is_changed:
        yield f"{'Add' if is_new else 'Change'} the cadence “{cadence}”: {_rhythm(preset.steps)}."


def _replace_steps(cadence: Cadence, steps: tuple[StepPreset, ...]) -> bool:
    """Give the cadence these steps; False if it has them already."""
    wanted = [asdict(step) | {"number": number} for number, step in enumerate(steps, start=1)]
    if list(cadence.steps.order_by("number").values(*wanted[0])) == wanted:
        return False
    cadence.steps.all().delete()
    CadenceStep.objects.bulk_create(CadenceStep(cadence=cadence, **values) for values in wanted)
    return True


def _rhythm(steps: tuple[StepPreset, ...]) -> str:
    """'3 attempts, the last within 40 working hours'."""
    hours = round(steps[-1].minutes / 60)
    kind = "working hours" if steps[-1].in_working_hours else "hours"
    return f"{len(steps)} attempts, the last within {hours} {kind}"


# --- The gate and the standard -------------------------------------------------------------------


def _load_gate(preset: HandoffPreset) -> list[str]:
    gate, _ = QualificationGate.objects.get_or_create()
    values = {"requires": list(preset.gate), "budget_may_be_rough": preset.budget_may_be_rough}
    if not _change(gate, values):
        return []
    rough = "; the budget need only roughly fit" if preset.budget_may_be_rough else ""
    return [f"SQL needs a yes to {', '.join(preset.gate)}{rough}."]


def _load_standard(preset: HandoffPreset) -> list[str]:
    standard, _ = PackageStandard.objects.get_or_create()
    if not _change(standard, {"requires": list(preset.package), "task_below": preset.task_below}):
        return []
    facts = ", ".join(FACTS[name].label.lower() for name in preset.package)
    return [f"A complete package needs {facts}; below {preset.task_below} % marketing gets a task."]


def _load_acknowledgement(preset: AcknowledgementPreset) -> list[str]:
    """Switch the answer on. Words that somebody has written stay."""
    words = {"subject": preset.subject, "body": preset.body}
    policy, _ = AcknowledgementPolicy.objects.get_or_create(defaults=words)
    if not _change(policy, {"is_active": True, "within_minutes": preset.within_minutes}):
        return []
    return [f"Answer leads that arrive after hours within {preset.within_minutes} minutes."]


# --- Rows ---------------------------------------------------------------------------------------


def _values(preset: RulePreset | PlaybookPreset) -> dict[str, object]:
    """The preset's values as the columns hold them: lists, not tuples."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(preset).items()
        if name not in ("name", "pool")
    }


def _lay(
    model: type[RoutingRule] | type[Playbook], name: str, values: Mapping[str, object], noun: str
) -> list[str]:
    row = model._default_manager.filter(name=name).first()
    if row is None:
        model._default_manager.create(name=name, **values)
        return [f"Add {noun} “{name}”."]
    return [f"Change {noun} “{name}”."] if _change(row, values) else []


def _change(row: Model, values: Mapping[str, object]) -> bool:
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    if changed:
        row.save(update_fields=changed)
    return bool(changed)
