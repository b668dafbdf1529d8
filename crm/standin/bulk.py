"""Bulk API 2.0 ingest: a job takes one CSV file, and is processed in the background (SALESFORCE.md §3)."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from .bulk_processing import JobRunner
from .bulk_rows import DELIMITERS, LINE_ENDINGS, as_file
from .bulk_shelf import ENDED, Info, JobShelf, Row
from .errors import ApiError
from .faults import FaultBoard
from .fields import SObject
from .messages import Reply, Request
from .org import Caller, Org

OPERATIONS = ("insert", "update", "upsert", "delete")
# What may be asked for besides; the first one is meant when nothing is said.
ALLOWED = {
    "contentType": ("CSV",),
    "lineEnding": tuple(LINE_ENDINGS),
    "columnDelimiter": tuple(DELIMITERS),
}
MAX_FILE = 150 * 1024 * 1024
CSV = "text/csv"
JOB = r"jobs/ingest/(?P<job>\w+)"


class IngestDesk:
    """The ingest jobs of one org. They are kept in its file: a restart goes on with them."""

    def __init__(self, org: Org, faults: FaultBoard) -> None:
        self.org = org
        self.shelf = JobShelf(org.store, clock=org.clock)
        self.runner = JobRunner(org, self.shelf, faults)

    def create(self, request: Request, caller: Caller, version: str) -> Reply:
        wanted = request.json(dict)
        sobject = self._object(wanted)
        info = self.shelf.add(_new_job(wanted, sobject, caller, version))
        address = f"services/data/v{version}/jobs/ingest/{info['id']}/batches"
        self.shelf.save(info, contentUrl=address)
        return Reply(200, info)

    def _object(self, wanted: Info) -> SObject:
        """The object that a new job is about. Raises INVALIDJOB for what cannot be asked for."""
        try:
            sobject = self.org.seen(str(wanted.get("object")))
        except ApiError:
            raise _invalid_job(f"Unable to find object: {wanted.get('object')}") from None
        if wanted.get("operation") not in OPERATIONS:
            raise _invalid_job(f"operation must be one of: {', '.join(OPERATIONS)}")
        for name, values in ALLOWED.items():
            if wanted.get(name, values[0]) not in values:
                raise _invalid_job(f"{name} must be one of: {', '.join(values)}")
        if wanted["operation"] == "upsert":
            key = str(wanted.get("externalIdFieldName") or "")
            try:
                sobject.upsert_field(key)
            except ApiError:
                words = f"Field name provided, {key} does not match an External ID for {sobject.name}"
                raise _invalid_job(words) from None
        return sobject

    def upload(self, request: Request, job_id: str) -> Reply:
        """The one file of a job: a second one is refused."""
        if not request.headers.get("content-type", "").startswith(CSV):
            raise ApiError(415, "UNSUPPORTED_MEDIA_TYPE", "Content-Type must be text/csv")
        if len(request.body) * 4 // 3 > MAX_FILE:
            raise ApiError(413, "REQUEST_TOO_LARGE", "The file is larger than 150 MB after base64 encoding")
        with self.shelf.store.transaction():
            info = self.shelf.info(job_id)
            if info["state"] != "Open":
                raise _wrong_state(info, "take data")
            if self.shelf.file(job_id) is not None:
                raise ApiError(400, "INVALIDJOBSTATE", f"Found multiple contents for job: {job_id}")
            self.shelf.put_file(job_id, request.body)
        return Reply(201)

    def change_state(self, request: Request, job_id: str) -> Reply:
        """UploadComplete has it processed, Aborted ends it; nothing else can be asked for."""
        state = request.json(dict).get("state")
        with self.shelf.store.transaction():
            info = self.shelf.info(job_id)
            is_complete = info["state"] == "Open" and self.shelf.file(job_id) is not None
            allowed = {"UploadComplete": is_complete, "Aborted": info["state"] not in ENDED}
            if not allowed.get(state):
                raise _wrong_state(info, f"become {state}")
            self.shelf.save(info, state=state)
        if state == "UploadComplete":
            self.runner.begin(job_id)
        return Reply(200, info)

    def read(self, job_id: str) -> Reply:
        return Reply(200, self.shelf.info(job_id))

    def read_all(self) -> Reply:
        return Reply(200, {"done": True, "nextRecordsUrl": None, "records": self.shelf.all()})

    def remove(self, job_id: str) -> Reply:
        with self.shelf.store.transaction():
            info = self.shelf.info(job_id)
            if info["state"] not in ENDED:
                raise _wrong_state(info, "be deleted")
            self.shelf.remove(job_id)
        return Reply(204)

    def results(self, job_id: str, kind: str) -> Reply:
        """What became of the rows, in no promised order: here those saved last come first."""
        info = self.shelf.info(job_id)
        if info["state"] not in ENDED:
            raise _wrong_state(info, "give results")
        head, condition, of_row = RESULTS[kind.lower()]
        data = self.shelf.file(job_id)
        if data is not None:
            # It ended before its rows were told apart: the whole file is what was not processed.
            return Reply(200, "" if head else data.decode("utf-8", "replace"), CSV)
        text = as_file(
            [*head, *self.shelf.header(job_id)],
            ([*of_row(row), *json.loads(row["cells"])] for row in self.shelf.rows(job_id, condition)),
            delimiter=info["columnDelimiter"],
            line_ending=info["lineEnding"],
        )
        return Reply(200, text, CSV)


def _no_columns(row: Row) -> list[str]:
    return []


def _of_success(row: Row) -> list[str]:
    return [row["record_id"], "true" if row["outcome"] == "created" else "false"]


def _of_failure(row: Row) -> list[str]:
    return [row["record_id"], row["error"]]


# By the last part of the address: the columns put before ours, which rows, and what is in those columns.
RESULTS: dict[str, tuple[list[str], str, Callable[[Row], list[str]]]] = {
    "successfulresults": (["sf__Id", "sf__Created"], "outcome IN ('created', 'updated')", _of_success),
    "failedresults": (["sf__Id", "sf__Error"], "outcome = 'failed'", _of_failure),
    "unprocessedrecords": ([], "outcome IS NULL", _no_columns),
}


def _new_job(wanted: Mapping[str, Any], sobject: SObject, caller: Caller, version: str) -> Info:
    named = {name: wanted[name] for name in ("externalIdFieldName", "assignmentRuleId") if wanted.get(name)}
    return {
        "operation": wanted["operation"],
        "object": sobject.name,
        "createdById": caller.user_id,
        "state": "Open",
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "apiVersion": float(version),
        "jobType": "V2Ingest",
        "lineEnding": wanted.get("lineEnding", "LF"),
        "columnDelimiter": wanted.get("columnDelimiter", "COMMA"),
        "retries": 0,
        "totalProcessingTime": 0,
        "numberRecordsProcessed": 0,
        "numberRecordsFailed": 0,
        **named,
    }


def _invalid_job(words: str) -> ApiError:
    return ApiError(400, "INVALIDJOB", f"InvalidJob : {words}")


def _wrong_state(info: Info, wish: str) -> ApiError:
    return ApiError(400, "INVALIDJOBSTATE", f"A job in state {info['state']} cannot {wish}")


Handler = Callable[["IngestDesk", Request, Caller, Mapping[str, str]], Reply]
# Method, path below `/services/data/vNN.N/`, and who answers.
ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("POST", r"jobs/ingest", lambda desk, request, caller, at: desk.create(request, caller, at["version"])),
    ("GET", r"jobs/ingest", lambda desk, request, caller, at: desk.read_all()),
    ("GET", rf"{JOB}", lambda desk, request, caller, at: desk.read(at["job"])),
    ("PATCH", rf"{JOB}", lambda desk, request, caller, at: desk.change_state(request, at["job"])),
    ("DELETE", rf"{JOB}", lambda desk, request, caller, at: desk.remove(at["job"])),
    ("PUT", rf"{JOB}/batches", lambda desk, request, caller, at: desk.upload(request, at["job"])),
    (
        "GET",
        rf"{JOB}/(?P<kind>(?i:successfulResults|failedResults|unprocessedRecords))",
        lambda desk, request, caller, at: desk.results(at["job"], at["kind"]),
    ),
)
