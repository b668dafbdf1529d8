"""From what calibration found to a draft that says so (FEED-5): one click, then backtest and approval."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from accounts.models import User
from common.errors import InvalidInput
from scoring.calibration.page import suggested_points
from scoring.conversion import Goal
from scoring.lifecycle.versions import ActiveVersionChanged, create_draft
from scoring.models import CalibrationRun, ModelVersion, Rule


@transaction.atomic
def draft_suggested_points(
    run: CalibrationRun, *, goal: Goal, rule_ids: Collection[int], by: User, now: datetime
) -> ModelVersion:
    """A draft of the active version in which the chosen rules have the points that the run suggests; one that
    works against its points is taken out.

    Raises NotAllowed, InvalidInput if none of the rules has a suggestion, ActiveVersionChanged if the run is
    about another version than the active one.
    """
    active = ModelVersion.objects.active().first()
    if run.version != active:
        raise ActiveVersionChanged(active)
    suggested = suggested_points(run, goal=goal)
    chosen = {rule_id: suggested[rule_id] for rule_id in rule_ids if rule_id in suggested}
    if not chosen:
        raise InvalidInput("Choose at least one rule whose points should change.", field="rule")
    draft = create_draft(based_on=run.version, by=by, now=now, name=f"{run.version.name}, calibrated")
    for rule_id, copy in _copies(run.version, draft).items():
        points = chosen.get(rule_id)
        if points == 0:
            copy.delete()
        elif points is not None:
            copy.points = points
            copy.save(update_fields=["points"])
    return draft


def _copies(version: ModelVersion, draft: ModelVersion) -> dict[int, Rule]:
    """The copy of each rule; create_draft copies them in the order of their ids."""
    originals = version.rules.order_by("pk").values_list("pk", flat=True)
    return dict(zip(originals, draft.rules.order_by("pk"), strict=True))
