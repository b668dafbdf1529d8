"""The figures as rows of plain values: the same in the CSV file and in the API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from common.csv_stream import csv_lines
from sla.figures.compliance import TIMED, Figures, Group
from sla.models import Target

COUNTS = (
    "kept", "missed", "compliance", "undecided", "fell_away", "handoffs", "handoffs_breached", "breach_rate",
    "average_attempts",
)  # fmt: skip


def speed_names(kind: Target.Kind) -> tuple[str, ...]:
    """The names of the figures about the time a target took: how many were done, and seconds."""
    measures = ("done", "median_seconds", "p90_seconds", "median_wall_seconds", "p90_wall_seconds")
    return tuple(f"{kind}_{measure}" for measure in measures)


NAMES = (*COUNTS, *(name for kind in TIMED for name in speed_names(kind)))


def as_values(figures: Figures) -> dict[str, float | None]:
    """Everything by its name. Shares lie between 0 and 1; None: there was nothing to count."""
    kept, breached = figures.kept, figures.breached
    found: dict[str, float | None] = {
        "kept": kept.yes,
        "missed": figures.missed,
        "compliance": _rounded(kept.value),
        "undecided": figures.undecided,
        "fell_away": figures.fell_away,
        "handoffs": breached.n,
        "handoffs_breached": breached.yes,
        "breach_rate": _rounded(breached.value),
        "average_attempts": _rounded(figures.attempts),
    }
    for kind, speed in figures.speeds.items():
        seconds = (speed.business.median, speed.business.p90, speed.wall.median, speed.wall.p90)
        found |= zip(speed_names(kind), (speed.done, *map(_whole, seconds)), strict=True)
    return found


def compliance_csv_lines(groups: Sequence[Group], *, by: str) -> Iterator[str]:
    """One line for each group, as the page shows them."""
    return csv_lines((by, *NAMES), ((group.label, *as_values(group.figures).values()) for group in groups))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds)
