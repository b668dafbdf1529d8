"""Training on tables whose truth is known: it finds what is there, and nothing where there is nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scoring.prediction.measures import brier
from scoring.prediction.report import Report
from scoring.prediction.tables import Table, TrainingRefused
from scoring.prediction.training import train
from tests.scoring.prediction.lookalikes import best_area, logistic_table


@pytest.fixture(scope="module")
def formula():
    """A table made by a formula, its true chances, and what training found."""
    table, chances = logistic_table(2_400, seed=4)
    table = replace(table, others={"rules": [float(v or 0) for v in table.columns["visits"]]})
    return table, chances, train(table)


def test_it_comes_near_what_the_formula_itself_would_reach(formula):
    table, chances, trained = formula
    best = best_area(table.target[1_800:], chances[1_800:])

    assert best > 0.75
    assert best - 0.02 < trained.report.model.roc_auc < best + 0.01


def test_the_chances_are_nearly_as_good_as_the_true_ones(formula):
    table, chances, trained = formula
    happened = np.array(table.target[1_800:], dtype=float)
    best = brier(happened, chances[1_800:], np.ones(600))

    assert trained.report.model.brier < best + 0.006
    assert np.mean([band["said"] for band in trained.report.model.calibration]) == pytest.approx(
        happened.mean(), abs=0.05
    )


def test_the_later_quarter_is_kept_apart(formula):
    _, _, trained = formula
    split = trained.report.split

    assert (split.by, split.training_rows, split.test_rows) == ("time", 1_800, 600)
    assert "Rows from 1800 on" in split.sentence


def test_the_rules_are_measured_on_the_same_rows(formula):
    table, _, trained = formula
    visits = np.array(table.others["rules"])[1_800:]
    report = trained.report

    assert report.rules.roc_auc == pytest.approx(best_area(table.target[1_800:], visits), abs=1e-4)
    difference = report.difference("rules")
    assert difference.roc_auc == pytest.approx(report.model.roc_auc - report.rules.roc_auc, abs=2e-4)
    assert difference.is_better


def test_what_matters_is_told_and_what_does_not_too(formula):
    _, _, trained = formula
    by_column = {each.column: each for each in trained.report.importances}

    assert trained.report.importances[-1].column == "noise"
    assert by_column["source"].roc_auc_lost > 0.03
    assert by_column["source"].sentence.startswith("Without knowing “source”, the ROC-AUC falls by 0.")


def test_the_report_survives_being_kept_as_json(formula):
    _, _, trained = formula

    assert Report.from_json(trained.report.as_json()) == trained.report


def test_the_same_table_and_seed_give_the_same_report():
    table, _ = logistic_table(400, seed=2)

    assert train(table, seed=5).report == train(table, seed=5).report


@pytest.mark.parametrize("seed", [1, 2])
def test_where_there_is_nothing_to_learn_the_interval_holds_one_half(seed):
    table, _ = logistic_table(800, seed=seed)
    target = (np.random.default_rng(seed + 100).random(800) < 0.4).tolist()

    report = train(replace(table, target=target)).report

    low, high = report.model.roc_auc_interval
    assert low < 0.5 < high


def test_without_a_time_a_seeded_quarter_is_drawn_and_the_report_says_so():
    table, _ = logistic_table(400, seed=2, timed=False)

    report = train(table).report

    assert report.split.by == "chance"
    assert "drawn by chance" in report.split.sentence
    assert report.split.test_positives == pytest.approx(report.positives / 4, abs=1)


def test_rows_of_one_moment_stay_on_one_side():
    table, _ = logistic_table(400, seed=2)

    report = train(replace(table, times=[float(row // 150) for row in range(400)])).report

    assert (report.split.training_rows, report.split.test_rows) == (300, 100)


def test_nothing_is_learnt_from_outcomes_that_became_known_during_the_test():
    table, _ = logistic_table(400, seed=2)
    known_at = [row + 20.0 for row in range(400)]

    split = train(replace(table, known_at=known_at)).report.split

    assert (split.training_rows, split.test_rows) == (280, 100)
    assert "20 earlier rows were not learnt from: their outcome was known only after that." in split.sentence


def test_a_column_known_only_afterwards_is_named():
    table, _ = logistic_table(400, seed=2)
    tags = ["closed" if won else "other" for won in table.target]

    report = train(replace(table, columns=dict(table.columns) | {"Tags": tags})).report

    assert report.warnings == [
        "“Tags” alone reaches a ROC-AUC of 1.00: it looks as if it were known only after the outcome; "
        'exclude it with --exclude "Tags".'
    ]


def test_a_column_that_carries_the_model_is_to_be_looked_at_twice():
    table, _ = logistic_table(600, seed=2)
    rng = np.random.default_rng(7)
    minutes = [float(rng.normal(10 + 12 * won, 10)) for won in table.target]
    columns = {"noise": table.columns["noise"], "duration": minutes}

    report = train(replace(table, columns=columns)).report

    (warning,) = report.warnings
    assert warning.startswith("“duration” carries most of the model")
    assert warning.endswith("Make sure that it was known before the outcome.")


def test_blanks_that_give_the_outcome_away_are_named_too():
    table, _ = logistic_table(400, seed=2)
    won_on = ["2024-03-04" if won else None for won in table.target]

    report = train(replace(table, columns=dict(table.columns) | {"won_on": won_on})).report

    assert "“won_on” alone reaches a ROC-AUC of 1.00" in report.warnings[0]


def test_an_honest_table_has_no_warning(formula):
    _, _, trained = formula

    assert trained.report.warnings == []


def small(rows, positives, **changes):
    rng = np.random.default_rng(1)
    return Table(
        columns={"visits": rng.normal(size=rows).tolist()},
        target=[row < positives for row in range(rows)],
        target_name="won",
        **changes,
    )


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (small(99, 40), "Too few outcomes: 99 of 100."),
        (small(200, 0), "The outcome is the same in every row"),
        (small(200, 19), "Too few of the rarer outcome: 19 of 20."),
        (small(200, 190), "Too few of the rarer outcome: 10 of 20."),
        (small(200, 100, times=[float(row) for row in range(200)]), "in the later part of the rows: 0 of 5"),
        (small(200, 100, times=[1.0] * 200, time_name="day"), "“day” is the same in nearly all rows"),
        (replace(small(200, 100), columns={"a": ["x"] * 200}), "No column is of use"),
    ],
    ids=[
        "few rows",
        "one class",
        "few successes",
        "few failures",
        "no later success",
        "one time",
        "no column",
    ],
)
def test_too_little_is_refused_with_a_sentence(table, words):
    with pytest.raises(TrainingRefused) as refused:
        train(table)

    assert words in str(refused.value)
