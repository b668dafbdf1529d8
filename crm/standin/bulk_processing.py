"""The bulk API at work: the file of a job is split into rows, and these are saved batch by batch."""

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .bulk_rows import JobFailedError, columns_of, error_cell, split_file, values_of, wrong_type
from .bulk_shelf import ENDED, Info, JobShelf
from .errors import ApiError, ManyMatches
from .faults import Fault, FaultBoard
from .fields import Field, SObject
from .org import Caller, Org

BATCH_ROWS = 10_000
# Salesforce saves the rows of a batch in such portions; others get in between them.
PORTION = 200


@dataclass
class _Work:
    """A job while it is being worked through."""

    job_id: str
    operation: str
    sobject: SObject
    key: str
    columns: list[Field]
    caller: Caller

    def keys_met_twice(self, rows: Sequence[list[str]]) -> set[str]:
        """External ids, in lower case, that several rows of a portion carry: Salesforce refuses them all."""
        places = [place for place, column in enumerate(self.columns) if column.name == self.key]
        seen = Counter(cells[places[0]].lower() for cells in rows if places and places[0] < len(cells))
        return {value for value, times in seen.items() if value and times > 1}


class JobRunner:
    """Processes jobs one after the other, in a thread. `hold()` keeps them waiting, as a busy org does, until
    `go_on()`."""

    def __init__(
        self, org: Org, shelf: JobShelf, faults: FaultBoard, *, batch_rows: int = BATCH_ROWS
    ) -> None:
        self.org = org
        self.shelf = shelf
        self.faults = faults
        self.batch_rows = BATCH_ROWS
        self._turn = threading.Lock()
        self._may_run = threading.Event()
        self._may_run.set()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        for info in reversed(shelf.all()):
            if info["state"] in ("UploadComplete", "InProgress"):
                self.begin(info["id"])

    def hold(self) -> None:
        self._may_run.clear()

    def go_on(self) -> None:
        self._may_run.set()

    @property
    def is_held(self) -> bool:
        return not self._may_run.is_set()

    def finish(self) -> None:
        """Let every job go on, and wait until all have ended."""
        self.go_on()
        for thread in list(self._threads):
            thread.join()

    def close(self) -> None:
        """Stop between two portions; the next start goes on from there."""
        self._stopping.set()
        self.finish()

    def begin(self, job_id: str) -> None:
        """Have a job processed whose file is complete."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=self._process, args=(job_id,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _process(self, job_id: str) -> None:
        with self._turn:
            try:
                work = self._open(job_id)
                while work is not None and self._is_wanted(work):
                    if not self._next_batch(work):
                        self.shelf.end(job_id, "JobComplete")
                        return
            except JobFailedError as error:
                self.shelf.end(job_id, "Failed", errorMessage=str(error))
            except ApiError:
                # There is no such job any more: the org was reset.
                return

    def _open(self, job_id: str) -> _Work | None:
        self._may_run.wait()
        info = self.shelf.info(job_id)
        if self._stopping.is_set() or info["state"] in ENDED:
            return None
        if info["state"] == "UploadComplete":
            header, lines = split_file(
                self.shelf.file(job_id) or b"",
                delimiter=info["columnDelimiter"],
                line_ending=info["lineEnding"],
            )
            self.shelf.split(info, header, lines)
        return _work_of(info, self.org.seen(info["object"]), self.shelf.header(job_id))

    def _is_wanted(self, work: _Work) -> bool:
        """Whether to go on with it; waits while jobs are held."""
        self._may_run.wait()
        return not self._stopping.is_set() and self.shelf.info(work.job_id)["state"] == "InProgress"

    def _next_batch(self, work: _Work) -> bool:
        """Process up to 10,000 rows; False when there are none left."""
        fault = self.faults.draw("ingest_batch")
        if fault is not None and fault.kind == "error":
            raise JobFailedError(f"{fault.code} : {fault.message}")
        done = 0
        while done < self.batch_rows and self._is_wanted(work):
            rows = self.shelf.waiting_rows(work.job_id, min(PORTION, self.batch_rows - done))
            if not rows:
                return False
            self._save_portion(work, rows, fault)
            done += len(rows)
        return True

    def _save_portion(self, work: _Work, rows: list[tuple[int, list[str]]], fault: Fault | None) -> None:
        """Save rows and what became of them in one transaction: a restart neither loses nor repeats any."""
        twice = work.keys_met_twice([cells for _, cells in rows])
        failed = 0
        with self.org.store.transaction():
            for number, cells in rows:
                record_id, error = "", ""
                try:
                    with self.org.store.part():
                        record_id, outcome = self._save_row(work, cells, twice, fault)
                except ApiError as refusal:
                    outcome, error = "failed", error_cell(refusal)
                    failed += 1
                self.shelf.settle_row(work.job_id, number, outcome=outcome, record_id=record_id, error=error)
            info = self.shelf.info(work.job_id)
            self.shelf.save(
                info,
                numberRecordsProcessed=info["numberRecordsProcessed"] + len(rows),
                numberRecordsFailed=info["numberRecordsFailed"] + failed,
            )

    def _save_row(
        self, work: _Work, cells: list[str], twice: set[str], fault: Fault | None
    ) -> tuple[str, str]:
        """The record's id, and whether it was created or updated. Raises what Salesforce refuses."""
        if fault is not None and fault.kind == "row" and (not fault.key or fault.key in cells):
            raise fault.error()
        values = values_of(work.columns, cells)
        try:
            if work.operation == "insert":
                return self.org.create(work.sobject, values, caller=work.caller), "created"
            if work.operation == "upsert":
                return self._upsert(work, values, twice)
            record_id = str(values.pop("Id", None) or "")
            if work.operation == "update":
                self.org.update(work.sobject, record_id, values, caller=work.caller)
            else:
                self.org.delete(work.sobject, record_id, caller=work.caller)
            return record_id, "updated"
        except ApiError as error:
            if error.code != "JSON_PARSER_ERROR":
                raise
            # In a file it is one cell that cannot be read, not the whole request.
            name = error.fields[0] if error.fields else ""
            raise wrong_type(name, str(values.get(name, ""))) from None

    def _upsert(self, work: _Work, values: dict[str, Any], twice: set[str]) -> tuple[str, str]:
        key = work.sobject.upsert_field(work.key)
        value = values.pop(key.name, None)
        if not value:
            raise ApiError(400, "MISSING_ARGUMENT", f"{key.name} not specified", (key.name,))
        if value.lower() in twice:
            raise ManyMatches([])
        record_id, created = self.org.upsert(work.sobject, key, value, values, caller=work.caller)
        return record_id, "created" if created else "updated"


def _work_of(info: Info, sobject: SObject, header: list[str]) -> _Work:
    return _Work(
        info["id"],
        info["operation"],
        sobject,
        key=info.get("externalIdFieldName", ""),
        columns=columns_of(sobject, header),
        # No assignment rule runs unless the job names one.
        caller=Caller(info["createdById"], auto_assign="assignmentRuleId" in info),
    )
