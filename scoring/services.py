"""What scoring does for the layers above: score leads, explain a score, publish and load models."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog
from django.db import transaction

from leads.models import Lead
from scoring.engine import model_of, score_with_ledger
from scoring.language.explanation import Explanation, explain_result
from scoring.lifecycle.keeping import keep_leads, keep_newcomer
from scoring.lifecycle.membership import was_in_pilot
from scoring.lifecycle.versions import create_draft, publish_version
from scoring.loading_presets import load_scoring_preset
from scoring.matching import match_activities
from scoring.models import LeadScore, ModelVersion

__all__ = [
    "create_draft",
    "explain_score",
    "load_scoring_preset",
    "match_activities",
    "publish_version",
    "score_lead",
    "score_leads",
    "score_newcomer",
    "version_of",
]

log = structlog.get_logger(__name__)


@transaction.atomic
def score_leads(lead_ids: Sequence[int], *, now: datetime) -> None:
    """Match what is new and keep the scores that changed, in one statement for all leads of a version.

    The caller holds the leads' locks. Without an active version the activities are matched and nothing is
    scored. A score that becomes another one is logged, which is also how Salesforce hears of it; the first
    is part of the lead's beginning. A lead that qualifies only because it is by another version than before
    goes on the release list. Repeating it writes nothing.
    """
    if not lead_ids:
        return
    if not keep_leads(lead_ids, now=now):
        log.warning("scoring.no_active_version", leads=len(lead_ids))


def score_lead(lead: Lead, *, now: datetime) -> LeadScore | None:
    """Score one lead, whose lock the caller holds; None while no version is active."""
    score_leads([lead.pk], now=now)
    return LeadScore.objects.select_related("version").filter(lead=lead).first()


def score_newcomer(lead: Lead, *, now: datetime) -> LeadScore | None:
    """As score_lead, for a lead that this transaction inserted and about which it knows no activity."""
    score = keep_newcomer(lead, now=now)
    if score is None:
        log.warning("scoring.no_active_version", leads=1)
    return score


def explain_score(lead: Lead, *, as_of: datetime, version: ModelVersion | None = None) -> Explanation:
    """Why the lead scored what it did at `as_of`, by what was known then (SCORE-7).

    `version` defaults to the one that the lead belonged to at that moment; a draft may be tried in its place.
    Without a version, or before we knew the lead, the explanation is empty.
    """
    version = version or version_of(lead, as_of=as_of)
    if version is None:
        return Explanation(as_of=as_of)
    result = score_with_ledger(version, lead.pk, as_of=as_of)
    if result is None:
        return Explanation(as_of=as_of)
    return explain_result(model_of(version), version.number, result, as_of=as_of)


def version_of(lead: Lead, *, as_of: datetime) -> ModelVersion | None:
    """The version by which the lead was scored at that moment: the pilot's, if it was in one."""
    versions = list(ModelVersion.objects.in_use(as_of).select_related("pilot"))
    for version in versions:
        if version.is_pilot_at(as_of) and was_in_pilot(version.pilot, lead.pk, as_of=as_of):
            return version
    return next((version for version in versions if not version.is_pilot_at(as_of)), None)
