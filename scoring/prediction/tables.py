"""A table of examples with a known outcome: plain values, before anything is turned into numbers. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from common.errors import InvalidInput

Cell = str | float | None


class TrainingRefused(InvalidInput):
    """Nothing sound can be learnt from this; the message says why and what would help."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows whose outcome is known. `None` in a column means that the value is not known.

    `times` orders the rows for a split into earlier and later ones, in seconds of the epoch or any other
    number that grows; without it the split is random. `known_at` says on the same scale when each outcome
    became known: nothing is learnt from what only became known during the test. `others` are the scores of
    other methods for the same rows, to be measured on the same split. `left_out` says how many rows were not
    taken, by reason. `labels` are the names of columns for people, where those differ; `groups` names what
    several columns tell as one.
    """

    columns: Mapping[str, Sequence[Cell]]
    target: Sequence[bool]
    target_name: str
    times: Sequence[float] | None = None
    time_name: str = ""
    known_at: Sequence[float] | None = None
    others: Mapping[str, Sequence[float]] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    notes: Sequence[str] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)

    def label(self, column: str) -> str:
        return self.labels.get(column, column)

    def group(self, column: str) -> str:
        return self.groups.get(column) or self.label(column)

    def __len__(self) -> int:
        return len(self.target)
