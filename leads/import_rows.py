"""Rows of a file as facts about leads. Pure but for the clean-up rules shared with every other channel."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from common.errors import InvalidInput
from leads.attributes import ANSWERS_OF_COMPANY, ANSWERS_OF_LEAD
from leads.facts import CompanyFacts, LeadFacts
from leads.whole_numbers import WHOLE_NUMBERS, read_count

VIA = "import"

KEYS = ("email", "source_system", "external_id")
# What a column can be mapped to.
FIELDS = (
    *KEYS,
    *ANSWERS_OF_LEAD,
    *(f"company.{name}" for name in ANSWERS_OF_COMPANY),
    "consent_at",
    "created_at",
)
ENCODINGS = ("utf-8-sig", "latin-1")
# A cell larger than any answer may be is a missing quote that swallowed the rest of the file.
MAX_CELL = 10_000


@dataclass(frozen=True, slots=True)
class Row:
    """A row as facts. `created_at` is when the lead first came, if the file says so."""

    facts: LeadFacts
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the file under its number, as mapped; `problem` if it is not even a row."""

    number: int
    values: dict[str, str]
    problem: str = ""


def read_text(path: Path) -> tuple[str, str]:
    """The file's text and the encoding it was read in. Latin-1 can read anything, so it comes last."""
    raw = path.read_bytes()
    for encoding in ENCODINGS[:-1]:
        try:
            return raw.decode(encoding), "UTF-8"
        except UnicodeDecodeError:
            continue
    return raw.decode(ENCODINGS[-1]), "Latin-1"


def read_lines(text: str, *, mapping: Mapping[str, str], fixed: Mapping[str, str]) -> Iterator[Line]:
    """The rows, each column under the field it is mapped to (field → column); blank lines are passed over.

    Raises InvalidInput if the file has no header or lacks a mapped column. A broken row is no reason to
    stop: it is told by its `problem`.
    """
    reader = _reader(text)
    header = [name.strip() for name in next(reader, [])]
    places = _places_of(header, mapping)
    for cells in reader:
        if any(cells):
            values = {field: cells[at].strip() for field, at in places.items() if at < len(cells)}
            yield Line(reader.line_num, {**fixed, **values}, _problem_of(cells, header))


def columns_of(text: str) -> list[str]:
    """The names in the header."""
    return [name.strip() for name in next(_reader(text), [])]


def facts_of_values(values: Any) -> Row:
    """The facts in a mapped row. Raises InvalidInput naming the field."""
    if not isinstance(values, Mapping) or not all(isinstance(value, str) for value in values.values()):
        raise InvalidInput("A row is a JSON object of texts.")
    if unknown := [name for name in values if name not in FIELDS]:
        raise InvalidInput(
            f"There is no field {unknown[0]}. Known are: {', '.join(FIELDS)}.", field=unknown[0]
        )
    said = {field: _answer(field, text) for field, text in values.items()}
    facts = LeadFacts(
        **{name: said[name] for name in (*KEYS, *ANSWERS_OF_LEAD) if name in said},
        company=CompanyFacts(
            **{name: said[f"company.{name}"] for name in ANSWERS_OF_COMPANY if f"company.{name}" in said}
        ),
        consent_at=_moment(values.get("consent_at", ""), "consent_at"),
    )
    if not facts.external_id:
        # The system is often a constant of the whole file, the id missing in some rows.
        facts = replace(facts, source_system="")
    return Row(facts, created_at=_moment(values.get("created_at", ""), "created_at"))


def _reader(text: str) -> Any:
    # A lost quotation mark makes one cell of the rest of the file: let it be read, and refused as a row.
    csv.field_size_limit(max(len(text), MAX_CELL))
    return csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter_of(text))


def _delimiter_of(text: str) -> str:
    """Comma, semicolon or tab: whichever is most frequent in the header."""
    header = text.split("\n", 1)[0]
    return max(",;\t", key=header.count)


def _places_of(header: Sequence[str], mapping: Mapping[str, str]) -> dict[str, int]:
    if not any(header):
        raise InvalidInput("The file is empty; its first line names the columns.")
    if missing := [column for column in mapping.values() if column not in header]:
        raise InvalidInput(
            f"The file has no column {missing[0]!r}. It has: {', '.join(header)}.", field=missing[0]
        )
    return {field: header.index(column) for field, column in mapping.items()}


def _problem_of(cells: Sequence[str], header: Sequence[str]) -> str:
    if len(cells) != len(header):
        return f"The row has {len(cells)} cells, the header {len(header)}."
    if any(len(cell) > MAX_CELL for cell in cells):
        return f"A cell is longer than {MAX_CELL} characters: is a quotation mark missing?"
    return ""


def _answer(field: str, text: str) -> Any:
    name = field.removeprefix("company.")
    return read_count(name, text, field=field) if name in WHOLE_NUMBERS else text


def _moment(text: str, field: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInput("This is a date such as 2026-03-03, or a time.", field=field) from None
