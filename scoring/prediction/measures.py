"""How well scores tell successes from failures, with intervals: plain arithmetic on arrays.

Weights count how often a row was drawn, so a bootstrap sorts the scores once and not once per draw.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Key = TypeVar("Key", bound=Hashable)

DRAWS = 400
# The 95 % interval.
LOW, HIGH = 2.5, 97.5
# No probability counts as certain: one miss would outweigh everything else.
NEARLY = 1e-6
ROC_POINTS = 40
BANDS = 10


@dataclass(frozen=True, slots=True)
class Ranked:
    """Scores from the highest down, with the ends of their ties: what ranking measures need."""

    order: NDArray[np.intp]
    hits: Floats
    tie_ends: NDArray[np.intp]

    @classmethod
    def of(cls, target: Floats, scores: Floats) -> Ranked:
        order = np.argsort(-scores, kind="stable")
        ranked = scores[order]
        ends = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
        return cls(order, target[order], ends)

    def counts(self, weights: Floats) -> tuple[Floats, Floats]:
        """Successes and failures at or above each different score, highest first."""
        drawn = weights[self.order]
        hits = np.cumsum(drawn * self.hits)[self.tie_ends]
        misses = np.cumsum(drawn * (1 - self.hits))[self.tie_ends]
        return hits, misses

    def roc_auc(self, weights: Floats) -> float:
        """How often a success stands above a failure; ties count half."""
        hits, misses = self.counts(weights)
        rate, false_rate = np.append(0.0, hits), np.append(0.0, misses)
        area = np.sum(np.diff(false_rate) * (rate[1:] + rate[:-1]) / 2)
        return float(area / (hits[-1] * misses[-1]))

    def average_precision(self, weights: Floats) -> float:
        """The area under precision over recall, in steps, as scikit-learn has it."""
        hits, misses = self.counts(weights)
        precision = hits / np.maximum(hits + misses, NEARLY)
        return float(np.sum(np.diff(np.append(0.0, hits)) * precision) / hits[-1])

    def lift_of_top_tenth(self, weights: Floats) -> float:
        """Success among the highest tenth against success among all; a tie at its end counts by share."""
        hits, misses = self.counts(weights)
        rows = hits + misses
        top = rows[-1] / 10
        found = np.interp(top, np.append(0.0, rows), np.append(0.0, hits))
        return float(found / top / (hits[-1] / rows[-1]))

    def roc_curve(self) -> list[tuple[float, float]]:
        """Points from (0, 0) to (1, 1), no more than people can see."""
        hits, misses = self.counts(np.ones(len(self.order)))
        x, y = np.append(0.0, misses / misses[-1]), np.append(0.0, hits / hits[-1])
        at = np.unique(np.linspace(0, len(x) - 1, min(len(x), ROC_POINTS)).round().astype(int))
        return [(round(float(x[i]), 4), round(float(y[i]), 4)) for i in at]


def brier(target: Floats, chances: Floats, weights: Floats) -> float:
    """The mean squared distance between what was said and what happened; 0 is best."""
    return float(np.average((chances - target) ** 2, weights=weights))


def log_loss(target: Floats, chances: Floats, weights: Floats) -> float:
    sure = np.clip(chances, NEARLY, 1 - NEARLY)
    return float(np.average(-np.log(np.where(target == 1, sure, 1 - sure)), weights=weights))


@dataclass(frozen=True, slots=True)
class Band:
    """A tenth of the rows by their chance: what was said on average, and what happened."""

    count: int
    said: float
    happened: float


def calibration(target: Floats, chances: Floats) -> list[Band]:
    order = np.argsort(chances, kind="stable")
    return [
        Band(len(part), round(float(chances[part].mean()), 4), round(float(target[part].mean()), 4))
        for part in np.array_split(order, BANDS)
        if len(part)
    ]


def draw_weights(target: Floats, *, seed: int) -> Iterator[Floats]:
    """Seeded draws with repetition, successes and failures each as many as there are: an area needs both."""
    rng = np.random.default_rng(seed)
    classes = [np.flatnonzero(target == value) for value in (0.0, 1.0)]
    for _ in range(DRAWS):
        weights = np.zeros(len(target))
        for rows in classes:
            weights[rows] = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)))
        yield weights


def intervals(
    measures: Mapping[Key, Callable[[Floats], float]], draws: Iterable[Floats]
) -> dict[Key, tuple[float, float]]:
    """Of each measure, where 95 of 100 draws lie."""
    drawn = [[measure(weights) for measure in measures.values()] for weights in draws]
    lows, highs = np.percentile(drawn, [LOW, HIGH], axis=0)
    return {
        key: (round(float(low), 4), round(float(high), 4))
        for key, low, high in zip(measures, lows, highs, strict=True)
    }
