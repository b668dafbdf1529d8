"""Keeps what the promoted model says of the leads that matter now: those with sales, and those that are near.

A lead with sales is judged by what was known of it at its handoff, as the examples of training were; one that
sales does not have yet as if it were handed over now.

A prediction is due when it is of another model, when the lead was handed over, did or said something since,
and once a day, since time alone changes "no visit for 40 days". Work is found by these facts, so a lost run
loses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from leads.models import Lead
from scoring.models import LeadPrediction, PredictionModel, Signal
from scoring.prediction.examples import Goal
from scoring.prediction.features import Moment, read_features
from scoring.prediction.sealing import require_library

# Where the outcome is still open, for either goal.
OPEN_STAGES = {
    Goal.SQL: (Lead.Stage.MQL, Lead.Stage.SAL),
    Goal.WON: (Lead.Stage.MQL, Lead.Stage.SAL, Lead.Stage.SQL, Lead.Stage.OPPORTUNITY),
}
# Leads that sales does not have yet are looked at while they are active.
STAGES_BEFORE = (Lead.Stage.LEAD, Lead.Stage.NURTURE)
ACTIVE_DAYS = 30
BATCH = 500

_DUE = """
SELECT lead.id, coalesce(handed.at, %(now)s)
FROM leads_lead lead LEFT JOIN scoring_leadprediction said ON said.lead_id = lead.id,
LATERAL (
  SELECT max(at) AS at FROM leads_leadevent
  WHERE lead_id = lead.id AND kind = 'handed_off' AND at <= %(now)s AND lead.stage = ANY(%(stages)s)
) handed
WHERE lead.id > %(after)s AND lead.created_at <= %(now)s
  AND (lead.stage = ANY(%(stages)s)
    OR lead.stage = ANY(%(before)s)
      AND lead.last_activity_at > %(now)s - make_interval(days => %(active)s))
  AND (said.lead_id IS NULL OR said.model_id <> %(model)s
    OR said.predicted_at <= %(now)s - interval '1 day'
    OR handed.at > said.predicted_at
    OR lead.last_activity_at > said.predicted_at AND lead.last_activity_at <= %(now)s
    OR EXISTS (SELECT FROM leads_attributechange change
      WHERE change.lead_id = lead.id
        AND change.changed_at > said.predicted_at AND change.changed_at <= %(now)s))
ORDER BY lead.id LIMIT %(limit)s
"""


def refresh_predictions(*, now: datetime, limit: int = BATCH, after: int = 0) -> int:
    """Say of the due leads with an id beyond `after` what the promoted model thinks of them, in order and no
    more than `limit`; the id of the last one, or 0 when none is left or no model is in use.

    Safe to repeat and to run twice at once. Raises PredictionNotUsable if the model cannot be opened.
    """
    model = PredictionModel.objects.promoted().first()
    if model is None:
        return 0
    due = _due(model, now=now, limit=limit, after=after)
    if not due:
        return 0
    LeadPrediction.objects.bulk_create(
        _predict(model, due, now=now),
        update_conflicts=True,
        unique_fields=["lead"],
        update_fields=["model", "per_mille", "reasons", "predicted_at"],
    )
    return due[-1][0]


def _predict(model: PredictionModel, due: Sequence[Moment], *, now: datetime) -> list[LeadPrediction]:
    # Heavy libraries: only a process that predicts loads them.
    from scoring.prediction.reasons import give_reasons
    from scoring.prediction.storing import load_fitted

    require_library(model.report["library"])
    fitted = load_fitted(bytes(model.artefact))
    moments, columns = read_features(due)
    names = dict(Signal.objects.current().values_list("key", "name"))
    chances, reasons = give_reasons(fitted, columns, names)
    return [
        LeadPrediction(
            lead_id=lead_id,
            model=model,
            per_mille=round(1_000 * float(chance)),
            reasons=sentences,
            predicted_at=now,
        )
        for (lead_id, _), chance, sentences in zip(moments, chances, reasons, strict=True)
    ]


def _due(model: PredictionModel, *, now: datetime, limit: int, after: int) -> list[Moment]:
    """The due leads, each with the moment whose knowledge counts."""
    with connection.cursor() as cursor:
        cursor.execute(
            _DUE,
            {
                "after": after,
                "now": now,
                "stages": list(OPEN_STAGES[Goal(model.report["details"]["goal"])]),
                "before": list(STAGES_BEFORE),
                "active": ACTIVE_DAYS,
                "model": model.pk,
                "limit": limit,
            },
        )
        return [(lead_id, moment) for lead_id, moment in cursor.fetchall()]
