"""Bulk API 2.0: a job takes any number of rows as one file, for a handful of calls (SALESFORCE.md §3).

Not by simple-salesforce: its `bulk2` waits for a job in the caller's thread, signs in no second time when the
session is over, and keeps whole files in memory.
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.util import call_salesforce

from crm.problems import Problem

from .errors import problem_of_row, translated
from .rows import RowResult
from .session import Session

# Raw bytes: Salesforce takes 150 MB, and encoding makes a file grow by half.
MOST_BYTES = 90 * 1024 * 1024
# In a cell: empty leaves the field alone, this empties it.
BLANK = "#N/A"
PIECE = 1024 * 1024
# `REQUIRED_FIELD_MISSING:Required fields are missing: [Company]:Company --`
ERROR_CELL = re.compile(r"(?P<code>[A-Z][A-Z0-9_]+):(?P<message>.*?):?(?P<fields>[\w ,]*)--\s*", re.DOTALL)


class FileIsFull(Exception):
    """One more row would make the file larger than a job may be."""


class UnfitForCsv(Exception):
    """A value that a file cannot say: taken at its word, it would empty the field."""


@dataclass(frozen=True)
class JobStatus:
    """How far Salesforce is with a job."""

    state: str
    processed: int
    failed: int
    message: str = ""

    @property
    def is_open(self) -> bool:
        """Made, but not handed over: whether it has its file nobody knows, and it takes one only once."""
        return self.state == "Open"

    @property
    def has_ended(self) -> bool:
        return self.state in ("JobComplete", "Failed", "Aborted")

    @property
    def is_complete(self) -> bool:
        """Every row was tried."""
        return self.state == "JobComplete"


class BulkSession(Session):
    """Ingest jobs. No assignment rule takes leads away here, as none is named."""

    def open_job(self, object_name: str, *, key: str) -> str:
        """Make a job that upserts by an external id, or updates by `Id`; its Salesforce id."""
        wanted = {"object": object_name, "contentType": "CSV", "lineEnding": "LF"}
        if key == "Id":
            wanted["operation"] = "update"
        else:
            wanted |= {"operation": "upsert", "externalIdFieldName": key}
        answer = self.call(lambda salesforce: _ask(salesforce, "POST", "jobs/ingest", json=wanted).json())
        return translated(lambda: str(answer["id"]))

    def upload_file(self, job_id: str, file: IO[bytes]) -> None:
        """Give a job its rows. Only once: Salesforce refuses a second file."""

        def put(salesforce: Salesforce) -> None:
            file.seek(0)
            headers = {"Content-Type": "text/csv"}
            _ask(salesforce, "PUT", f"jobs/ingest/{job_id}/batches", headers=headers, data=file)

        self.call(put)

    def start_job(self, job_id: str) -> None:
        """Say that the file is complete. Without it, Salesforce does nothing."""
        self._set_state(job_id, "UploadComplete")

    def abort_job(self, job_id: str) -> None:
        """Have Salesforce stop; what it has saved stays saved."""
        self._set_state(job_id, "Aborted")

    def job_status(self, job_id: str) -> JobStatus:
        answer = self.call(lambda salesforce: _ask(salesforce, "GET", f"jobs/ingest/{job_id}").json())
        return translated(
            lambda: JobStatus(
                str(answer["state"]),
                int(answer.get("numberRecordsProcessed") or 0),
                int(answer.get("numberRecordsFailed") or 0),
                str(answer.get("errorMessage") or ""),
            )
        )

    def job_results(self, job_id: str, *, key: str, status: JobStatus) -> dict[str, RowResult]:
        """What became of the rows of a job that ended, by their key in lower case. Rows without a
        result were not tried."""
        results: dict[str, RowResult] = {}
        if status.processed > status.failed:
            results.update(self._read_results(f"jobs/ingest/{job_id}/successfulResults", key))
        if status.failed:
            results.update(self._read_results(f"jobs/ingest/{job_id}/failedResults", key))
        return results

    def _set_state(self, job_id: str, state: str) -> None:
        self.call(
            lambda salesforce: _ask(salesforce, "PATCH", f"jobs/ingest/{job_id}", json={"state": state})
        )

    def _read_results(self, path: str, key: str) -> dict[str, RowResult]:
        with tempfile.TemporaryFile() as file:
            self.call(lambda salesforce: _download(salesforce, path, file))
            return translated(lambda: dict(_results(file, key)))


class CsvFile:
    """The file of a job while it is written. The columns have to be known before: see `columns_of`."""

    def __init__(self, columns: Iterable[str]) -> None:
        self.columns = list(columns)
        self._bytes = tempfile.TemporaryFile()  # noqa: SIM115 - closed by writing_csv
        self._line = io.StringIO()
        self._writer = csv.writer(self._line, lineterminator="\n")
        self._size = 0
        self.rows = 0
        self._write(self.columns)

    def add(self, row: Mapping[str, Any]) -> None:
        """Raises FileIsFull, and UnfitForCsv for a value that cannot be said here."""
        self._write([_cell(row[name]) if name in row else "" for name in self.columns])
        self.rows += 1

    def _write(self, cells: list[str]) -> None:
        self._line.seek(0)
        self._line.truncate()
        self._writer.writerow(cells)
        line = self._line.getvalue().encode()
        if self._size + len(line) > MOST_BYTES:
            raise FileIsFull
        self._bytes.write(line)
        self._size += len(line)

    @property
    def file(self) -> IO[bytes]:
        return self._bytes


@contextmanager
def writing_csv(columns: Iterable[str]) -> Iterator[CsvFile]:
    """A file in a temporary place, gone afterwards."""
    written = CsvFile(columns)
    try:
        yield written
    finally:
        written.file.close()


def _cell(value: Any) -> str:
    if value is None or value == "":
        return BLANK
    if isinstance(value, bool):
        return "true" if value else "false"
    # The job says LF: another line end inside a cell makes Salesforce refuse the whole file.
    text = str(value).replace("\r\n", "\n").replace("\r", "\n")
    if text == BLANK:
        raise UnfitForCsv
    return text


def _ask(salesforce: Salesforce, method: str, path: str, **how: Any) -> requests.Response:
    headers = {**salesforce.headers, **how.pop("headers", {})}
    return call_salesforce(
        f"{salesforce.base_url}{path}", method, salesforce.session, headers, allow_redirects=False, **how
    )


def _download(salesforce: Salesforce, path: str, file: IO[bytes]) -> None:
    file.seek(0)
    file.truncate()
    with _ask(salesforce, "GET", path, stream=True) as response:
        for piece in response.iter_content(PIECE):
            file.write(piece)


def _results(file: IO[bytes], key: str) -> Iterator[tuple[str, RowResult]]:
    """Raises ValueError for a file that is not what the API promises."""
    file.seek(0)
    lines = csv.DictReader(io.TextIOWrapper(file, "utf-8", newline=""))
    try:
        for line in lines:
            yield line[key].lower(), _result(line)
    except csv.Error as error:
        raise ValueError(str(error)) from None


def _result(line: Mapping[str, str]) -> RowResult:
    if "sf__Created" in line:
        return RowResult(line["sf__Id"], line["sf__Created"] == "true")
    return RowResult(problem=_problem(line["sf__Error"]))


def _problem(cell: str) -> Problem:
    """A collections row tells its error in parts; here they are joined into one cell."""
    told = ERROR_CELL.fullmatch(cell)
    if told is None:
        code, _, message = cell.partition(":")
        return problem_of_row({"errors": [{"statusCode": code.strip(), "message": message or cell}]})
    fields = re.split(r"[ ,]+", told["fields"].strip()) if told["fields"].strip() else []
    error = {"statusCode": told["code"], "message": told["message"], "fields": fields}
    return problem_of_row({"errors": [error]})
