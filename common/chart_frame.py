"""The frame of a chart: how values become places on a picture, with its grid, labels and marks. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from common.chart_parts import Mark, Path, Point, Series, Text, Words, value_words, x_words
from common.ticks import number_ticks

CHARACTER = 6.4  # the width of a letter of the charts' text, about
LINE_HEIGHT = 14


@dataclass(frozen=True, slots=True)
class Place:
    """A width to draw for. `ticks` is how many labels fit below."""

    css: str
    width: int
    height: int
    ticks: int


PLACES = (Place("chart-wide", 680, 264, 8), Place("chart-narrow", 340, 240, 4))
TOP, BOTTOM = 14, 28
MARKER_EVERY = 26  # no closer than this many units, or markers hide the line


def px(number: float) -> str:
    """A coordinate with one decimal at most."""
    return f"{round(number, 1):g}" if abs(number) < 100_000 else f"{number:.0f}"


class Picture:
    """The frame of a picture: how values become places on it."""

    def __init__(
        self,
        place: Place,
        series: Sequence[Series],
        marks: Sequence[Mark],
        y_words: Words,
        y_range: tuple[float, float] | None,
    ) -> None:
        self.place, self.series, self.marks, self.y_words = place, series, marks, y_words
        self.y_ticks = self._value_ticks(y_range)
        widest = max(len(y_words(tick)) for tick in self.y_ticks)
        self.left = 12 + widest * CHARACTER
        self.right = place.width - self._room_right()
        self.bottom = place.height - BOTTOM

    def _room_right(self) -> float:
        return 12

    def _value_ticks(self, y_range: tuple[float, float] | None) -> list[float]:
        points = [point for each in self.series for point in each.points if point.y is not None]
        values = [
            value for point in points for value in (point.y, point.low, point.high) if value is not None
        ]
        values += [mark.y for mark in self.marks]
        low, high = y_range or (min(0, *values), max(values))
        whole = all(float(value).is_integer() for value in (*values, low, high))
        return number_ticks(low, high, about=4, whole=whole)

    def y_of(self, value: float) -> float:
        low, high = self.y_ticks[0], self.y_ticks[-1]
        value = min(max(value, low), high)
        return self.bottom - (value - low) / (high - low) * (self.bottom - TOP)

    def grid(self) -> tuple[Path, ...]:
        return tuple(
            Path(f"M{px(self.left)} {px(self.y_of(tick))}H{px(self.right)}")
            for tick in self.y_ticks
            if tick != 0
        )

    def base(self) -> Path:
        return Path(f"M{px(self.left)} {px(self.y_of(0))}H{px(self.right)}")

    def value_labels(self) -> list[Text]:
        return [
            Text(px(self.left - 6), px(self.y_of(tick) + 4), self.y_words(tick), "end")
            for tick in self.y_ticks
        ]

    def mark_paths(self) -> tuple[Path, ...]:
        return tuple(
            Path(
                f"M{px(self.left)} {px(self.y_of(mark.y))}H{px(self.right)}",
                words=mark.label,
            )
            for mark in self.marks
        )

    def mark_labels(self) -> tuple[Text, ...]:
        return tuple(
            Text(px(self.left + 4), px(self.y_of(mark.y) - 4), self._fitting(mark.label))
            for mark in self.marks
        )

    def _fitting(self, words: str) -> str:
        return shortened(words, self.right - self.left - 8)

    def whisker(self, x: float, point: Point, number: int, words: str) -> Path | None:
        if point.low is None or point.high is None:
            return None
        low, high = self.y_of(point.low), self.y_of(point.high)
        ends = f"M{px(x - 4)} {px(low)}h8M{px(x - 4)} {px(high)}h8"
        return Path(f"M{px(x)} {px(low)}V{px(high)}{ends}", number, words)

    def point_words(self, series: Series, point: Point) -> str:
        name = f"{series.name}, " if len(self.series) > 1 else ""
        return f"{name}{x_words(point.x)}: {value_words(point, self.y_words)}"


def shortened(words: str, room: float) -> str:
    letters = max(3, int(room / CHARACTER))
    return words if len(words) <= letters else f"{words[: letters - 1].rstrip()}…"
