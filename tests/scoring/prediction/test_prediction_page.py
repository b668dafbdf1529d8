"""/scoring/prediction/: who may open it, what it says, what it costs (SCORE-12, SCORE-15)."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.conf import settings
from django_q.models import OrmQ

from scoring.models import PredictionModel
from scoring.prediction.candidates import promote_prediction

pytestmark = pytest.mark.django_db

PATH = "/scoring/prediction/"
TRAINING = "scoring.prediction.tasks.train_soon"


def page(client, user, path=PATH):
    client.force_login(user)
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def post(client, user, path, **form):
    client.force_login(user)
    return client.post(path, form)


# Who may


def test_everybody_but_bdrs_reads_it(client, candidate, marketing, manager, operator, reader, bdr):
    for person in (marketing, manager, operator, reader):
        assert "ROC-AUC" in page(client, person)
    client.force_login(bdr)
    assert client.get(PATH).status_code == 403
    client.logout()
    assert client.get(PATH).status_code == 302


def test_only_marketing_trains_and_decides(client, candidate, manager, reader):
    for person in (manager, reader):
        for path in ("train/", f"{candidate.pk}/promote/", f"{candidate.pk}/retire/"):
            assert post(client, person, PATH + path).status_code == 403
        assert "Train now" not in page(client, person)
        assert "Use this model" not in page(client, person)


# What it says


def test_without_outcomes_it_says_how_many_are_missing(client, marketing):
    text = page(client, marketing)

    assert "Too few outcomes: 0 of 200." in text
    assert "No model yet" in text


def test_with_enough_outcomes_no_guard_is_shown(client, season, marketing):
    assert "Too few outcomes" not in page(client, marketing)


def test_a_report_is_told_in_figures_words_and_charts(client, candidate, marketing):
    text = page(client, marketing)

    model = candidate.report["model"]
    low, high = model["roc_auc_interval"]
    assert f"{model['roc_auc']:.3f} ({low:.3f}–{high:.3f})" in text
    assert f"puts the right one first {round(100 * model['roc_auc'])} times in 100" in text
    assert "It beats the rules: ROC-AUC higher by" in text
    assert "Without knowing “Source”, the ROC-AUC falls by" in text
    assert "What was said against what happened" in text
    assert "Successes found against failures called" in text
    assert "Naive bayes" in text
    assert "(by “handed over”) were kept for the test." in text


def test_a_weak_model_has_no_button_but_the_reason(client, candidate, marketing):
    candidate.report["differences"] = [
        {"against": "rules", "roc_auc": 0.01, "roc_auc_interval": [-0.03, 0.05]},
    ]
    candidate.save(update_fields=["report"])

    text = page(client, marketing)

    assert "It cannot be used." in text
    assert "does not beat the rules on later handoffs beyond chance" in text
    assert "Use this model" not in text


def test_it_says_what_was_learnt_from_and_of_whom_it_holds(client, candidate, marketing):
    text = page(client, marketing)

    assert "what has not succeeded by then counts as not converted" in text
    assert "Only leads that were handed over have an outcome" in text


def test_a_model_of_another_library_is_told_to_be_of_no_use(client, candidate, marketing, now):
    promote_prediction(candidate, by=marketing, now=now)
    assert "cannot be asked" not in page(client, marketing)
    PredictionModel.objects.update(report=candidate.report | {"library": "scikit-learn 1.0"})

    assert "The model in use cannot be asked.</span> It was made by scikit-learn 1.0" in page(
        client, marketing
    )


@pytest.mark.parametrize(("scheduled", "words"), [(True, "by the schedule"), (False, "by the command line")])
def test_it_says_who_or_what_trained(client, candidate, marketing, scheduled, words):
    details = {"goal": "sql", "scheduled": scheduled}
    PredictionModel.objects.update(report=candidate.report | {"details": details})

    assert words in " ".join(page(client, marketing).split())


def test_the_model_in_use_is_shown_first_and_others_by_their_address(client, candidate, marketing, now):
    promote_prediction(candidate, by=marketing, now=now)
    other = PredictionModel.objects.create(
        trained_at=now, algorithm="gradient boosting", artefact=b"", report=candidate.report
    )

    assert f"Model {candidate.pk}: {candidate.algorithm}" in page(client, marketing)
    assert f"Model {other.pk}: gradient boosting" in page(client, marketing, f"{PATH}?model={other.pk}")


@pytest.mark.parametrize(
    "asked", ["0", "99999999999999999999", "-1", "x", "²", "1e3", pytest.param("9" * 5_000, id="5000 digits")]
)
def test_an_odd_address_is_not_found(client, candidate, marketing, asked):
    client.force_login(marketing)

    assert client.get(PATH, {"model": asked}).status_code == 404


def test_the_page_costs_the_same_for_one_model_and_for_ten(
    client, candidate, marketing, django_assert_num_queries
):
    client.force_login(marketing)
    client.get(PATH)
    with django_assert_num_queries(14) as few:
        client.get(PATH)
    for _ in range(9):
        PredictionModel.objects.create(
            trained_at=candidate.trained_at, algorithm="x", artefact=b"", report=candidate.report
        )
    with django_assert_num_queries(14):
        client.get(PATH)
    assert not any("artefact" in query["sql"] for query in few.captured_queries)


# What it does


def test_the_button_has_a_worker_train(client, season, marketing):
    response = post(client, marketing, PATH + "train/", goal="sql")

    assert response.status_code == 302
    assert [task.func() for task in OrmQ.objects.all()].count(TRAINING) == 1
    assert not PredictionModel.objects.exists()


def test_training_with_too_few_outcomes_is_refused_at_once(client, rules, marketing):
    response = post(client, marketing, PATH + "train/", goal="sql")

    assert response.status_code == 409
    assert "Too few outcomes: 0 of 200." in response.content.decode()
    assert TRAINING not in [task.func() for task in OrmQ.objects.all()]


def test_an_unknown_goal_is_refused(client, season, marketing):
    assert post(client, marketing, PATH + "train/", goal="x\0").status_code == 422


def test_promoting_and_retiring_by_button(client, candidate, marketing):
    response = post(client, marketing, f"{PATH}{candidate.pk}/promote/")
    assert response.headers["Location"] == f"{PATH}?model={candidate.pk}"
    assert "Take out of use" in page(client, marketing)

    post(client, marketing, f"{PATH}{candidate.pk}/retire/")

    candidate.refresh_from_db()
    assert candidate.status == PredictionModel.Status.RETIRED


def test_promoting_twice_says_that_it_was_done(client, candidate, marketing, now):
    promote_prediction(candidate, by=marketing, now=now)

    response = post(client, marketing, f"{PATH}{candidate.pk}/promote/")

    assert response.status_code == 409
    assert "It is in use already" in response.content.decode()


def test_promoting_what_is_not_there_is_not_found(client, marketing):
    assert post(client, marketing, f"{PATH}99999999999999999999/promote/").status_code == 404


def test_a_web_process_does_not_load_the_heavy_libraries():
    """They take seconds and 150 MB: only who trains, predicts or sends loads them."""
    script = (
        "import django, sys; django.setup(); import handoff_portal.urls, handoff_portal.wsgi;"
        "from django.urls import reverse; reverse('scoring:prediction');"
        "print([name for name in ('numpy', 'scipy', 'sklearn', 'skops', 'apprise') if name in sys.modules])"
    )
    said = subprocess.run(
        [sys.executable, "-c", script],
        cwd=settings.BASE_DIR,
        env={"DJANGO_SETTINGS_MODULE": "handoff_portal.settings", "DEBUG": "1", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert said.stdout.strip().splitlines()[-1] == "[]"
