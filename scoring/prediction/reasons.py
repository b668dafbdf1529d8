"""Why a model thinks so of a lead: what would be if one thing about the lead were as it usually is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from threadpoolctl import threadpool_limits

from scoring.prediction.columns import Encoder, Matrix
from scoring.prediction.fitting import chances_of
from scoring.prediction.measures import NEARLY, Floats
from scoring.prediction.storing import Fitted
from scoring.prediction.tables import Cell
from scoring.prediction.wording import group_of, tell

REASONS = 3
# In log-odds: less than this moves a chance by about a hundredth at most.
WORTH_SAYING = 0.05


def give_reasons(
    fitted: Fitted, columns: Mapping[str, Sequence[Cell]], signal_names: Mapping[str, str]
) -> tuple[Floats, list[list[str]]]:
    """The chance of each row, and the three things that move it most away from what is usual, in words.

    Whatever the model is: each group of columns is replaced by that of some usual rows, and the chance
    compared with what they give on average.
    """
    values, groups = fitted.encoder.encode(columns), _groups(fitted.encoder)
    with threadpool_limits(1):  # a worker is not alone on its machine
        chances = chances_of(fitted.estimator, values)
        usual = [_odds_if_usual(fitted, values, places) for places in groups.values()]
    moved = np.column_stack([_odds(chances) - each for each in usual])
    names = list(groups)
    members = {group: [name for name in columns if group_of(name) == group] for group in groups}
    reasons = []
    for row in range(len(values)):
        strongest = np.argsort(-np.abs(moved[row]), kind="stable")[:REASONS]
        reasons.append(
            [
                f"{_tell(names[place], members[names[place]], columns, row, signal_names)}: "
                f"{'raises' if moved[row, place] > 0 else 'lowers'} it"
                for place in strongest
                if abs(moved[row, place]) >= WORTH_SAYING
            ]
        )
    return chances, reasons


def _groups(encoder: Encoder) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for place, feature in enumerate(encoder.features):
        groups.setdefault(group_of(feature.column), []).append(place)
    return groups


def _odds_if_usual(fitted: Fitted, values: Matrix, places: Sequence[int]) -> Floats:
    """The mean log-odds of each row with these columns taken from the usual rows, one after the other."""
    replaced = np.repeat(values, len(fitted.usual), axis=0)
    replaced[:, places] = np.tile(fitted.usual[:, places], (len(values), 1))
    odds: Floats = _odds(chances_of(fitted.estimator, replaced)).reshape(len(values), -1).mean(axis=1)
    return odds


def _tell(
    group: str,
    members: Sequence[str],
    columns: Mapping[str, Sequence[Cell]],
    row: int,
    signal_names: Mapping[str, str],
) -> str:
    return tell(group, {name: columns[name][row] for name in members}, signal_names)


def _odds(chances: Floats) -> Floats:
    sure = np.clip(chances, NEARLY, 1 - NEARLY)
    odds: Floats = np.log(sure / (1 - sure))
    return odds
