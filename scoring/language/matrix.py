"""The category matrix as a grid: engagement across, readiness up (SCORE-8). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from scoring.language.rules import Category, CategoryTier, Model


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One band of readiness with the category of each band of engagement."""

    label: str
    cells: tuple[Category, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """`columns` are the bands of engagement, lowest first; `rows` those of readiness, highest first."""

    columns: tuple[str, ...]
    rows: tuple[MatrixRow, ...]


def category_matrix(model: Model) -> Matrix:
    """Every band of the two axes that the lines of the model tell apart, with its category."""
    engagement = _lower_bounds(tier.min_engagement for tier in model.categories)
    readiness = _lower_bounds(tier.min_readiness for tier in model.categories)
    rows = [
        MatrixRow(label, tuple(_category(model.categories, across, up) for across, _ in engagement))
        for up, label in readiness
    ]
    return Matrix(tuple(label for _, label in engagement), tuple(reversed(rows)))


def _lower_bounds(bounds: Iterable[int]) -> list[tuple[int, str]]:
    """A value within each band, and what the band is called; the first lies below all bounds."""
    ordered = sorted(set(bounds))
    if not ordered:
        return [(0, "any")]
    bands = [(ordered[0] - 1, f"below {ordered[0]:,}")]
    for low, following in pairwise(ordered):
        bands.append((low, f"{low:,} to {following - 1:,}" if following - 1 > low else f"{low:,}"))
    return [*bands, (ordered[-1], f"{ordered[-1]:,} or more")]


def _category(tiers: tuple[CategoryTier, ...], engagement: int, readiness: int) -> Category:
    for tier in tiers:
        if engagement >= tier.min_engagement and readiness >= tier.min_readiness:
            return tier.category
    return Category.C
