"""What the lead's panel shows of a prediction: beside the score, never in its place (SCORE-12)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from leads.models import Lead
from scoring.models import LeadPrediction, PredictionModel
from scoring.prediction.examples import Goal

WORDS = {Goal.SQL: "become sales-qualified", Goal.WON: "are won"}


@dataclass(frozen=True, slots=True)
class Shown:
    """`chance` reads like "34 of 100"."""

    chance: str
    outcome: str
    reasons: list[str]
    predicted_at: datetime
    trained_at: datetime
    model_id: int


def prediction_of(lead: Lead) -> Shown | None:
    """What the model in use says of the lead, or None. One query, and no heavy library."""
    said = (
        LeadPrediction.objects.filter(lead=lead, model__status=PredictionModel.Status.PROMOTED)
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
    return Shown(
        chance=chance_words(per_mille),
        outcome=WORDS[Goal(goal)],
        reasons=reasons,
        predicted_at=predicted_at,
        trained_at=trained_at,
        model_id=model_id,
    )


def chance_words(per_mille: int) -> str:
    """Out of a hundred, without a certainty that no model has."""
    if per_mille < 10:
        return "fewer than 1 of 100"
    if per_mille > 990:
        return "more than 99 of 100"
    return f"{round(per_mille / 10)} of 100"
