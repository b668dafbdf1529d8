"""From our outcomes to a model in use: trained, held against the rules, promoted by a person (SCORE-12)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from common.errors import NotAllowed
from notifications.models import Notification
from scoring.models import PredictionModel, ScoringPolicy
from scoring.prediction import candidates
from scoring.prediction.candidates import (
    PromotionRefused,
    goal_in_use,
    promote_prediction,
    retire_prediction,
    retrain,
    train_candidate,
)
from scoring.prediction.examples import Goal
from scoring.prediction.sealing import PredictionNotUsable
from scoring.prediction.tables import TrainingRefused
from scoring.prediction.tasks import train_soon

pytestmark = pytest.mark.django_db

Status = PredictionModel.Status


def another(model: PredictionModel, **report: object) -> PredictionModel:
    return PredictionModel.objects.create(
        trained_at=model.trained_at,
        algorithm=model.algorithm,
        artefact=model.artefact,
        report=model.report | report,
    )


def no_better(model: PredictionModel) -> dict[str, object]:
    """The differences of a report that shows nothing beyond chance."""
    return {"differences": [{"against": "rules", "roc_auc": 0.01, "roc_auc_interval": [-0.03, 0.05]}]}


# Training


def test_a_candidate_keeps_its_model_and_the_report_of_its_test(candidate):
    report = candidate.report

    assert candidate.status == Status.CANDIDATE
    assert report["rows"] == 240
    assert report["split"]["by"] == "time"
    assert report["split"]["test_rows"] == 60
    assert report["split"]["training_rows"] < 180  # what was known only during the test is not learnt from
    assert report["rules"]["name"] == "rules"
    assert report["model"]["roc_auc"] > 0.75
    assert report["importances"][0]["column"] == "Source"
    assert report["details"] == {"goal": "sql", "scheduled": False}


def test_too_few_outcomes_are_refused_with_a_sentence(season, now):
    ScoringPolicy.objects.create(min_training_outcomes=300)

    with pytest.raises(TrainingRefused, match=r"Too few outcomes: 240 of 300\."):
        train_candidate(Goal.SQL, by=None, now=now)

    assert not PredictionModel.objects.exists()


def test_only_marketing_trains(season, manager, now):
    with pytest.raises(NotAllowed):
        train_candidate(Goal.SQL, by=manager, now=now)


# Promotion


def test_marketing_promotes_what_beats_the_rules(candidate, marketing, now):
    promote_prediction(candidate, by=marketing, now=now)

    candidate.refresh_from_db()
    assert (candidate.status, candidate.promoted_by, candidate.promoted_at) == (
        Status.PROMOTED,
        marketing,
        now,
    )


def test_one_is_in_use_at_a_time_and_the_one_before_can_come_back(candidate, marketing, now):
    newer = another(candidate)
    promote_prediction(candidate, by=marketing, now=now)

    promote_prediction(newer, by=marketing, now=now + timedelta(hours=1))

    candidate.refresh_from_db()
    assert (candidate.status, candidate.retired_at) == (Status.RETIRED, now + timedelta(hours=1))
    promote_prediction(candidate, by=marketing, now=now + timedelta(hours=2))
    assert PredictionModel.objects.promoted().get() == candidate
    assert PredictionModel.objects.get(pk=candidate.pk).retired_at is None


def test_what_does_not_beat_the_rules_is_refused(candidate, marketing, now):
    weak = another(candidate, **no_better(candidate))

    with pytest.raises(PromotionRefused, match="does not beat the rules on later handoffs beyond chance"):
        promote_prediction(weak, by=marketing, now=now)


def test_nothing_is_promoted_without_rules_to_beat_or_later_handoffs(candidate, marketing, now):
    alone = another(candidate, rules=None)
    shuffled = another(candidate, split=candidate.report["split"] | {"by": "chance"})

    with pytest.raises(PromotionRefused, match="No rules were active"):
        promote_prediction(alone, by=marketing, now=now)
    with pytest.raises(PromotionRefused, match="not tested on later handoffs"):
        promote_prediction(shuffled, by=marketing, now=now)


def test_only_marketing_promotes_and_retires(candidate, manager, now):
    with pytest.raises(NotAllowed):
        promote_prediction(candidate, by=manager, now=now)
    with pytest.raises(NotAllowed):
        retire_prediction(candidate, by=manager, now=now)


def test_who_comes_second_is_told(candidate, marketing, now):
    promote_prediction(candidate, by=marketing, now=now)

    with pytest.raises(PromotionRefused, match="in use already"):
        promote_prediction(candidate, by=marketing, now=now)


def test_changed_bytes_are_not_promoted(candidate, marketing, now):
    candidate.artefact = bytes(candidate.artefact)[:-1] + b"x"
    candidate.save(update_fields=["artefact"])

    with pytest.raises(PredictionNotUsable):
        promote_prediction(candidate, by=marketing, now=now)


def test_a_model_of_another_library_is_not_promoted(candidate, marketing, now):
    old = another(candidate, library="scikit-learn 1.0")

    with pytest.raises(PredictionNotUsable):
        promote_prediction(old, by=marketing, now=now)


def test_a_model_is_taken_out_of_use_once(candidate, marketing, now):
    promote_prediction(candidate, by=marketing, now=now)

    retire_prediction(candidate, by=marketing, now=now)

    assert not PredictionModel.objects.promoted().exists()
    with pytest.raises(PromotionRefused, match="not in use"):
        retire_prediction(candidate, by=marketing, now=now)


# The schedule and the button


def test_the_schedule_trains_a_candidate_and_tells_marketing_but_promotes_nothing(season, marketing, now):
    candidate = retrain(now=now)

    note = Notification.objects.get(recipient=marketing)
    assert (note.kind, note.title) == ("scoring", "A new prediction is trained")
    assert note.body.startswith("It beats the rules")
    assert note.url == f"/scoring/prediction/?model={candidate.pk}"
    assert not PredictionModel.objects.promoted().exists()
    assert retrain(now=now + timedelta(hours=1)) is None
    assert PredictionModel.objects.count() == 1


@pytest.mark.parametrize(
    ("details", "is_trained"),
    [
        ({"goal": "sql", "scheduled": False}, True),
        ({"goal": "won", "scheduled": True}, True),
        ({"goal": "sql", "scheduled": True}, False),
    ],
    ids=["by command", "another goal", "by the schedule"],
)
def test_only_a_run_of_the_schedule_for_this_goal_stands_in_for_the_next(
    candidate, now, details, is_trained, caplog
):
    """Without outcomes a run that begins says so."""
    another(candidate, details=details)

    retrain(now=now + timedelta(hours=1))

    assert ("scoring.prediction_not_trained" in caplog.text) is is_trained


def test_with_too_few_outcomes_the_schedule_is_silent(rules, marketing, now):
    assert retrain(now=now) is None
    assert not Notification.objects.exists()


def test_it_trains_again_for_the_goal_in_use(candidate, marketing, now):
    assert goal_in_use() == Goal.SQL

    won = another(candidate, details={"goal": "won"})
    promote_prediction(won, by=marketing, now=now)

    assert goal_in_use() == Goal.WON


def test_old_candidates_are_forgotten_but_not_those_that_were_used(candidate, marketing, now, monkeypatch):
    monkeypatch.setattr(candidates, "KEPT_CANDIDATES", 2)
    promote_prediction(candidate, by=marketing, now=now)
    retire_prediction(candidate, by=marketing, now=now)
    newer = [another(candidate) for _ in range(4)]

    candidates.forget_old_candidates()

    assert set(PredictionModel.objects.all()) == {candidate, newer[2], newer[3]}


def test_who_asked_is_told_why_nothing_was_trained(rules, marketing):
    train_soon("sql", marketing.pk)

    note = Notification.objects.get(recipient=marketing)
    assert note.title == "No prediction was trained"
    assert note.body == "Too few outcomes: 0 of 200."
