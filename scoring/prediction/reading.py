"""Read a foreign table of leads: any delimiter, blanks by any name, an outcome in any words (SCORE-12).

Memory is bounded: rows are read one by one, repeated words are kept once, and a table that is too large is
refused before it is held.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from scoring.prediction.dates import parse_moments
from scoring.prediction.tables import Cell, Table, TrainingRefused

# What people and exports write for "not known". "Select" is what a form holds that nobody filled in.
BLANKS = frozenset(
    {"", "select", "unknown", "na", "n/a", "#n/a", "<na>", "nan", "null", "none", "nil", "?", "-", "--"}
)
YES = frozenset({"1", "1.0", "yes", "y", "true", "t"})
NO = frozenset({"0", "0.0", "no", "n", "false", "f"})

MAX_CELLS = 5_000_000
MAX_COLUMNS = 2_000
MAX_LINE = 1_000_000
# Larger numbers are no amounts, and arithmetic on them ends in infinity.
LARGEST = 1e15
DELIMITERS = ",;\t|"
# Beyond so many different words in a column, repetitions are too rare to be worth looking up.
MAX_KEPT_WORDS = 50_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which outcome, split and columns the person asked for. `positive` is the word that means success."""

    target: str
    positive: str = ""
    time: str = ""
    exclude: Sequence[str] = ()


def read_table(path: Path, wanted: Wanted) -> Table:
    """The table in the file. Raises TrainingRefused for a file or a wish that cannot be met."""
    try:
        return _read(path, wanted, encoding="utf-8-sig")
    except UnicodeDecodeError:
        # Windows-1252 as Latin-1, in which every byte is some character.
        return _read(path, wanted, encoding="latin-1")
    except OSError as error:
        raise TrainingRefused(f"{path} cannot be read: {error.strerror or error}.", field="file") from error


def _read(path: Path, wanted: Wanted, *, encoding: str) -> Table:
    with path.open(encoding=encoding, newline="") as handle:
        rows = _rows(handle)
        names = _names(next(rows, []))
        _check_names(names, wanted)
        sheet = _Sheet(names)
        for line, cells in enumerate(rows, 2):
            sheet.add(cells, line=line)
    return _table(sheet, wanted)


def _rows(handle: TextIO) -> Iterator[list[str]]:
    lines = _lines(handle)
    first = next(lines, "")
    if not first.strip():
        raise TrainingRefused(
            "The file is empty, or its first line is: it must name the columns.", field="file"
        )
    delimiter = max(DELIMITERS, key=_outside_quotes(first).count)
    reader = csv.reader(_chain(first, lines), delimiter=delimiter, skipinitialspace=True)
    try:
        yield from (cells for cells in reader if cells)
    except csv.Error as error:
        raise TrainingRefused(f"Line {reader.line_num} is not CSV: {error}.", field="file") from error


def _lines(handle: TextIO) -> Iterator[str]:
    while line := handle.readline(MAX_LINE):
        if len(line) == MAX_LINE:
            raise TrainingRefused(f"A line is longer than {MAX_LINE:,} characters.", field="file")
        if "\0" in line:
            raise TrainingRefused("The file holds NUL characters: save it as CSV in UTF-8.", field="file")
        yield line


