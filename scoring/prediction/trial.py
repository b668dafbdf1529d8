"""A fitted model before the rows that it never saw: its figures, those of the other methods, and what it
goes by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray

from scoring.prediction import fitting
from scoring.prediction.columns import Encoder, Excluded, Matrix
from scoring.prediction.measures import (
    Floats,
    Ranked,
    brier,
    calibration,
    draw_weights,
    intervals,
    log_loss,
)
from scoring.prediction.report import Difference, Importance, Measured, Report, Split
from scoring.prediction.tables import Table

# One column that tells success from failure so well by itself was most likely written afterwards.
LEAKS_FROM = 0.97
SUSPECT_FROM = 0.9
# So much of the ROC-AUC, and so many times what the next one gives: the model is that column.
CARRIES_FROM = 0.1
CARRIES_TIMES = 3
SHUFFLES = 3
SHUFFLED_ROWS = 1_500

MODEL = "model"
RULES = "rules"
NAIVE_BAYES = "naive Bayes"

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Trial:
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
        chances = self._chances()
        measured, differences = _measure_all(happened, chances, seed=self.seed)
        importances = self._importances()
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
            differences=differences,
            importances=importances,
            warnings=[*self.table.notes, *self._warnings(importances)],
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

    def _warnings(self, importances: Sequence[Importance]) -> list[str]:
        return self._leaks() or _carried_by_one(importances)

    def _leaks(self) -> list[str]:
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


def _measure_all(
    happened: Floats, chances: Mapping[str, tuple[Floats, Floats]], *, seed: int
) -> tuple[dict[str, Measured], list[Difference]]:
    """All figures of all methods on the same draws, each drawn once and let go: many rows need no memory."""
    ranked = {name: Ranked.of(happened, scores) for name, (scores, _) in chances.items()}
    measures = {
        (name, key): measure
        for name, (_, said) in chances.items()
        for key, measure in _measures(happened, ranked[name], said).items()
    } | {
        (name, "lost to the model"): partial(_gained, ranked[MODEL], other)
        for name, other in ranked.items()
        if name != MODEL
    }
    found = intervals(measures, draw_weights(happened, seed=seed))
    ones = np.ones(len(happened))
    figures = {key: round(measure(ones), 4) for key, measure in measures.items()}
    measured = {
        name: _measured(name, happened, said, ranked[name], _of(name, figures), _of(name, found))
        for name, (_, said) in chances.items()
    }
    return measured, [
        Difference(name, figures[name, key], found[name, key])
        for name, key in measures
        if key == "lost to the model"
    ]


def _measures(happened: Floats, ranked: Ranked, said: Floats) -> dict[str, Callable[[Floats], float]]:
    return {
        "roc_auc": ranked.roc_auc,
        "pr_auc": ranked.average_precision,
        "brier": partial(brier, happened, said),
        "log_loss": partial(log_loss, happened, said),
    }


def _gained(model: Ranked, other: Ranked, weights: Floats) -> float:
    return model.roc_auc(weights) - other.roc_auc(weights)


def _of(name: str, figures: Mapping[tuple[str, str], Any]) -> dict[str, Any]:
    return {key: figure for (method, key), figure in figures.items() if method == name and key in _KEPT}


def _measured(
    name: str,
    happened: Floats,
    said: Floats,
    ranked: Ranked,
    figures: Mapping[str, Any],
    found: Mapping[str, Any],
) -> Measured:
    return Measured(
        name=name,
        lift_top_tenth=round(ranked.lift_of_top_tenth(np.ones(len(happened))), 3),
        calibration=[
            {"count": band.count, "said": band.said, "happened": band.happened}
            for band in calibration(happened, said)
        ],
        roc_curve=ranked.roc_curve(),
        note=_NOTES.get(name, ""),
        **figures,
        **{f"{key}_interval": edges for key, edges in found.items()},
    )


_KEPT = ("roc_auc", "pr_auc", "brier", "log_loss")
_NOTES = {
    RULES: "Points order the leads; as chances they are what such points converted in the training part.",
    NAIVE_BAYES: "Frequencies of levels and of fifths of numbers, not calibrated.",
}


def _carried_by_one(importances: Sequence[Importance]) -> list[str]:
    """Where one column carries most of the model, the word to look at it twice."""
    first, *others = importances
    next_lost = others[0].roc_auc_lost if others else 0.0
    if first.roc_auc_lost <= CARRIES_FROM or first.roc_auc_lost < CARRIES_TIMES * next_lost:
        return []
    return [
        f"“{first.column}” carries most of the model: without it the ROC-AUC falls by "
        f"{first.roc_auc_lost:.2f}. Make sure that it was known before the outcome."
    ]


def _area(happened: Floats, scores: Floats) -> float:
    return Ranked.of(happened, scores).roc_auc(np.ones(len(happened)))


def _importance(column: str, lost: float) -> Importance:
    if lost >= 0.0005:
        sentence = f"Without knowing “{column}”, the ROC-AUC falls by {lost:.3f}."
    else:
        sentence = f"“{column}” adds nothing that the other columns do not say."
    return Importance(column, lost, sentence)
