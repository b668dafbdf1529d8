"""Where everything of a chart stands on its picture, for a wide and for a narrow place. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

from common.chart_frame import (
    CHARACTER,
    LINE_HEIGHT,
    MARKER_EVERY,
    TOP,
    Picture,
    Place,
    px,
    shortened,
)
from common.chart_parts import Drawing, Event, Mark, Path, Point, Series, Text, Words, X, place_on_axis
from common.ticks import Tick, number_ticks, plain_number, time_ticks


class LinePicture(Picture):
    def __init__(
        self,
        place: Place,
        series: Sequence[Series],
        marks: Sequence[Mark],
        events: Sequence[Event],
        steps: bool,
        y_words: Words,
        y_range: tuple[float, float] | None,
    ) -> None:
        super().__init__(place, series, marks, y_words, y_range)
        self.steps, self.events = steps, events
        xs = [point.x for each in series for point in each.points] + [event.x for event in events]
        self.first_x = min(xs, key=place_on_axis)
        self.last_x = max(xs, key=place_on_axis)
        self.x_ticks = self._place_ticks()

    def _room_right(self) -> float:
        # Names at the ends of the lines, if there is room; a narrow picture has them above it.
        if self.place.css == "chart-narrow" or len(self.series) == 1:
            return 16
        return min(190.0, 14 + max(len(each.name) for each in self.series) * CHARACTER)

    def _place_ticks(self) -> list[Tick]:
        if isinstance(self.first_x, date) and isinstance(self.last_x, date):
            return time_ticks(self.first_x, self.last_x, most=self.place.ticks)
        low, high = place_on_axis(self.first_x), place_on_axis(self.last_x)
        whole = all(place_on_axis(point.x).is_integer() for each in self.series for point in each.points)
        ticks = number_ticks(low, high, about=self.place.ticks - 2, whole=whole)
        return [Tick(at, plain_number(at)) for at in ticks if low - 1e-9 <= at <= high + 1e-9]

    def x_of(self, x: X | str) -> float:
        return self._place_of(place_on_axis(x))

    def _place_of(self, at: float) -> float:
        low, high = place_on_axis(self.first_x), place_on_axis(self.last_x)
        share = (at - low) / (high - low) if high > low else 0.5
        return self.left + share * (self.right - self.left)

    def draw(self) -> Drawing:
        lines, markers, hits, whiskers = [], [], [], []
        for number, each in enumerate(self.series, 1):
            lines.append(Path(self._stroke(each), number))
            shapes, spots = self._markers(number, each)
            markers += shapes
            hits += spots
            for point in each.points:
                drawn = self.whisker(self.x_of(point.x), point, number, self.point_words(each, point))
                whiskers += [drawn] if drawn and point.y is not None else []
        return Drawing(
            self.place.css, self.place.width, self.place.height, self.grid(), self.base(),
            labels=(*self.value_labels(), *self._tick_labels()),
            marks=(*self.mark_paths(), *self._event_paths()),
            mark_labels=(*self.mark_labels(), *self._event_labels()),
            lines=tuple(lines), bars=(), whiskers=tuple(whiskers), markers=tuple(markers),
            hits=tuple(hits), names=self._names(),
        )  # fmt: skip

    def _stroke(self, series: Series) -> str:
        d, pen_down = "", False
        for point in series.points:
            if point.y is None:
                pen_down = False
                continue
            x, y = px(self.x_of(point.x)), px(self.y_of(point.y))
            d += (f"H{x}V{y}" if self.steps else f"L{x} {y}") if pen_down else f"M{x} {y}"
            pen_down = True
        return d

    def _markers(self, number: int, series: Series) -> tuple[list[Path], list[Path]]:
        """A shape at the points that are far enough from the one before, and a spot that is only felt at the
        others: all have a tooltip."""
        shapes, spots, last = [], [], float(-MARKER_EVERY)
        for point in series.points:
            if point.y is None:
                continue
            x, y, words = self.x_of(point.x), self.y_of(point.y), self.point_words(series, point)
            if x - last >= MARKER_EVERY:
                shapes.append(Path(marker_shape(number, x, y), number, words))
                last = x
            else:
                spots.append(Path(f"M{px(x)} {px(y)}h.1", number, words))
        return shapes, spots

    def _tick_labels(self) -> list[Text]:
        found = []
        for tick in self.x_ticks:
            half = len(tick.label) * CHARACTER / 2
            x = min(max(self._place_of(tick.at), half), self.place.width - half)
            found.append(Text(px(x), px(self.bottom + 18), tick.label, "middle"))
        return found

    def _event_paths(self) -> tuple[Path, ...]:
        return tuple(
            Path(f"M{px(self.x_of(event.x))} {TOP}V{px(self.bottom)}", words=event.label)
            for event in self.events
        )

    def _event_labels(self) -> tuple[Text, ...]:
        """Beside its line, on the side that has room; one that would lie on its neighbour is left to the
        tooltip."""
        found, taken = [], -1.0
        for event in sorted(self.events, key=lambda event: place_on_axis(event.x)):
            x, width = self.x_of(event.x), len(event.label) * CHARACTER
            start = x + 4 if x + 4 + width <= self.place.width else x - 4 - width
            if start >= max(taken, 0):
                found.append(Text(px(start), px(TOP - 3), event.label))
                taken = start + width + 6
        return tuple(found)

    def _names(self) -> tuple[Text, ...]:
        """The name of each line at its end, moved apart where lines end together."""
        if self.place.css == "chart-narrow" or len(self.series) == 1:
            return ()
        ends = []
        for number, each in enumerate(self.series, 1):
            last = max(
                (point for point in each.points if point.y is not None),
                key=lambda point: place_on_axis(point.x),
            )
            ends.append((self.y_of(last.y or 0) + 4, number, each.name))
        heights = spread([y for y, _, _ in ends], gap=LINE_HEIGHT, low=TOP, high=self.bottom)
        room = self.place.width - self.right - 10
        return tuple(
            Text(px(self.right + 8), px(y), shortened(name, room), series=number)
            for y, (_, number, name) in zip(heights, ends, strict=True)
        )


class BarPicture(Picture):
    def draw(self) -> Drawing:
        words = list(dict.fromkeys(str(point.x) for each in self.series for point in each.points))
        slot = (self.right - self.left) / len(words)
        width = min(48.0, slot * 0.76 / len(self.series))
        bars, whiskers, labels = [], [], []
        for number, each in enumerate(self.series, 1):
            for point in each.points:
                if point.y is None:
                    continue
                middle = self.left + (words.index(str(point.x)) + 0.5) * slot
                x = middle + (number - 1 - (len(self.series) - 1) / 2) * width
                told = self.point_words(each, point)
                bars.append(Path(self._bar(x, width - 2, point.y), number, told))
                drawn = self.whisker(x, point, number, told)
                whiskers += [drawn] if drawn else []
                labels += self._figure(x, width, point)
        return Drawing(
            self.place.css, self.place.width, self.place.height, self.grid(), self.base(),
            labels=(*self.value_labels(), *self._word_labels(words, slot), *labels),
            marks=self.mark_paths(), mark_labels=self.mark_labels(),
            lines=(), bars=tuple(bars), whiskers=tuple(whiskers), markers=(), hits=(), names=(),
        )  # fmt: skip

    def _bar(self, x: float, width: float, value: float) -> str:
        y, base = self.y_of(value), self.y_of(max(0, self.y_ticks[0]))
        return f"M{px(x - width / 2)} {px(base)}V{px(y)}h{px(width)}V{px(base)}z"

    def _figure(self, x: float, width: float, point: Point) -> list[Text]:
        """The value over its bar, if it has no interval there and is not wider than its place."""
        words = self.y_words(point.y or 0)
        if point.high is not None or len(words) * CHARACTER > width:
            return []
        y = self.y_of(point.y or 0)
        return [Text(px(x), px(y - 4 if (point.y or 0) >= 0 else y + 14), words, "middle")]

    def _word_labels(self, words: list[str], slot: float) -> list[Text]:
        """What is under the bars; where not all fit, every second or third."""
        longest = max(map(len, words)) * CHARACTER + 8
        if longest <= slot * 1.5:
            every = 1 if longest <= slot else 2
        else:
            every = max(1, -int(-min(longest, 90) // slot))
        return [
            Text(
                px(self.left + (index + 0.5) * slot),
                px(self.bottom + 18),
                shortened(word, slot * every),
                "middle",
            )
            for index, word in enumerate(words)
            if index % every == 0
        ]


def marker_shape(number: int, x: float, y: float) -> str:
    """A shape of its own for each of the first four series, then the same again."""
    shape = (number - 1) % 4
    if shape == 0:
        return f"M{px(x - 3.5)} {px(y)}a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0z"
    if shape == 1:
        return f"M{px(x - 3.5)} {px(y - 3.5)}h7v7h-7z"
    if shape == 2:
        return f"M{px(x)} {px(y - 4.5)}l4.5 8h-9z"
    return f"M{px(x)} {px(y - 5)}l5 5l-5 5l-5 -5z"


def spread(places: Sequence[float], *, gap: float, low: float, high: float) -> list[float]:
    """The places moved as little as keeps them `gap` apart, in their order, and between low and high if that
    is possible at all."""
    order = sorted(range(len(places)), key=lambda index: places[index])
    found = [places[index] for index in order]
    for index in range(1, len(found)):
        found[index] = max(found[index], found[index - 1] + gap)
    overhang = max(0.0, found[-1] - high) if found else 0.0
    if overhang:
        found[-1] -= overhang
        for index in range(len(found) - 2, -1, -1):
            found[index] = max(low, min(found[index], found[index + 1] - gap))
    for before, after in pairwise(range(len(found))):
        found[after] = max(found[after], found[before] + gap)
    moved = dict(zip(order, found, strict=True))
    return [moved[index] for index in range(len(places))]
