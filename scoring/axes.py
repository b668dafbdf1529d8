"""All leads on the two axes: how many stand where, by the scores kept of them (SCORE-8)."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from django.db import connection
from django.db.models import Count

from scoring.language.rules import Formula, Model
from scoring.models import LeadScore

COLUMNS, ROWS = 8, 6  # of engagement and of fit; the outermost are open
SHADES = 5

# One pass over the kept scores; width_bucket says 0 below the range and one more than there are above it.
_COUNTS = """
SELECT width_bucket(engagement, 0, %(across)s::int, %(columns)s::int),
       width_bucket(fit, 0, %(up)s::int, %(rows)s::int), count(*)
FROM scoring_leadscore GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Cell:
    """`shade` goes from 0, nobody, to SHADES, the fullest cell. `reaches` says that fit and engagement of the
    lower corner add up to the threshold, `matches` that the fit there is enough for an ICP match."""

    leads: int
    shade: int
    reaches: bool
    matches: bool


@dataclass(frozen=True, slots=True)
class AxesRow:
    label: str
    cells: tuple[Cell, ...]
    is_last_match: bool


@dataclass(frozen=True, slots=True)
class Axes:
    """`columns` are bands of engagement, lowest first; `rows` bands of fit, highest first."""

    columns: tuple[str, ...]
    rows: tuple[AxesRow, ...]
    leads: int
    why_no_stars: str


WHY_NO_STARS = {
    Formula.ADDITIVE: "",
    Formula.HYBRID: "Totals are weighted, so no cell reaches the threshold as a whole.",
    Formula.CHECKLIST: "The checklist alone decides, so no number of points makes an MQL.",
}


def leads_on_axes(model: Model) -> Axes:
    """Where all scored leads stand. The bands are chosen so that the threshold and the ICP line lie between
    two of them."""
    across, up = _step(model.threshold, 5), _step(model.icp_from, 2)
    counts = _counts(across, up)
    fullest = max(counts.values(), default=0)
    columns = _bands(across, COLUMNS)
    rows = []
    for row, (fit, label) in reversed(list(enumerate(_bands(up, ROWS)))):
        matches = fit is not None and fit >= model.icp_from
        cells = tuple(
            Cell(
                leads=counts.get((column, row), 0),
                shade=_shade(counts.get((column, row), 0), fullest),
                reaches=_reaches(model, fit, engagement),
                matches=matches,
            )
            for column, (engagement, _) in enumerate(columns)
        )
        is_last_match = matches and fit is not None and fit - up < model.icp_from
        rows.append(AxesRow(label, cells, is_last_match))
    return Axes(
        tuple(label for _, label in columns), tuple(rows), sum(counts.values()), WHY_NO_STARS[model.formula]
    )


def _reaches(model: Model, fit: int | None, engagement: int | None) -> bool:
    if model.formula is not Formula.ADDITIVE or fit is None or engagement is None:
        return False
    return fit + engagement >= model.threshold


def leads_by_category() -> dict[str, int]:
    """How many leads are in each category."""
    counted = LeadScore.objects.values_list("category").annotate(Count("pk"))
    return dict(sorted(counted))


def _counts(across: int, up: int) -> dict[tuple[int, int], int]:
    parameters = {"across": across * (COLUMNS - 2), "columns": COLUMNS - 2, "up": up * (ROWS - 2)}
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, {**parameters, "rows": ROWS - 2})
        return {(column, row): number for column, row, number in cursor.fetchall()}


def _step(line: int, bands: int) -> int:
    """The width of a band, so that some number of bands ends on the line."""
    return next((line // parts for parts in range(bands, 0, -1) if line and line % parts == 0), 10)


def _bands(step: int, number: int) -> list[tuple[int | None, str]]:
    """(lower bound, words) of each band; the first lies below zero."""
    found: list[tuple[int | None, str]] = [(None, "below 0")]
    for band in range(number - 2):
        low, high = band * step, (band + 1) * step - 1
        found.append((low, f"{low:,}–{high:,}" if high > low else f"{low:,}"))
    return [*found, ((number - 2) * step, f"{(number - 2) * step:,} or more")]


def _shade(leads: int, fullest: int) -> int:
    """Evenly over the square root, so that a crowd at the origin does not hide everybody else."""
    if not leads:
        return 0
    return max(1, min(SHADES, round(SHADES * sqrt(leads / fullest))))
