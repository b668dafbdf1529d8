"""The estimators: a few candidates, the choice between them inside the training part, calibration, and the
naive Bayes that they have to beat. Deterministic for a seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import CategoricalNB
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer, StandardScaler, TargetEncoder

from scoring.prediction.columns import Encoder, Matrix
from scoring.prediction.measures import Floats, Ranked, log_loss

FOLDS = 5
QUANTILES = 200
# From so many of the rarer outcome on, the curve of calibration is learnt freely and not as an S.
FREE_CALIBRATION_FROM = 1_000
BINS = 5

Target = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A kind of model, and what it did on the parts of the training rows it was not fitted on."""

    name: str
    log_loss: float
    roc_auc: float
    estimator: Any


def logistic_regression(encoder: Encoder, *, rows: int, seed: int, freedom: float = 0.3) -> Pipeline:
    """Numbers as they are and by their rank; levels as yes or no; that a number is blank is a fact too.

    The less `freedom`, the nearer to zero are the weights: what many columns and few rows need.
    """
    blanks = SimpleImputer(strategy="median", keep_empty_features=True)
    marked = SimpleImputer(strategy="median", keep_empty_features=True, add_indicator=True)
    ranks = QuantileTransformer(n_quantiles=min(QUANTILES, rows // 2), random_state=seed)
    prepare = ColumnTransformer(
        [
            ("numbers", Pipeline([("blanks", marked), ("scale", StandardScaler())]), encoder.numbers),
            (
                "ranks",
                Pipeline([("blanks", blanks), ("ranks", ranks), ("scale", StandardScaler())]),
                encoder.numbers,
            ),
            ("levels", OneHotEncoder(handle_unknown="ignore"), encoder.words),
        ]
    )
    return Pipeline([("prepare", prepare), ("fit", LogisticRegression(C=freedom, max_iter=3_000))])


def gradient_boosting(encoder: Encoder, *, rows: int, seed: int) -> Pipeline:
    """Levels by what they converted, cross-fitted; a blank number goes the way that serves."""
    by_outcome = TargetEncoder(target_type="binary", cv=_folds(seed))
    prepare = ColumnTransformer(
        [("numbers", "passthrough", encoder.numbers), ("levels", by_outcome, encoder.words)]
    )
    trees = HistGradientBoostingClassifier(
        learning_rate=0.05,
        max_iter=150,
        max_leaf_nodes=15,
        min_samples_leaf=20,
        l2_regularization=1.0,
        categorical_features=None,  # the levels are numbers by now
        early_stopping=False,
        random_state=seed,
    )
    return Pipeline([("prepare", prepare), ("fit", trees)])


CANDIDATES: dict[str, Callable[..., Pipeline]] = {
    "logistic regression": logistic_regression,
    "restrained logistic regression": partial(logistic_regression, freedom=0.01),
    "gradient boosting": gradient_boosting,
}


def compare_candidates(encoder: Encoder, values: Matrix, target: Target, *, seed: int) -> list[Candidate]:
    """Each candidate's cross-validated loss on the training rows, the best first."""
    found = []
    for name, make in CANDIDATES.items():
        estimator = make(encoder, rows=len(target), seed=seed)
        chances = cross_val_predict(estimator, values, target, cv=_folds(seed), method="predict_proba")[:, 1]
        found.append(Candidate(name, *_judge(target, chances), estimator))
    return sorted(found, key=lambda each: each.log_loss)


def _judge(target: Target, chances: Floats) -> tuple[float, float]:
    happened, ones = target.astype(float), np.ones(len(target))
    return (
        round(log_loss(happened, chances, ones), 4),
        round(Ranked.of(happened, chances).roc_auc(ones), 4),
    )


def fit_calibrated(candidate: Candidate, values: Matrix, target: Target, *, seed: int) -> Any:
    """The candidate fitted on all training rows, its scores turned into chances by what it said of rows it
    was not fitted on."""
    rarer = min(target.sum(), len(target) - target.sum())
    calibrated = CalibratedClassifierCV(
        clone(candidate.estimator),
        method="isotonic" if rarer >= FREE_CALIBRATION_FROM else "sigmoid",
        ensemble=False,
        cv=_folds(seed),
    )
    return calibrated.fit(values, target)


def chances_of(model: Any, values: Matrix) -> Floats:
    """The probability of success for each row."""
    chances: Floats = model.predict_proba(values)[:, 1]
    return chances


def points_to_chances(points: Floats, target: Target, asked: Floats) -> Floats:
    """What points of other methods meant for the training rows, as chances for the asked ones."""
    width = float(np.std(points)) or 1.0
    model = LogisticRegression().fit(points.reshape(-1, 1) / width, target)
    return chances_of(model, asked.reshape(-1, 1) / width)


def naive_bayes_chances(encoder: Encoder, values: Matrix, target: Target, asked: Matrix) -> Floats:
    """Frequencies of levels, numbers in five bins: the usual method of CRMs, as a yardstick."""
    binned, asked_binned = bins_of(encoder, values, values), bins_of(encoder, values, asked)
    most = np.maximum(binned.max(axis=0), asked_binned.max(axis=0)).astype(int) + 1
    model = CategoricalNB(min_categories=most).fit(binned, target)
    return chances_of(model, asked_binned)


def tell_alone(bins: Floats, target: Target, *, seed: int) -> float:
    """The ROC-AUC of one binned column by itself: each row by what its like converted among other rows."""
    column = bins.astype(int)
    rates = np.empty(len(target))
    for learnt, asked in _folds(seed).split(column, target):
        rows = np.bincount(column[learnt], minlength=column.max() + 1)
        hits = np.bincount(column[learnt], weights=target[learnt], minlength=column.max() + 1)
        rates[asked] = ((hits + target.mean()) / (rows + 1))[column[asked]]
    return Ranked.of(target.astype(float), rates).roc_auc(np.ones(len(target)))


def bins_of(encoder: Encoder, learnt: Matrix, asked: Matrix) -> Matrix:
    """Levels as they are; numbers by the fifths of the learnt rows, the last bin for what is not known."""
    binned = asked.copy()
    for place in encoder.numbers:
        known = learnt[:, place][~np.isnan(learnt[:, place])]
        edges = np.unique(np.quantile(known, np.arange(1, BINS) / BINS)) if len(known) else np.empty(0)
        bins = np.searchsorted(edges, asked[:, place], side="right").astype(float)
        binned[:, place] = np.where(np.isnan(asked[:, place]), len(edges) + 1, bins)
    return binned


def _folds(seed: int) -> StratifiedKFold:
    return StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
