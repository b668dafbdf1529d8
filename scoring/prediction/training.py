"""From a table to a fitted model and the report of its test on rows that it never saw (SCORE-12).

The same for our own leads and for a foreign table. Later rows are kept apart where the table tells the time,
otherwise a seeded quarter. Everything is learnt from the training part: which columns are of use, their
levels, the choice between the candidates, the calibration.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

from scoring.prediction import fitting
from scoring.prediction.columns import Encoder, Matrix, learn_encoder
from scoring.prediction.measures import Floats
from scoring.prediction.report import Report, Split
from scoring.prediction.tables import Table, TrainingRefused
from scoring.prediction.trial import Rows, Trial

SEED = 12
TEST_SHARE = 0.25
# Fewer tell nothing apart from chance. How many of our own outcomes are enough is marketing's to say.
MIN_ROWS = 100
MIN_RARER = 20
MIN_RARER_IN_TEST = 5
# Rows of the training part that stand for what is usual when reasons are given.
USUAL_ROWS = 16


@dataclass(frozen=True, slots=True)
class Trained:
    """A fitted model with what it needs to read a table, some usual rows, and the report of its test."""

    estimator: Any
    encoder: Encoder
    usual: Matrix
    algorithm: str
    report: Report


def train(table: Table, *, seed: int = SEED, min_rows: int = MIN_ROWS) -> Trained:
    """Fit and test. The same table and seed give the same model and report. Raises TrainingRefused."""
    target = np.array(table.target, dtype=bool)
    _check_enough(target, min_rows=min_rows)
    training, test, split = _split(table, target, seed=seed)
    encoder, excluded = learn_encoder(table.columns, training.tolist())
    if not encoder.features:
        raise TrainingRefused("No column is of use: all are blank, constant or name the rows.")
    values = encoder.encode(table.columns)
    # One thread: a worker is not alone on its machine, and sums come out the same everywhere.
    with threadpool_limits(1):
        candidates = fitting.compare_candidates(encoder, values[training], target[training], seed=seed)
        model = fitting.fit_calibrated(candidates[0], values[training], target[training], seed=seed)
        trial = Trial(table, target, training, test, encoder, values, model, seed)
        report = trial.report(split, excluded, candidates)
    drawn = np.random.default_rng(seed).choice(training, USUAL_ROWS, replace=False)
    return Trained(model, encoder, values[np.sort(drawn)], candidates[0].name, report)


def _check_enough(target: NDArray[np.bool_], *, min_rows: int) -> None:
    positives = int(target.sum())
    rarer = min(positives, len(target) - positives)
    if len(target) < min_rows:
        raise TrainingRefused(f"Too few outcomes: {len(target)} of {min_rows}.")
    if not rarer:
        raise TrainingRefused("The outcome is the same in every row: there is nothing to tell apart.")
    if rarer < MIN_RARER:
        raise TrainingRefused(
            f"Too few of the rarer outcome: {rarer} of {MIN_RARER}. {positives} of {len(target)} succeeded."
        )


# --- The split -----------------------------------------------------------------------------------


def _split(table: Table, target: NDArray[np.bool_], *, seed: int) -> tuple[Rows, Rows, Split]:
    if table.times is None:
        training, test = train_test_split(
            np.arange(len(target)), test_size=TEST_SHARE, stratify=target, random_state=seed
        )
        training, test = np.sort(training), np.sort(test)
        sentence = (
            "A quarter of the rows, drawn by chance with as many successes in each part, was kept for the "
            "test: no column tells the time, so this is not a test on later data."
        )
    else:
        training, test, sentence = _split_by_time(table, np.array(table.times))
    _check_parts(target[training], target[test])
    return (
        training,
        test,
        Split(
            by="chance" if table.times is None else "time",
            sentence=sentence,
            training_rows=len(training),
            training_positives=int(target[training].sum()),
            test_rows=len(test),
            test_positives=int(target[test].sum()),
        ),
    )


def _split_by_time(table: Table, times: Floats) -> tuple[Rows, Rows, str]:
    """The last quarter; rows of one moment stay together, on the later side. Of the earlier rows only those
    whose outcome was known before the first later one: nobody could have learnt from the others then."""
    begins = np.sort(times)[int(len(times) * (1 - TEST_SHARE))]
    test, earlier = np.flatnonzero(times >= begins), np.flatnonzero(times < begins)
    if not len(earlier):
        raise TrainingRefused(
            f"“{table.time_name}” is the same in nearly all rows: nothing is earlier or later."
        )
    sentence = f"Rows from {_moment_words(begins)} on (by “{table.time_name}”) were kept for the test."
    training = earlier if table.known_at is None else earlier[np.array(table.known_at)[earlier] < begins]
    if late := len(earlier) - len(training):
        sentence += f" {late:,} earlier rows were not learnt from: their outcome was known only after that."
    return training, test, sentence


def _moment_words(seconds: float) -> str:
    """Numbers that cannot be seconds since 1980 are shown as they are."""
    if 3.2e8 < seconds < 4.1e9:
        return f"{datetime.fromtimestamp(seconds, UTC):%d %b %Y}"
    return f"{seconds:g}"


def _check_parts(training: NDArray[np.bool_], test: NDArray[np.bool_]) -> None:
    for part, name, least in ((training, "earlier", MIN_RARER // 2), (test, "later", MIN_RARER_IN_TEST)):
        rarer = min(int(part.sum()), int((~part).sum()))
        if rarer < least:
            raise TrainingRefused(
                f"Too few of the rarer outcome in the {name} part of the rows: {rarer} of {least}."
            )
