"""The CSV files of the bulk API: what a cell means, and what comes back."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from .errors import ApiError
from .fields import NUMERIC, Field, SObject

DELIMITERS = {"COMMA": ",", "SEMICOLON": ";", "TAB": "\t", "PIPE": "|", "CARET": "^", "BACKQUOTE": "`"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
# An empty cell means "leave it"; this one empties the field.
NULL = "#N/A"
BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class JobFailedError(Exception):
    """The file cannot be processed at all; says so as a job's errorMessage does."""


def split_file(data: bytes, *, delimiter: str, line_ending: str) -> tuple[list[str], list[list[str]]]:
    """The header and the rows. Raises JobFailedError for other line ends than the job announced."""
    text = data.decode("utf-8", "replace")
    if ("\r\n" in text) is not (line_ending == "CRLF"):
        words = f"LineEnding is invalid on user data. Current LineEnding setting is {line_ending}"
        raise JobFailedError(f"ClientInputError : {words}")
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=DELIMITERS[delimiter])
    header = next(lines, [])
    return header, [line for line in lines if line]


def columns_of(sobject: SObject, header: Sequence[str]) -> list[Field]:
    """The fields that the columns stand for. Raises JobFailedError naming the first unknown one, as a field
    that is hidden from the user is."""
    columns = []
    for name in header:
        try:
            columns.append(sobject.field(name))
        except ApiError:
            raise JobFailedError(f"InvalidBatch : Field name not found : {name}") from None
    return columns


def values_of(columns: Sequence[Field], cells: Sequence[str]) -> dict[str, Any]:
    """The values that a row sets. Raises the row's error for a cell that is not of its field's type."""
    if len(cells) != len(columns):
        words = f"The number of columns in the row {len(cells)} does not match the header {len(columns)}"
        raise ApiError(400, "InvalidBatch", words)
    return {
        column.name: None if cell == NULL else _typed(column, cell)
        for column, cell in zip(columns, cells, strict=True)
        if cell
    }


def _typed(field: Field, cell: str) -> Any:
    try:
        if field.type == "boolean":
            return BOOLEANS[cell.lower()]
        if field.type in NUMERIC:
            return int(cell) if field.type == "int" else float(cell)
    except (KeyError, ValueError):
        raise wrong_type(field.name, cell) from None
    return cell


def wrong_type(name: str, cell: str) -> ApiError:
    words = f"{name}: value not of required type: {cell}"
    return ApiError(400, "INVALID_TYPE_ON_FIELD_IN_RECORD", words, (name,))


def error_cell(error: ApiError) -> str:
    """Code, message and fields in one cell: `REQUIRED_FIELD_MISSING:Required fields …: [Name]:Name --`."""
    fields = " ".join(error.fields)
    return f"{error.code}:{error.message}:{f'{fields} ' if fields else ''}--"


def as_file(header: Sequence[str], rows: Iterable[Sequence[str]], *, delimiter: str, line_ending: str) -> str:
    file = io.StringIO()
    # Every cell in quotes, as Salesforce writes its results.
    lines = csv.writer(
        file,
        delimiter=DELIMITERS[delimiter],
        lineterminator=LINE_ENDINGS[line_ending],
        quoting=csv.QUOTE_ALL,
    )
    lines.writerow(header)
    lines.writerows(rows)
    return file.getvalue()
