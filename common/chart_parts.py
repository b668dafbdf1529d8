"""What charts are made of: points and series that go in, and the pieces of a picture that come out. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from common.ticks import Moment, moment_words, plain_number, seconds_of

X = float | Moment
Words = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Point:
    """One value. `x` is a number, a day or a moment (in the zone in which people read it), or under a bar its
    word. Without `y` a line is broken and a bar is missing. `low` and `high` draw an interval."""

    x: X | str
    y: float | None
    low: float | None = None
    high: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Mark:
    """A horizontal line with its words, such as a threshold."""

    y: float
    label: str


@dataclass(frozen=True, slots=True)
class Event:
    """A vertical line with its words, such as a publish. Only on charts of lines."""

    x: X
    label: str


@dataclass(frozen=True, slots=True)
class Text:
    """Words on the picture; `anchor` is start, middle or end."""

    x: str
    y: str
    words: str
    anchor: str = "start"
    series: int = 0


@dataclass(frozen=True, slots=True)
class Path:
    """A stroke or an outline; `words` are its tooltip."""

    d: str
    series: int = 0
    words: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """The picture for places of one width, in units of CSS pixels."""

    css: str
    width: int
    height: int
    grid: tuple[Path, ...]
    base: Path
    labels: tuple[Text, ...]
    marks: tuple[Path, ...]
    mark_labels: tuple[Text, ...]
    lines: tuple[Path, ...]
    bars: tuple[Path, ...]
    whiskers: tuple[Path, ...]
    markers: tuple[Path, ...]
    hits: tuple[Path, ...]
    names: tuple[Text, ...]


def value_words(point: Point, y_words: Words) -> str:
    if point.y is None:
        return point.note or "—"
    words = y_words(point.y)
    if point.low is not None and point.high is not None:
        words += f" ({y_words(point.low)} to {y_words(point.high)})"
    return f"{words}, {point.note}" if point.note else words


def x_words(x: X | str) -> str:
    if isinstance(x, str):
        return x
    return moment_words(x) if isinstance(x, date) else plain_number(x)


def place_on_axis(x: X | str) -> float:
    """A number that grows along the axis."""
    if isinstance(x, date):
        return seconds_of(x)
    return float(x)
