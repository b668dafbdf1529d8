"""From a table to a fitted model and the report of its test on rows that it never saw (SCORE-12).

The same for our own leads and for a foreign table. Later rows are kept apart where the table tells the time,
otherwise a seeded quarter. Everything is learnt from the training part: which columns are of use, their
levels, the choice between the candidates, the calibration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

from scoring.prediction import fitting
from scoring.prediction.columns import Encoder, Excluded, Matrix, learn_encoder
from scoring.prediction.measures import (
    Floats,
    Ranked,
    brier,
    calibration,
    draw_weights,
    interval,
    log_loss,
)
from scoring.prediction.report import Difference, Importance, Measured, Report, Split
from scoring.prediction.tables import Table, TrainingRefused

SEED = 12
TEST_SHARE = 0.25
# Fewer tell nothing apart from chance. How many of our own outcomes are enough is marketing's to say.
MIN_ROWS = 100
MIN_RARER = 20
MIN_RARER_IN_TEST = 5
# One column that tells success from failure so well by itself was most likely written afterwards.
LEAKS_FROM = 0.97
SUSPECT_FROM = 0.9
SHUFFLES = 3
# Rows of the training part that stand for what is usual when reasons are given.
USUAL_ROWS = 16
SHUFFLED_ROWS = 1_500

MODEL = "model"
RULES = "rules"
NAIVE_BAYES = "naive Bayes"

Rows = NDArray[np.intp]


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
        trial = _Trial(table, target, training, test, encoder, values, model, seed)
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
        training, test, sentence = _split_by_time(np.array(table.times), table.time_name)
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


def _split_by_time(times: Floats, name: str) -> tuple[Rows, Rows, str]:
    """The last quarter; rows of one moment stay together, on the later side."""
    begins = np.sort(times)[int(len(times) * (1 - TEST_SHARE))]
    test = np.flatnonzero(times >= begins)
    training = np.flatnonzero(times < begins)
    if not len(training):
        raise TrainingRefused(f"“{name}” is the same in nearly all rows: nothing is earlier or later.")
    return training, test, f"Rows from {_moment_words(begins)} on (by “{name}”) were kept for the test."


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


# --- The test ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Trial:
    """A fitted model before the rows that it never saw."""

    table: Table
    target: NDArray[np.bool_]
    training: Rows
    test: Rows
    encoder: Encoder
    values: Matrix
    model: Any
    seed: int

    def report(
        self, split: Split, excluded: Sequence[Excluded], candidates: Sequence[fitting.Candidate]
    ) -> Report:
        happened = self.target[self.test].astype(float)
        draws = draw_weights(happened, seed=self.seed)
        chances = self._chances()
        measured = {
            name: _measure(name, happened, scores, said, draws) for name, (scores, said) in chances.items()
        }
        return Report(
            target=self.table.target_name,
            rows=len(self.target),
            positives=int(self.target.sum()),
            left_out=dict(self.table.left_out),
            split=split,
            columns_used=[self._use(name) for name in self.encoder.sources],
            columns_excluded=[
                {"column": self.table.label(each.column), "reason": each.reason} for each in excluded
            ],
            candidates=[
                {"name": each.name, "log_loss": each.log_loss, "roc_auc": each.roc_auc} for each in candidates
            ],
            model=replace(measured[MODEL], name=candidates[0].name),
            naive_bayes=measured[NAIVE_BAYES],
            rules=measured.get(RULES),
            differences=_differences(happened, chances, draws),
            importances=self._importances(),
            warnings=[*self.table.notes, *self._warnings()],
            seed=self.seed,
            library=f"scikit-learn {sklearn.__version__}",
        )

    def _chances(self) -> dict[str, tuple[Floats, Floats]]:
        """By method, what orders the held-out rows and what chance it gives them."""
        learnt, asked = self.values[self.training], self.values[self.test]
        known = self.target[self.training]
        said = fitting.chances_of(self.model, asked)
        naive = fitting.naive_bayes_chances(self.encoder, learnt, known, asked)
        found = {MODEL: (said, said), NAIVE_BAYES: (naive, naive)}
        for name, points in self.table.others.items():
            scores = np.array(points, dtype=float)
            found[name] = (
                scores[self.test],
                fitting.points_to_chances(scores[self.training], known, scores[self.test]),
            )
        return found

    def _importances(self) -> list[Importance]:
        """What the model loses when a column is shuffled among the held-out rows, most first."""
        rng = np.random.default_rng(self.seed)
        rows = self.test
        if len(rows) > SHUFFLED_ROWS:
            rows = np.sort(rng.choice(rows, SHUFFLED_ROWS, replace=False))
        asked, happened = self.values[rows], self.target[rows].astype(float)
        full = _area(happened, fitting.chances_of(self.model, asked))
        found = []
        for group, places in self._groups().items():
            shuffled = np.tile(asked, (SHUFFLES, 1))
            order = np.concatenate([rng.permutation(len(rows)) for _ in range(SHUFFLES)])
            shuffled[:, places] = asked[order][:, places]
            scores = fitting.chances_of(self.model, shuffled).reshape(SHUFFLES, -1)
            lost = [full - _area(happened, each) for each in scores]
            found.append(_importance(group, round(float(np.mean(lost)), 4)))
        return sorted(found, key=lambda each: -each.roc_auc_lost)

    def _groups(self) -> dict[str, list[int]]:
        groups: dict[str, list[int]] = {}
        for column, places in self.encoder.sources.items():
            groups.setdefault(self.table.group(column), []).extend(places)
        return groups

    def _use(self, column: str) -> dict[str, str]:
        features = [self.encoder.features[place] for place in self.encoder.sources[column]]
        first = features[0]
        if first.part == "filled in":
            how = "whether it is filled in"
        elif first.part:
            how = "a date, as " + " and ".join(feature.part for feature in features)
        elif first.levels is None:
            how = "a number"
        else:
            how = f"words, {len(first.levels)} of them frequent enough"
        return {"column": self.table.label(column), "as": how}

    def _warnings(self) -> list[str]:
        learnt, known = self.values[self.training], self.target[self.training]
        bins = fitting.bins_of(self.encoder, learnt, learnt)
        sentences = []
        for name, places in self.encoder.sources.items():
            column = self.table.label(name)
            alone = max(fitting.tell_alone(bins[:, place], known, seed=self.seed) for place in places)
            if alone >= LEAKS_FROM:
                sentences.append(
                    f"“{column}” alone reaches a ROC-AUC of {alone:.2f}: it looks as if it were known only "
                    f'after the outcome; exclude it with --exclude "{column}".'
                )
            elif alone >= SUSPECT_FROM:
                sentences.append(
                    f"“{column}” alone reaches a ROC-AUC of {alone:.2f}: make sure that it was known before "
                    "the outcome."
                )
        return sentences


def _measure(name: str, happened: Floats, scores: Floats, chances: Floats, draws: list[Floats]) -> Measured:
    ranked, ones = Ranked.of(happened, scores), np.ones(len(happened))
    measures: dict[str, Callable[[Floats], float]] = {
        "roc_auc": ranked.roc_auc,
        "pr_auc": ranked.average_precision,
        "brier": lambda weights: brier(happened, chances, weights),
        "log_loss": lambda weights: log_loss(happened, chances, weights),
    }
    figures: dict[str, Any] = {}
    for key, measure in measures.items():
        figures[key] = round(measure(ones), 4)
        figures[f"{key}_interval"] = interval(measure, draws)
    return Measured(
        name=name,
        lift_top_tenth=round(ranked.lift_of_top_tenth(ones), 3),
        calibration=[
            {"count": band.count, "said": band.said, "happened": band.happened}
            for band in calibration(happened, chances)
        ],
        roc_curve=ranked.roc_curve(),
        note=_NOTES.get(name, ""),
        **figures,
    )


_NOTES = {
    RULES: "Points order the leads; as chances they are what such points converted in the training part.",
    NAIVE_BAYES: "Frequencies of levels and of fifths of numbers, not calibrated.",
}


def _differences(
    happened: Floats, chances: Mapping[str, tuple[Floats, Floats]], draws: list[Floats]
) -> list[Difference]:
    model = Ranked.of(happened, chances[MODEL][0])
    ones = np.ones(len(happened))
    found = []
    for name, (scores, _) in chances.items():
        if name == MODEL:
            continue
        other = Ranked.of(happened, scores)

        def gained(weights: Floats, other: Ranked = other) -> float:
            return model.roc_auc(weights) - other.roc_auc(weights)

        found.append(Difference(name, round(gained(ones), 4), interval(gained, draws)))
    return found


def _area(happened: Floats, scores: Floats) -> float:
    return Ranked.of(happened, scores).roc_auc(np.ones(len(happened)))


def _importance(column: str, lost: float) -> Importance:
    if lost >= 0.0005:
        sentence = f"Without knowing “{column}”, the ROC-AUC falls by {lost:.3f}."
    else:
        sentence = f"“{column}” adds nothing that the other columns do not say."
    return Importance(column, lost, sentence)
