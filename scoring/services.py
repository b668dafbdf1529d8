"""What scoring does for the layers above: score leads, explain a score, publish and load models."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog
from django.db import transaction

from leads.models import Lead, LeadEvent
from leads.services import log_events
from scoring.engine import Move, keep_scores, model_of, score_with_ledger
from scoring.explanation import Explanation, explain_result
from scoring.loading_presets import load_scoring_preset
from scoring.matching import match_activities
from scoring.models import LeadScore, ModelVersion, Signal, SignalHit
from scoring.versions import create_draft, publish_version

__all__ = [
    "create_draft",
    "explain_score",
    "has_new_evidence",
    "load_scoring_preset",
    "match_activities",
    "publish_version",
    "score_lead",
    "score_leads",
]

log = structlog.get_logger(__name__)


@transaction.atomic
def score_leads(lead_ids: Sequence[int], *, now: datetime) -> None:
    """Match what is new and keep the scores that changed; all leads by one version, each in one statement.

    The caller holds the leads' locks. Without an active version the activities are matched and nothing is
    scored. A score that becomes another one is logged, which is also how Salesforce hears of it; the first
    is part of the lead's beginning. Repeating it writes nothing.
    """
    if not lead_ids:
        return
    match_activities(lead_ids)
    version = ModelVersion.objects.active().first()
    if version is None:
        log.warning("scoring.no_active_version", leads=len(lead_ids))
        return
    moves = [move for move in keep_scores(version, lead_ids, now=now) if move.shows]
    if moves:
        log_events(
            {move.lead_id: _move_detail(move) for move in moves}, kind=LeadEvent.Kind.SCORE_CHANGED, at=now
        )


def _move_detail(move: Move) -> dict[str, object]:
    detail: dict[str, object] = {"from": move.was, "to": move.became}
    if move.category_was != move.category_became:
        detail["category"] = move.category_became
    return detail


def score_lead(lead: Lead, *, now: datetime) -> LeadScore | None:
    """Score one lead, whose lock the caller holds; None while no version is active."""
    score_leads([lead.pk], now=now)
    return LeadScore.objects.select_related("version").filter(lead=lead).first()


def explain_score(lead: Lead, *, as_of: datetime, version: ModelVersion | None = None) -> Explanation:
    """Why the lead scored what it did at `as_of`, by what was known then (SCORE-7).

    `version` defaults to the one in force at that moment; a draft may be tried in its place. Without a
    version, or before we knew the lead, the explanation is empty.
    """
    version = version or ModelVersion.objects.in_force(as_of).first()
    if version is None:
        return Explanation(as_of=as_of)
    result = score_with_ledger(version, lead.pk, as_of=as_of)
    if result is None:
        return Explanation(as_of=as_of)
    return explain_result(model_of(version), version.number, result, as_of=as_of)


def has_new_evidence(lead: Lead, *, since: datetime) -> bool:
    """Whether a high-intent signal reached us after `since`: what a returned lead needs (FEED-2)."""
    return SignalHit.objects.filter(
        lead=lead, received_at__gt=since, signal__intent=Signal.Intent.HIGH
    ).exists()
