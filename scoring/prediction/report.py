"""What a training run found, as plain values that JSON holds. Pure: pages read it without numpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Measured:
    """One method on the held-out rows. What needs a probability is missing where the method gives none."""

    name: str
    roc_auc: float
    roc_auc_interval: Interval
    pr_auc: float
    pr_auc_interval: Interval
    brier: float
    brier_interval: Interval
    log_loss: float
    log_loss_interval: Interval
    lift_top_tenth: float
    calibration: list[dict[str, float]]
    roc_curve: list[tuple[float, float]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """How much larger the ROC-AUC of the chosen model is on the same rows, drawn together."""

    against: str
    roc_auc: float
    roc_auc_interval: Interval

    @property
    def is_better(self) -> bool:
        """Beyond chance: the whole interval lies above zero."""
        return self.roc_auc_interval[0] > 0


@dataclass(frozen=True, slots=True)
class Split:
    """Which rows were kept apart. `by` is "time" or "chance"."""

    by: str
    sentence: str
    training_rows: int
    training_positives: int
    test_rows: int
    test_positives: int


@dataclass(frozen=True, slots=True)
class Importance:
    """How much ROC-AUC the model loses on the held-out rows when the column is shuffled."""

    column: str
    roc_auc_lost: float
    sentence: str


@dataclass(frozen=True, slots=True)
class Report:
    """All figures are of rows that the model never saw, but for `candidates`, which were compared within the
    training part. `rules` is None for a foreign table."""

    target: str
    rows: int
    positives: int
    left_out: dict[str, int]
    split: Split
    columns_used: list[dict[str, str]]
    columns_excluded: list[dict[str, str]]
    candidates: list[dict[str, float | str]]
    model: Measured
    naive_bayes: Measured
    rules: Measured | None
    differences: list[Difference]
    importances: list[Importance]
    warnings: list[str]
    seed: int
    library: str
    details: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Report:
        """Raises KeyError or TypeError for what no report of ours is."""
        return cls(
            **dict(kept)
            | {
                "split": Split(**kept["split"]),
                "model": Measured(**kept["model"]),
                "naive_bayes": Measured(**kept["naive_bayes"]),
                "rules": Measured(**kept["rules"]) if kept["rules"] else None,
                "differences": [Difference(**each) for each in kept["differences"]],
                "importances": [Importance(**each) for each in kept["importances"]],
            }
        )

    def difference(self, against: str) -> Difference | None:
        return next((each for each in self.differences if each.against == against), None)
