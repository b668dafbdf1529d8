"""The life of a prediction: trained as a candidate, promoted by a person if it beats the rules on handoffs
that came later, retired when another takes its place (SCORE-12)."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction
from django.urls import reverse

from accounts.models import User
from common.errors import DomainError
from common.patience import at_most
from notifications.models import Notification
from notifications.services import notify_users
from scoring.lifecycle.permissions import require_marketing
from scoring.models import PredictionModel, ScoringPolicy
from scoring.prediction.examples import Goal, count_examples, harvest, table_of
from scoring.prediction.report import Report
from scoring.prediction.sealing import require_library, unseal
from scoring.prediction.tables import TrainingRefused

log = structlog.get_logger(__name__)

Status = PredictionModel.Status

# The newest handoffs are enough, and training ends before the queue gives its task up.
MAX_EXAMPLES = 5_000
# Candidates that nobody promoted are kept so many deep.
KEPT_CANDIDATES = 12
# Two runs of the schedule nearer than this are one.
RETRAIN_AFTER = timedelta(days=6)

# A page waits so long for a count, no longer.
COUNT_SECONDS = 2

# One promotion at a time; any number that no other advisory lock of the portal uses.
_PROMOTION_LOCK = 7_301_012


class PromotionRefused(DomainError):
    """The model may not be used; the message says why."""


# --- Training ------------------------------------------------------------------------------------


def train_candidate(
    goal: Goal, *, by: User | None, now: datetime, scheduled: bool = False
) -> PredictionModel:
    """Fit a model on our own outcomes and keep it as a candidate; `by` None is the schedule or the command.

    Raises TrainingRefused, above all while there are too few outcomes. Takes seconds to a minute.
    """
    require_marketing(by)
    # Heavy libraries: only a process that trains loads them.
    from scoring.prediction.storing import Fitted, keep_fitted
    from scoring.prediction.training import train

    found = harvest(goal, now=now)
    if refusal := _too_few_words(len(found.examples), _enough()):
        raise TrainingRefused(refusal)
    trained = train(table_of(found.newest(MAX_EXAMPLES), goal))
    candidate = PredictionModel.objects.create(
        trained_at=now,
        trained_by=by,
        algorithm=trained.algorithm,
        artefact=keep_fitted(Fitted(trained.estimator, trained.encoder, trained.usual)),
        report=trained.report.as_json() | {"details": {"goal": goal.value, "scheduled": scheduled}},
    )
    log.info("scoring.prediction_trained", model=candidate.pk, rows=trained.report.rows)
    return candidate


def why_too_few(goal: Goal, *, now: datetime) -> str:
    """The sentence of the sample guard (SCORE-15); blank where there are enough. For a page: nothing is read
    that need not be counted. Raises TookTooLong."""
    enough = _enough()
    with at_most(COUNT_SECONDS, otherwise="Counting the outcomes took too long. Try again later."):
        return _too_few_words(count_examples(goal, now=now, most=enough), enough)


def _enough() -> int:
    policy = ScoringPolicy.objects.first() or ScoringPolicy()
    return policy.min_training_outcomes


def _too_few_words(there: int, enough: int) -> str:
    return "" if there >= enough else f"Too few outcomes: {there:,} of {enough:,}."


def retrain(*, now: datetime) -> PredictionModel | None:
    """The weekly candidate, and the word to marketing that it is there; never promoted by itself.

    None if the schedule made one of this goal this week, or nothing could be learnt. Safe to repeat.
    """
    goal = goal_in_use()
    same = PredictionModel.objects.filter(report__details__goal=goal.value, report__details__scheduled=True)
    if same.filter(trained_at__gt=now - RETRAIN_AFTER).exists():
        return None
    try:
        candidate = train_candidate(goal, by=None, now=now, scheduled=True)
    except TrainingRefused as refusal:
        log.info("scoring.prediction_not_trained", why=str(refusal))
        return None
    forget_old_candidates()
    tell_of_candidate(candidate, list(User.objects.filter(role=User.Role.MARKETING, is_active=True)), now=now)
    return candidate


def goal_in_use() -> Goal:
    """What the promoted model predicts; sales-qualified while there is none."""
    report = PredictionModel.objects.promoted().values_list("report", flat=True).first()
    return Goal(report["details"]["goal"]) if report else Goal.SQL


def forget_old_candidates() -> None:
    """Throw away the candidates that newer ones have outdated and nobody ever promoted."""
    never_used = PredictionModel.objects.filter(status=Status.CANDIDATE, promoted_at=None)
    kept = never_used.order_by("-trained_at", "-pk").values("pk")[:KEPT_CANDIDATES]
    never_used.exclude(pk__in=list(kept.values_list("pk", flat=True))).delete()


def tell_of_candidate(candidate: PredictionModel, people: list[User], *, now: datetime) -> None:
    report = Report.from_json(candidate.report)
    against = report.difference("rules")
    notify_users(
        people,
        kind=Notification.Kind.SCORING,
        dedupe_key=f"prediction-{candidate.pk}",
        title="A new prediction is trained",
        body="It beats the rules on later handoffs: look at it and promote it."
        if against and against.is_better
        else "It does not beat the rules on later handoffs beyond chance.",
        url=f"{reverse('scoring:prediction')}?model={candidate.pk}",
        now=now,
    )


# --- Promotion -----------------------------------------------------------------------------------


@transaction.atomic
def promote_prediction(model: PredictionModel, *, by: User, now: datetime) -> PredictionModel:
    """Use this model from now on, in the place of the one in use.

    Raises NotAllowed for anybody but marketing, PromotionRefused unless it beats the rules on later handoffs
    or if it is in use already, and PredictionNotUsable if its bytes are not what was kept.
    """
    require_marketing(by)
    _take_promotion_lock()
    model = PredictionModel.objects.select_for_update().get(pk=model.pk)
    if model.status == Status.PROMOTED:
        raise PromotionRefused(f"It is in use already, since {model.promoted_at:%d %b %Y}.")
    if refusal := why_not_promotable(model):
        raise PromotionRefused(refusal)
    require_library(model.report["library"])
    unseal(bytes(model.artefact))
    PredictionModel.objects.promoted().update(status=Status.RETIRED, retired_at=now)
    model.status, model.promoted_at, model.promoted_by, model.retired_at = Status.PROMOTED, now, by, None
    model.save(update_fields=["status", "promoted_at", "promoted_by", "retired_at"])
    log.info("scoring.prediction_promoted", model=model.pk)
    return model


@transaction.atomic
def retire_prediction(model: PredictionModel, *, by: User, now: datetime) -> None:
    """Take the model out of use, with none in its place. Raises PromotionRefused if it is not in use."""
    require_marketing(by)
    _take_promotion_lock()
    if (
        not PredictionModel.objects.promoted()
        .filter(pk=model.pk)
        .update(status=Status.RETIRED, retired_at=now)
    ):
        raise PromotionRefused("It is not in use any more.")


def why_not_promotable(model: PredictionModel) -> str:
    """Why the report speaks against its use, as a sentence; blank if it beats the rules on later handoffs."""
    report = Report.from_json(model.report)
    against = report.difference("rules")
    if report.rules is None or against is None:
        return "No rules were active when it was trained, so nothing shows that it beats them."
    if report.split.by != "time":
        return "It was not tested on later handoffs."
    if against.is_better:
        return ""
    low, high = against.roc_auc_interval
    return (
        "It does not beat the rules on later handoffs beyond chance: its ROC-AUC is "
        f"{report.model.roc_auc:.2f} and theirs {report.rules.roc_auc:.2f}, a difference that may be "
        f"anything from {low:+.2f} to {high:+.2f}."
    )


def _take_promotion_lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_PROMOTION_LOCK])
