"""Charts as plain numbers: lines, steps and bars laid out on the server for templates/_chart.html. Pure.

Every chart is laid out twice, for a wide and for a narrow place, so that its text is legible on a phone, and
keeps the table behind it. Series are told apart by marker and dash, not by colour alone.

    {% include "_chart.html" with chart=chart %}
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from common.chart_frame import PLACES
from common.chart_parts import (
    Drawing,
    Event,
    Mark,
    Point,
    Series,
    Words,
    place_on_axis,
    value_words,
    x_words,
)
from common.chart_pictures import BarPicture, LinePicture
from common.ticks import percentage, plain_number

__all__ = [
    "Chart",
    "Event",
    "Mark",
    "Point",
    "Series",
    "bar_chart",
    "line_chart",
    "percentage",
    "plain_number",
]


@dataclass(frozen=True, slots=True)
class Chart:
    """What the template shows. Without drawings there was nothing to draw, and `empty` says so."""

    title: str
    summary: str
    empty: str
    kind: str
    names: tuple[tuple[int, str], ...]
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    drawings: tuple[Drawing, ...]


def line_chart(
    title: str,
    series: Sequence[Series],
    *,
    x_label: str = "",
    marks: Sequence[Mark] = (),
    events: Sequence[Event] = (),
    steps: bool = False,
    y_words: Words = plain_number,
    y_range: tuple[float, float] | None = None,
    summary: str = "",
    empty: str = "There is nothing to show yet.",
) -> Chart:
    """Values over numbers, days or moments. With `steps` each value holds until the next point.

    The axis of values begins at zero unless `y_range` or a negative value says otherwise.
    """
    full = [_in_order(each) for each in series if any(point.y is not None for point in each.points)]
    chart = _frame(title, "line", full, x_label, y_words, summary, empty)
    if not full:
        return chart
    drawn = tuple(LinePicture(place, full, marks, events, steps, y_words, y_range).draw() for place in PLACES)
    return replace(chart, drawings=drawn)


def bar_chart(
    title: str,
    series: Sequence[Series],
    *,
    x_label: str = "",
    marks: Sequence[Mark] = (),
    y_words: Words = plain_number,
    y_range: tuple[float, float] | None = None,
    summary: str = "",
    empty: str = "There is nothing to show yet.",
) -> Chart:
    """Bars over words, with their intervals; several series stand beside each other over the same word."""
    full = [each for each in series if any(point.y is not None for point in each.points)]
    chart = _frame(title, "bar", full, x_label, y_words, summary, empty)
    if not full:
        return chart
    drawn = tuple(BarPicture(place, full, marks, y_words, y_range).draw() for place in PLACES)
    return replace(chart, drawings=drawn)


def _in_order(series: Series) -> Series:
    return Series(series.name, sorted(series.points, key=lambda point: place_on_axis(point.x)))


# --- The words and the table ---------------------------------------------------------------------


def _frame(
    title: str,
    kind: str,
    series: Sequence[Series],
    x_label: str,
    y_words: Words,
    summary: str,
    empty: str,
) -> Chart:
    return Chart(
        title=title,
        summary=summary or " ".join(_told(each, y_words) for each in series),
        empty=empty,
        kind=kind,
        names=tuple((number, each.name) for number, each in enumerate(series, 1)) if len(series) > 1 else (),
        head=(x_label or _axis_name(series), *(each.name for each in series)),
        rows=_rows(series, y_words),
        drawings=(),
    )


def _axis_name(series: Sequence[Series]) -> str:
    first = next((point.x for each in series for point in each.points), "")
    return "When" if isinstance(first, date) else "Value" if not isinstance(first, str) else ""


def _rows(series: Sequence[Series], y_words: Words) -> tuple[tuple[str, ...], ...]:
    """One row for each place on the axis, in order, with the value of every series there."""
    places = list(dict.fromkeys(point.x for each in series for point in each.points))
    if places and not isinstance(places[0], str):
        places.sort(key=place_on_axis)
    found = [{point.x: value_words(point, y_words) for point in each.points} for each in series]
    return tuple((x_words(place), *(values.get(place, "—") for values in found)) for place in places)


def _told(series: Series, y_words: Words) -> str:
    """The series in one sentence for those who do not see it."""
    known = [(point.y, point) for point in series.points if point.y is not None]
    first, last = known[0][1], known[-1][1]
    if isinstance(first.x, str):
        shown = ", ".join(f"{x_words(point.x)} {y_words(y)}" for y, point in known[:8])
        more = f" and {len(known) - 8} more" if len(known) > 8 else ""
        return f"{series.name}: {shown}{more}."
    if len(known) == 1:
        return f"{series.name}: {y_words(known[0][0])} at {x_words(first.x)}."
    highest, top = max(known, key=lambda each: each[0])
    return (
        f"{series.name}: from {y_words(known[0][0])} at {x_words(first.x)} to {y_words(known[-1][0])} "
        f"at {x_words(last.x)}, highest {y_words(highest)} at {x_words(top.x)}."
    )