def _chain(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _outside_quotes(line: str) -> str:
    return "".join(line.split('"')[::2])


def _names(header: Sequence[str]) -> list[str]:
    """The names of the columns, each once: a nameless one by its place, a repeated one with a number."""
    names: list[str] = []
    for place, given in enumerate(header, 1):
        name = given.strip() or f"column {place}"
        count = 2
        unique = name
        while unique in names:
            unique, count = f"{name} ({count})", count + 1
        names.append(unique)
    return names


def _check_names(names: Sequence[str], wanted: Wanted) -> None:
    if len(names) < 2:
        raise TrainingRefused(
            "The file has one column only. Columns are told apart by comma, semicolon, tab or bar.",
            field="file",
        )
    if len(names) > MAX_COLUMNS:
        raise TrainingRefused(
            f"The file has {len(names):,} columns; {MAX_COLUMNS:,} can be used.", field="file"
        )
    asked = (
        ("--target", wanted.target),
        ("--time", wanted.time),
        *(("--exclude", n) for n in wanted.exclude),
    )
    for option, name in asked:
        if name and name not in names:
            listed = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
            raise TrainingRefused(
                f"{option}: there is no column “{name}”. There are: {listed}.", field=option
            )
    if wanted.target in (wanted.time, *wanted.exclude):
        raise TrainingRefused("--target: the outcome cannot be left out or tell the time.", field="--target")


@dataclass(slots=True)
class _Sheet:
    """The cells as read, column by column."""

    names: list[str]
    columns: list[list[str | None]] = field(init=False)
    _words: list[dict[str, str]] = field(init=False)
    _read: int = 0

    def __post_init__(self) -> None:
        self.columns = [[] for _ in self.names]
        self._words = [{} for _ in self.names]

    def add(self, cells: Sequence[str], *, line: int) -> None:
        if len(cells) > len(self.names) and any(map(str.strip, cells[len(self.names) :])):
            raise TrainingRefused(
                f"Row {line} has {len(cells)} cells, but the first line names {len(self.names)} columns.",
                field="file",
            )
        self._read += len(self.names)
        if self._read > MAX_CELLS:
            raise TrainingRefused(
                f"The table is too large: {MAX_CELLS:,} cells can be used. Take a sample of its rows, or "
                "fewer columns.",
                field="file",
            )
        short = len(self.names) - len(cells)
        row = [*cells, *([""] * short)] if short > 0 else cells
        for column, words, cell in zip(self.columns, self._words, row, strict=False):
            column.append(_kept(cell, words))


def _kept(cell: str, words: dict[str, str]) -> str | None:
    text = cell.strip()
    if text.casefold() in BLANKS:
        return None
    if len(words) < MAX_KEPT_WORDS:
        return words.setdefault(text, text)
    return words.get(text, text)


def _table(sheet: _Sheet, wanted: Wanted) -> Table:
    cells = dict(zip(sheet.names, sheet.columns, strict=True))
    outcome = _outcome(cells.pop(wanted.target), wanted)
    times = _times(cells.pop(wanted.time), wanted.time) if wanted.time else None
    taken = [
        row
        for row, known in enumerate(outcome)
        if known is not None and (times is None or times[row] is not None)
    ]
    left_out = {
        f"“{wanted.target}” is blank": sum(known is None for known in outcome),
        f"“{wanted.time}” tells no time": sum(time is None for time in times or ()),
    }
    return Table(
        columns={
            name: _cells(column[row] for row in taken)
            for name, column in cells.items()
            if name not in wanted.exclude
        },
        target=[bool(outcome[row]) for row in taken],
        target_name=wanted.target,
        times=None if times is None else [times[row] or 0.0 for row in taken],
        time_name=wanted.time,
        left_out={reason: count for reason, count in left_out.items() if count},
        notes=[f"Left out as asked: {', '.join(wanted.exclude)}."] if wanted.exclude else [],
    )


def _cells(values: Iterable[str | None]) -> list[Cell]:
    """Numbers where all that is known in the column is one; what is no amount of anything is not known."""
    texts = list(values)
    try:
        numbers = [None if text is None else float(text) for text in texts]
    except ValueError:
        return list(texts)
    return [number if number is not None and abs(number) <= LARGEST else None for number in numbers]


def _outcome(texts: Sequence[str | None], wanted: Wanted) -> list[bool | None]:
    words = {text.casefold() for text in texts if text is not None}
    if wanted.positive:
        sought = wanted.positive.strip().casefold()
        if sought not in words:
            raise TrainingRefused(f"--positive: no row says “{wanted.positive}”.", field="--positive")
        return [None if text is None else text.casefold() == sought for text in texts]
    if not words <= YES | NO:
        shown = sorted(words - YES - NO)[:4]
        raise TrainingRefused(
            f"“{wanted.target}” says {', '.join(f'“{word}”' for word in shown)}, which is neither yes nor "
            "no. Name the word that means success with --positive.",
            field="--target",
        )
    return [None if text is None else text.casefold() in YES for text in texts]


def _times(texts: Sequence[str | None], name: str) -> list[float | None]:
    times = parse_moments(texts)
    said = sum(text is not None for text in texts)
    if sum(time is not None for time in times) < max(1, said - said // 100):
        raise TrainingRefused(
            f"--time: “{name}” does not tell a time in each row, such as 2026-03-31 or 2026-03-31 14:05.",
            field="--time",
        )
    return times
