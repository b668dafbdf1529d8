"""What the model in use says of each open lead, kept up to date, with reasons in words (SCORE-12)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.template.loader import render_to_string

from leads.attributes import replace_values
from leads.models import Lead, LeadEvent
from scoring.models import LeadPrediction, LeadScore
from scoring.prediction import refreshing
from scoring.prediction.candidates import promote_prediction, retire_prediction
from scoring.prediction.features import read_features
from scoring.prediction.refreshing import refresh_predictions
from scoring.prediction.sealing import PredictionNotUsable
from scoring.prediction.shown import chance_words, prediction_of
from tests.factories import ActivityFactory, LeadFactory
from tests.scoring.prediction.season import handed_at

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def model(candidate, marketing, now):
    return promote_prediction(candidate, by=marketing, now=now)


def mql(now, **facts) -> Lead:
    return LeadFactory(**{"stage": Lead.Stage.MQL, "created_at": now - 2 * DAY} | facts)


def test_a_referral_is_likelier_than_a_fair_and_both_say_why(rules, model, now):
    referral, fair = mql(now, source="Referral"), mql(now, source="Fair")

    refresh_predictions(now=now)

    likely, unlikely = (LeadPrediction.objects.get(lead=lead) for lead in (referral, fair))
    assert likely.per_mille > 700
    assert unlikely.per_mille < 300
    assert likely.reasons[0] == "Came through Referral: raises it"
    assert unlikely.reasons[0] == "Came through Fair: lowers it"
    assert all(len(each.reasons) <= 3 for each in (likely, unlikely))


def hand_over(lead, at, *, handoff_id=900_001):
    LeadEvent.objects.create(lead=lead, kind="handed_off", at=at, handoff_id=handoff_id)


def test_a_lead_with_sales_is_judged_by_what_was_known_at_its_handoff(model, now):
    """As the examples were: else its own handoff and its silence since then would count against it."""
    lead, waiting = mql(now, source="Referral", created_at=now - 40 * DAY), mql(now, stage=Lead.Stage.LEAD)
    Lead.objects.filter(pk=waiting.pk).update(last_activity_at=now - DAY)
    hand_over(lead, now - 30 * DAY)
    hand_over(lead, now - 9 * DAY, handoff_id=900_002)
    replace_values(lead, {"source": "Fair"}, by=None, at=now - DAY, via="test")
    due = refreshing._due(model, now=now, limit=9, after=0)

    refresh_predictions(now=now)

    assert due == [(lead.pk, now - 9 * DAY), (waiting.pk, now)]
    said = LeadPrediction.objects.get(lead=lead)
    assert said.reasons[0] == "Came through Referral: raises it"


def test_serving_asks_of_a_handed_over_lead_what_training_asked(model, season, now):
    lead = season[-1]

    (moment,) = [each for each in refreshing._due(model, now=now, limit=999, after=0) if each[0] == lead.pk]

    assert read_features([moment]) == read_features([(lead.pk, handed_at(lead))])
    assert read_features([moment])[1]["handed_before"] == [0]


def test_a_handoff_makes_the_prediction_due(model, now):
    lead = mql(now)
    refresh_predictions(now=now)
    hand_over(lead, now + HOUR)

    refresh_predictions(now=now + 2 * HOUR)

    assert LeadPrediction.objects.get(lead=lead).predicted_at == now + 2 * HOUR


def test_the_score_stays_as_it_is(rules, model, now):
    mql(now)

    refresh_predictions(now=now)

    assert not LeadScore.objects.exists()


def test_a_second_run_finds_nothing_to_do(model, now):
    mql(now)
    assert refresh_predictions(now=now)

    assert refresh_predictions(now=now + HOUR) == 0


def test_what_the_lead_does_or_says_and_the_next_day_make_it_due_again(model, now):
    does, says, waits = mql(now), mql(now), mql(now)
    refresh_predictions(now=now)
    Lead.objects.filter(pk=does.pk).update(last_activity_at=now + HOUR)
    replace_values(says, {"source": "Fair"}, by=None, at=now + HOUR, via="test")

    refresh_predictions(now=now + 2 * HOUR)

    refreshed = LeadPrediction.objects.filter(predicted_at=now + 2 * HOUR)
    assert set(refreshed.values_list("lead", flat=True)) == {does.pk, says.pk}
    refresh_predictions(now=now + DAY)
    assert LeadPrediction.objects.get(lead=waits).predicted_at == now + DAY


def test_only_leads_whose_outcome_is_open_are_looked_at(model, now):
    with_sales = mql(now, stage=Lead.Stage.SAL)
    active = mql(now, stage=Lead.Stage.LEAD, last_activity_at=now - DAY)
    for facts in (
        {"stage": Lead.Stage.LEAD},
        {"stage": Lead.Stage.NURTURE, "last_activity_at": now - 31 * DAY},
        {"stage": Lead.Stage.SQL},
        {"stage": Lead.Stage.CUSTOMER},
        {"created_at": now + DAY},
    ):
        mql(now, **facts)

    refresh_predictions(now=now)

    assert set(LeadPrediction.objects.values_list("lead", flat=True)) == {with_sales.pk, active.pk}


def test_an_activity_dated_in_the_future_does_not_keep_a_lead_due(model, now):
    lead = mql(now, last_activity_at=now + 9 * DAY)
    ActivityFactory(lead=lead, occurred_at=now + 9 * DAY, received_at=now)
    refresh_predictions(now=now)

    assert refresh_predictions(now=now + HOUR) == 0


def test_work_is_done_in_batches_in_order(model, now):
    leads = [mql(now) for _ in range(5)]

    last = refresh_predictions(now=now, limit=2)

    assert last == leads[1].pk
    assert refresh_predictions(now=now, limit=2, after=last) == leads[3].pk
    assert refresh_predictions(now=now, limit=2, after=leads[3].pk) == leads[4].pk
    assert LeadPrediction.objects.count() == 5


def test_a_batch_takes_as_many_statements_as_one_lead(model, now, django_assert_num_queries):
    for _ in range(6):
        mql(now)

    with django_assert_num_queries(6):
        refresh_predictions(now=now)


def test_without_a_model_in_use_nothing_is_said(candidate, now):
    mql(now)

    assert refresh_predictions(now=now) == 0
    assert not LeadPrediction.objects.exists()


def test_another_model_makes_every_lead_due(model, candidate, marketing, now):
    lead = mql(now)
    refresh_predictions(now=now)
    model.pk, model.status, model.promoted_at, model.promoted_by = None, "candidate", None, None
    model.save()
    promote_prediction(model, by=marketing, now=now)

    refresh_predictions(now=now + HOUR)

    assert LeadPrediction.objects.get(lead=lead).model == model


def test_a_tampered_model_is_not_asked(model, now):
    mql(now)
    model.artefact = bytes(model.artefact)[:-1] + b"x"
    model.save(update_fields=["artefact"])

    with pytest.raises(PredictionNotUsable):
        refresh_predictions(now=now)

    assert not LeadPrediction.objects.exists()


# What the panel shows


def test_the_panel_says_what_is_predicted_when_and_by_what(model, now, django_assert_num_queries):
    lead = mql(now, source="Referral")
    refresh_predictions(now=now)

    with django_assert_num_queries(1):
        shown = prediction_of(lead, now=now)

    assert shown.chance.endswith(" of 100")
    assert shown.outcome == "become sales-qualified"
    assert shown.reasons[0] == "Came through Referral: raises it"
    assert (shown.predicted_at, shown.trained_at, shown.model_id) == (now, model.trained_at, model.pk)


def test_of_a_lead_that_sales_does_not_have_it_says_if_it_were_handed_over(model, now):
    ours = mql(now, stage=Lead.Stage.LEAD, last_activity_at=now - DAY)
    refresh_predictions(now=now)

    shown = prediction_of(ours, now=now)

    assert not shown.is_handed_over
    words = render_to_string("scoring/_prediction.html", {"prediction": shown})
    assert "such leads become sales-qualified if they are handed over." in words


@pytest.mark.parametrize(
    ("stage", "later"),
    [(Lead.Stage.SQL, HOUR), (Lead.Stage.CUSTOMER, HOUR), (Lead.Stage.LOST, HOUR), (Lead.Stage.MQL, 2 * DAY)],
    ids=["qualified", "won", "lost", "old"],
)
def test_what_is_decided_or_old_is_not_shown(model, now, stage, later):
    lead = mql(now)
    refresh_predictions(now=now)
    lead.stage = stage

    assert prediction_of(lead, now=now + later) is None


def test_what_a_retired_model_said_is_not_shown(model, marketing, now):
    lead = mql(now)
    refresh_predictions(now=now)

    retire_prediction(model, by=marketing, now=now)

    assert prediction_of(lead, now=now) is None


@pytest.mark.parametrize(
    ("per_mille", "words"),
    [
        (0, "fewer than 1 of 100"),
        (10, "1 of 100"),
        (344, "34 of 100"),
        (990, "99 of 100"),
        (1000, "more than 99 of 100"),
    ],
)
def test_no_chance_is_told_as_certain(per_mille, words):
    assert chance_words(per_mille) == words
