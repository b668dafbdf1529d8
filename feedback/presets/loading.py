"""Laying the feedback side of a preset: plain values in, rows and a plan in sentences out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

import structlog
from django.db import transaction

from accounts.models import User
from common.errors import NotAllowed
from feedback.models import FeedbackPolicy, RejectionReason
from feedback.presets.shapes import FeedbackPreset, ReasonPreset
from handoffs.models import RecycleContract
from handoffs.recycle_contract import look_again_at_returned_leads

log = structlog.get_logger(__name__)


@transaction.atomic
def load_feedback_preset(
    preset: FeedbackPreset, *, by: User | None, now: datetime, dry_run: bool = False
) -> list[str]:
    """Lay the preset over what is there; return what changes (or, dry, would change), in sentences.

    Reasons are known by their codes. Others are switched off, never deleted: verdicts name them. Another
    recycle contract has the leads looked at again that only the old one kept. Loading the same preset again
    changes nothing. Raises NotAllowed.
    """
    if by is not None and by.role not in (User.Role.MARKETING, User.Role.MANAGER) and not by.is_superuser:
        raise NotAllowed("Only marketing or a manager can change the reasons.")
    plan = []
    for position, reason in enumerate(preset.reasons, start=1):
        plan += _lay(reason, position, dry_run=dry_run)
    others = RejectionReason.objects.filter(is_active=True).exclude(
        code__in=[reason.code for reason in preset.reasons]
    )
    plan += [f"Switch off the reason “{reason}”." for reason in others]
    contract = asdict(preset.contract) | {"enough_signals": list(preset.contract.enough_signals)}
    terms = _lay_one(RecycleContract, contract, "the recycle contract", dry_run=dry_run)
    plan += terms
    plan += _lay_one(FeedbackPolicy, asdict(preset.policy), "the feedback policy", dry_run=dry_run)
    if not dry_run:
        others.update(is_active=False)
        if terms:
            look_again_at_returned_leads(now=now)
        log.info("feedback_preset_loaded", changes=len(plan), by=by.pk if by else None)
    return plan


def _lay(preset: ReasonPreset, position: int, *, dry_run: bool) -> list[str]:
    wanted: dict[str, object] = {**asdict(preset), "position": position, "is_active": True}
    wanted["fit_fields"] = list(preset.fit_fields)
    present = RejectionReason.objects.filter(code=preset.code).first()
    if present is None:
        if not dry_run:
            RejectionReason.objects.create(**wanted)
        return [f"Add the reason “{preset.label}”: {preset.promise[:1].lower()}{preset.promise[1:]}"]
    changed = [name for name, value in wanted.items() if getattr(present, name) != value]
    if not changed:
        return []
    if not dry_run:
        for name in changed:
            setattr(present, name, wanted[name])
        present.save(update_fields=changed)
    return [f"Change the reason “{preset.label}”: {', '.join(changed).replace('_', ' ')}."]


def _lay_one(
    model: type[RecycleContract] | type[FeedbackPolicy],
    wanted: Mapping[str, object],
    noun: str,
    *,
    dry_run: bool,
) -> list[str]:
    """The row there is one of."""
    present = model.objects.first()
    changed = [name for name, value in wanted.items() if present is None or getattr(present, name) != value]
    if not changed:
        return []
    if not dry_run:
        model.objects.update_or_create(singleton=True, defaults=dict(wanted))
    if present is None:
        return [f"Set {noun}."]
    return [f"Change {noun}: {', '.join(changed).replace('_', ' ')}."]
