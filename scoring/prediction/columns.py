"""Which columns can be learnt from, and how they become numbers: decided on the training rows alone.

A column of numbers stays one; words become levels, rare ones together; a date becomes weekday and hour. What
tells the rows apart instead of describing them, says the same everywhere or nothing at all is left out, with
the reason.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.prediction.dates import parse_dates
from scoring.prediction.tables import Cell

Matrix = NDArray[np.float64]

# A level needs so many training rows, and one in two hundred; there are no more than so many of a column.
MIN_LEVEL_ROWS = 5
MIN_LEVEL_SHARE = 200
MAX_LEVELS = 60
# Words that are nearly all different name the rows.
NAMING_SHARE = 0.5
# Numbers outside these percentiles of the training rows count as those: no outlier leads.
OUTERMOST = (0.5, 99.5)

_NAMES_A_ROW = re.compile(
    r"(?i:(^|[\W_])(id|ids|uuid|guid|key|number|no|nr|index|hash)$)|(?<=[a-z])(Id|ID|Key)$"
)


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of the matrix. Levels are numbered by their place; after the last come "another" and "not
    known". Numbers are held between `low` and `high`."""

    column: str
    part: str  # "" for the value itself, else "weekday", "hour" or "filled in"
    levels: tuple[str, ...] | None
    low: float = 0.0
    high: float = 0.0

    @property
    def name(self) -> str:
        return f"{self.column} ({self.part})" if self.part else self.column

    @property
    def level_count(self) -> int:
        """With "another" and "not known"; 0 for a number."""
        return 0 if self.levels is None else len(self.levels) + 2


@dataclass(frozen=True, slots=True)
class Excluded:
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class Encoder:
    """How cells become numbers; plain values, so that it is kept as JSON."""

    features: tuple[Feature, ...]

    def encode(self, columns: Mapping[str, Sequence[Cell]]) -> Matrix:
        """One row of numbers for each row of cells; a number that is not known is NaN, and so is all of a
        column that is no longer there."""
        rows = len(next(iter(columns.values()), ()))
        unknown: list[Cell] = [None] * rows
        return np.column_stack(
            [_encode(feature, columns.get(feature.column, unknown)) for feature in self.features]
        )

    @property
    def numbers(self) -> list[int]:
        return [place for place, feature in enumerate(self.features) if feature.levels is None]

    @property
    def words(self) -> list[int]:
        return [place for place, feature in enumerate(self.features) if feature.levels is not None]

    @property
    def sources(self) -> dict[str, list[int]]:
        """The places in the matrix of what came from each column of the table."""
        places: dict[str, list[int]] = {}
        for place, feature in enumerate(self.features):
            places.setdefault(feature.column, []).append(place)
        return places

    def as_json(self) -> list[dict[str, Any]]:
        return [asdict(feature) for feature in self.features]

    @classmethod
    def from_json(cls, features: Sequence[Mapping[str, Any]]) -> Encoder:
        """Raises KeyError or TypeError for what as_json never gave."""
        return cls(
            tuple(
                Feature(**{**each, "levels": None if each["levels"] is None else tuple(each["levels"])})
                for each in features
            )
        )


def learn_encoder(
    columns: Mapping[str, Sequence[Cell]], rows: Sequence[int]
) -> tuple[Encoder, list[Excluded]]:
    """What these rows, the training part, tell about each column."""
    features: list[Feature] = []
    excluded: list[Excluded] = []
    for name, cells in columns.items():
        learnt = _learn(name, [cells[row] for row in rows])
        if isinstance(learnt, Excluded):
            excluded.append(learnt)
        else:
            features += learnt
    return Encoder(tuple(features)), excluded


def _learn(name: str, cells: list[Cell]) -> list[Feature] | Excluded:
    known = [cell for cell in cells if cell is not None]
    if not known:
        return Excluded(name, "it is blank throughout")
    is_partly_blank = len(known) < len(cells)
    if len(set(known)) == 1 and not is_partly_blank:
        return Excluded(name, "it says the same in every row")
    if all(isinstance(cell, int | float) for cell in known):
        return _learn_numbers(name, np.array(known, dtype=float))
    words = [str(cell) for cell in known]
    dates = [date for date in parse_dates(words) if date is not None]
    if len(dates) >= 0.99 * len(words):
        return _learn_dates(name, dates)
    return _learn_words(name, words, blank=len(cells) - len(words))


def _learn_numbers(name: str, numbers: Matrix) -> list[Feature] | Excluded:
    whole = bool(np.all(numbers == np.round(numbers)))
    distinct = len(np.unique(numbers))
    if (
        whole
        and distinct == len(numbers) > MAX_LEVELS
        and (_NAMES_A_ROW.search(name) or _is_a_count(numbers))
    ):
        return Excluded(name, "it numbers the rows")
    return [_number_feature(name, "", numbers)]


def _number_feature(name: str, part: str, numbers: Matrix) -> Feature:
    low, high = np.percentile(numbers, OUTERMOST)
    return Feature(name, part, None, float(low), float(high))


def _is_a_count(numbers: Matrix) -> bool:
    """Whole numbers that all differ and grow, or fall, from row to row."""
    steps = np.diff(numbers)
    return bool(np.all(steps > 0) or np.all(steps < 0))


def _learn_words(name: str, words: list[str], *, blank: int) -> list[Feature] | Excluded:
    counts = Counter(_level(word) for word in words)
    enough = max(MIN_LEVEL_ROWS, (len(words) + blank) // MIN_LEVEL_SHARE)
    levels = tuple(level for level, count in counts.most_common(MAX_LEVELS) if count >= enough)
    if levels and (len(levels) > 1 or blank or len(counts) > 1):
        return [Feature(name, "", levels)]
    if blank >= enough:
        return [Feature(name, "filled in", ("yes", "no"))]
    if len(counts) > NAMING_SHARE * len(words):
        return Excluded(name, "its words name the rows: nearly all of them differ")
    return Excluded(name, "none of its words is frequent enough to learn from")


def _learn_dates(name: str, dates: list[datetime]) -> list[Feature]:
    weekdays = Counter(date.strftime("%A") for date in dates)
    levels = tuple(level.casefold() for level, _ in weekdays.most_common())
    features = [Feature(name, "weekday", levels)]
    if any(date.hour or date.minute for date in dates):
        features.append(_number_feature(name, "hour", np.array([float(date.hour) for date in dates])))
    return features


# --- Encoding ------------------------------------------------------------------------------------


def _encode(feature: Feature, cells: Sequence[Cell]) -> Matrix:
    if feature.part == "filled in":
        return np.array([0.0 if cell is not None else 1.0 for cell in cells])
    if feature.part in _PARTS:
        dates = parse_dates([None if cell is None else str(cell) for cell in cells])
        cells = [None if date is None else _PARTS[feature.part](date) for date in dates]
    if feature.levels is None:
        return np.clip([_number(cell) for cell in cells], feature.low, feature.high)
    places = {level: float(place) for place, level in enumerate(feature.levels)}
    another, unknown = float(len(places)), float(len(places) + 1)
    return np.array([unknown if cell is None else places.get(_level(str(cell)), another) for cell in cells])


def _number(cell: Cell) -> float:
    return float(cell) if isinstance(cell, int | float) else np.nan


def _level(word: str) -> str:
    return " ".join(word.split()).casefold()


_PARTS: dict[str, Callable[[datetime], Cell]] = {
    "weekday": lambda date: date.strftime("%A"),
    "hour": lambda date: float(date.hour),
}
