"""Loading a whole protocol at once."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.models import User
from common.errors import InvalidInput
from feedback.presets import load_feedback_preset
from handoffs.presets import load_handoff_preset
from protocol.presets import PRESETS
from scoring.services import load_scoring_preset
from sla.presets import load_sla_preset


@transaction.atomic
def load_preset(name: str, *, by: User | None, now: datetime, dry_run: bool = False) -> list[str]:
    """Make the protocol that of the preset, all or nothing; return what changed (or would) in sentences.
    Parts that the preset lacks stay as they are, and the last sentence says so.

    Loading the same preset again changes nothing and returns an empty plan. Raises InvalidInput for a name
    nobody knows, NotAllowed where `by` may not edit a part of it; None is the system itself.
    """
    preset = PRESETS.get(name)
    if preset is None:
        raise InvalidInput(f"There is no preset “{name}”. Choose {', '.join(sorted(PRESETS))}.", field="name")
    plan = load_scoring_preset(preset.scoring, by=by, now=now, dry_run=dry_run)
    plan += load_sla_preset(preset.sla, by=by, now=now, dry_run=dry_run)
    if preset.feedback:
        plan += load_feedback_preset(preset.feedback, by=by, now=now, dry_run=dry_run)
    if preset.handoffs:
        plan += load_handoff_preset(preset.handoffs, by=by, dry_run=dry_run)
    return [*plan, preset.kept] if plan and preset.kept else plan
