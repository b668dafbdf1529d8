"""What the lead's panel shows of a prediction: beside the score, never in its place (SCORE-12)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from leads.models import Lead
from scoring.models import LeadPrediction, PredictionModel
from scoring.prediction.examples import Goal
from scoring.prediction.refreshing import OPEN_STAGES, STAGES_BEFORE

# A prediction is refreshed each day; one that is older is of a model that cannot be asked, or of a lead that
# is not looked at any more.
FRESH_FOR = timedelta(days=2)
WORDS = {Goal.SQL: "become sales-qualified", Goal.WON: "are won"}


@dataclass(frozen=True, slots=True)
class Shown:
    """`chance` reads like "34 of 100"; `is_handed_over` says whether sales has the lead, or would have to get
    it first for the chance to hold: only leads that were handed over could be learnt from."""

    chance: str
    outcome: str
    reasons: list[str]
    predicted_at: datetime
    trained_at: datetime
    model_id: int
    is_handed_over: bool


def prediction_of(lead: Lead, *, now: datetime) -> Shown | None:
    """What the model in use says of the lead; None where nothing fresh is said, or where the outcome is not
    open any more. One query, and no heavy library."""
    said = (
        LeadPrediction.objects.filter(lead=lead, model__status=PredictionModel.Status.PROMOTED)
        .filter(predicted_at__gt=now - FRESH_FOR)
        .values_list(
            "per_mille",
            "reasons",
            "predicted_at",
            "model_id",
            "model__trained_at",
            "model__report__details__goal",
        )
        .first()
    )
    if said is None:
        return None
    per_mille, reasons, predicted_at, model_id, trained_at, goal = said
    is_handed_over = lead.stage in OPEN_STAGES[Goal(goal)]
    if not (is_handed_over or lead.stage in STAGES_BEFORE):
        return None
    return Shown(
        chance=chance_words(per_mille),
        outcome=WORDS[Goal(goal)],
        reasons=reasons,
        predicted_at=predicted_at,
        trained_at=trained_at,
        model_id=model_id,
        is_handed_over=is_handed_over,
    )


def chance_words(per_mille: int) -> str:
    """Out of a hundred, without a certainty that no model has."""
    if per_mille < 10:
        return "fewer than 1 of 100"
    if per_mille > 990:
        return "more than 99 of 100"
    return f"{round(per_mille / 10)} of 100"
