"""The feedback side of a protocol preset: why sales returns leads (FEED-1), what brings them back (FEED-2),
and what marketing promises. Plain values in, rows and a plan in sentences out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TypeAlias

import structlog
from django.db import transaction

from accounts.models import User
from common.errors import NotAllowed
from feedback.models import FeedbackPolicy, RejectionReason
from handoffs.models import RecycleContract
from handoffs.recycle_contract import look_again_at_returned_leads

log = structlog.get_logger(__name__)

Type: TypeAlias = RejectionReason.Type
Treatment: TypeAlias = RejectionReason.Treatment


@dataclass(frozen=True, kw_only=True)
class ReasonPreset:
    code: str
    label: str
    type: Type
    treatment: Treatment
    consequence: str
    recycle_after_days: int | None = None
    requires_note: bool = False
    requires_duplicate: bool = False
    tells_marketing: bool = False


@dataclass(frozen=True, kw_only=True)
class ContractPreset:
    """What a returned lead must show to become an MQL again: so many points or one of these signals, and not
    before so many days."""

    min_points: int
    enough_signals: tuple[str, ...] = ()
    cool_off_days: int = 0


@dataclass(frozen=True, kw_only=True)
class PolicyPreset:
    """Business minutes for marketing's promises, and the goal of the acceptance rate in per cent."""

    fix_minutes: int = 8 * 60
    dispute_minutes: int = 16 * 60
    acceptance_goal: int = 90
    min_decided: int = 10


@dataclass(frozen=True)
class FeedbackPreset:
    reasons: tuple[ReasonPreset, ...]
    contract: ContractPreset
    policy: PolicyPreset


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
    present = RejectionReason.objects.filter(code=preset.code).first()
    if present is None:
        if not dry_run:
            RejectionReason.objects.create(**wanted)
        return [f"Add the reason “{preset.label}”: {preset.consequence[:1].lower()}{preset.consequence[1:]}"]
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


# --- Presets ------------------------------------------------------------------------------------

# The delays are not published anywhere; they are where a marketing team starts.
CLASSIC = FeedbackPreset(
    reasons=(
        ReasonPreset(
            code="wrong-icp",
            label="Not in ICP",
            type=Type.DEFINITIONAL,
            treatment=Treatment.BLOCK_UNTIL_FIT_CHANGES,
            consequence="Comes back only when title, company, size, industry or country change.",
            tells_marketing=True,
        ),
        ReasonPreset(
            code="premature",
            label="Premature",
            type=Type.TIMING,
            treatment=Treatment.EDUCATE,
            consequence="Goes back to education, re-checked in 30 days.",
            recycle_after_days=30,
        ),
        ReasonPreset(
            code="duplicate",
            label="Duplicate",
            type=Type.DUPLICATE,
            treatment=Treatment.LINK_DUPLICATE,
            consequence="Is linked to the other lead, whose owner is told.",
            requires_duplicate=True,
        ),
        ReasonPreset(
            code="unreachable",
            label="Unreachable",
            type=Type.UNREACHABLE,
            treatment=Treatment.RE_ENGAGE,
            consequence="Gets rare mail until it shows up again.",
        ),
        ReasonPreset(
            code="no-budget",
            label="Not qualified: no budget",
            type=Type.DEFINITIONAL,
            treatment=Treatment.NURTURE,
            consequence="Goes back to nurture, re-checked in 90 days.",
            recycle_after_days=90,
        ),
        ReasonPreset(
            code="no-authority",
            label="Not qualified: no authority",
            type=Type.DEFINITIONAL,
            treatment=Treatment.NURTURE,
            consequence="Goes back to nurture, re-checked in 60 days.",
            recycle_after_days=60,
        ),
        ReasonPreset(
            code="no-need",
            label="Not qualified: no need",
            type=Type.DEFINITIONAL,
            treatment=Treatment.NURTURE,
            consequence="Goes back to nurture, re-checked in 180 days.",
            recycle_after_days=180,
        ),
        ReasonPreset(
            code="no-timeline",
            label="Not qualified: no timeline",
            type=Type.TIMING,
            treatment=Treatment.NURTURE,
            consequence="Goes back to nurture, re-checked in 60 days.",
            recycle_after_days=60,
        ),
        ReasonPreset(
            code="competitor-or-spam",
            label="Competitor or spam",
            type=Type.DEFINITIONAL,
            treatment=Treatment.DISQUALIFY,
            consequence="Is out for good, and marketing is told.",
            requires_note=True,
            tells_marketing=True,
        ),
        ReasonPreset(
            code="unsuitable-region",
            label="Unsuitable region",
            type=Type.DEFINITIONAL,
            treatment=Treatment.BLOCK_UNTIL_FIT_CHANGES,
            consequence="Comes back only when the country or company changes.",
        ),
        ReasonPreset(
            code="bad-data",
            label="Bad data",
            type=Type.CLERICAL,
            treatment=Treatment.FIX_DATA,
            consequence="Marketing is told at once and fixes it.",
            requires_note=True,
            tells_marketing=True,
        ),
        ReasonPreset(
            code="wrong-rep",
            label="Not mine",
            type=Type.PROCEDURAL,
            treatment=Treatment.REROUTE,
            consequence="Goes to another rep at once; does not count as received.",
        ),
    ),
    # So much as a case study, or asking for a demo; and nobody is called twice within a day.
    contract=ContractPreset(
        min_points=10, enough_signals=("demo-request", "direct-inquiry"), cool_off_days=1
    ),
    # The goal is published (FEED-1); the times are where a team starts: a working day, and two.
    policy=PolicyPreset(),
)

PRESETS = {"classic": CLASSIC}
