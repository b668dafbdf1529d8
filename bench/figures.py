"""What a benchmark says, in the table and as a JSON line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One measured value. `ratio` is value / reference; `holds` tells whether the target was met."""

    name: str
    value: float
    unit: str
    reference: float
    ratio: float
    target: str
    holds: bool
    detail: dict[str, Any]


def percentile(values: Iterable[float], percent: float) -> float:
    """Return the value that so many percent of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * int(percent * 100) // 10_000) - 1)]


def append_json_lines(figures: Sequence[Figure], path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        for figure in figures:
            file.write(json.dumps(asdict(figure)) + "\n")


def as_table(figures: Sequence[Figure]) -> str:
    rows = [("benchmark", "value", "unit", "reference", "ratio", "target", "holds")]
    for figure in figures:
        rows.append(
            (
                figure.name,
                f"{figure.value:,.2f}",
                figure.unit,
                f"{figure.reference:,.2f}",
                f"{figure.ratio:.2f}",
                figure.target,
                "yes" if figure.holds else "NO",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)
