"""How promises were kept, in pictures: week by week, and group beside group."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from common.charts import Chart, Point, Series, bar_chart, line_chart, percentage
from sla.figures.compliance import TIMED, Group

MOST_BARS = 12
HOUR = 3600


def chart_compliance(weeks: Sequence[Group], *, mondays: Sequence[date]) -> Chart:
    """The share of promises kept in each week, with its interval; a week without any breaks the line."""
    shares = {group.key: group.figures.kept for group in weeks}
    return line_chart(
        "Promises kept by week",
        [
            Series(
                "Kept",
                [
                    shares[monday].point(monday) if monday in shares else Point(monday, None)
                    for monday in mondays
                ],
            )
        ],
        x_label="Week from",
        y_words=percentage,
        y_range=(0, 1),
        empty="No promise of this period has been decided yet.",
    )


def chart_speed(weeks: Sequence[Group], *, mondays: Sequence[date], hours: str) -> Chart:
    """The median time to open, decide and call in each week."""
    figures = {group.key: group.figures for group in weeks}
    return line_chart(
        f"Median time taken by week, {'around the clock' if hours == 'wall' else 'in working hours'}",
        [
            Series(
                kind.label,
                [
                    Point(monday, _hours(figures[monday].speeds[kind].by(hours).median))
                    for monday in mondays
                    if monday in figures
                ],
            )
            for kind in TIMED
        ],
        x_label="Week from",
        y_words=hours_words,
        empty="Nothing was opened, decided or called in this period yet.",
    )


def chart_groups(groups: Sequence[Group], *, by: str) -> Chart:
    """The share of promises kept by each group, as many as a picture can hold."""
    decided = [group for group in groups if group.figures.kept.n]
    shown = decided[:MOST_BARS]
    more = f", {len(shown)} of {len(decided)}" if len(decided) > len(shown) else ""
    return bar_chart(
        f"Promises kept by {by}{more}",
        [Series("Kept", [group.figures.kept.point(group.label) for group in shown])],
        x_label=by.capitalize(),
        y_words=percentage,
        y_range=(0, 1),
        empty="No promise of this period has been decided yet.",
    )


def hours_words(hours: float) -> str:
    """'45 min', '1.5 h'."""
    return f"{round(hours * 60)} min" if hours < 1 else f"{hours:,.3g} h"


def _hours(seconds: float | None) -> float | None:
    return None if seconds is None else seconds / HOUR
