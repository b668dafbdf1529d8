"""What the bulk API keeps: jobs, their files and their rows, in the org's own file."""

import json
import sqlite3
from collections.abc import Callable
from datetime import datetime
from typing import Any

from .errors import not_found
from .store import Store
from .values import stamp

TABLES = (
    "CREATE TABLE IF NOT EXISTS ingest_job (id TEXT PRIMARY KEY, info TEXT NOT NULL, data BLOB, header TEXT)",
    "CREATE TABLE IF NOT EXISTS ingest_row (job TEXT, number INTEGER, cells TEXT NOT NULL, outcome TEXT, "
    "record_id TEXT, error TEXT, PRIMARY KEY (job, number)) WITHOUT ROWID",
)
ENDED = {"JobComplete", "Failed", "Aborted"}

Info = dict[str, Any]
Row = sqlite3.Row


class JobShelf:
    """The jobs of one org. `info` is what the API shows of a job."""

    def __init__(self, store: Store, *, clock: Callable[[], datetime]) -> None:
        self.store = store
        self.clock = clock
        for table in TABLES:
            store.rows(table)

    def add(self, info: Info) -> Info:
        now = stamp(self.clock())
        info = {"id": self.store.next_id("750"), **info, "createdDate": now, "systemModstamp": now}
        self.store.rows("INSERT INTO ingest_job (id, info) VALUES (?, ?)", (info["id"], json.dumps(info)))
        return info

    def info(self, job_id: str) -> Info:
        """Raises NOT_FOUND."""
        found: Info = json.loads(self._column("info", job_id))
        return found

    def all(self) -> list[Info]:
        """Every job, the latest first."""
        rows = self.store.rows("SELECT info FROM ingest_job ORDER BY id DESC")
        return [json.loads(row["info"]) for row in rows]

    def save(self, info: Info, **changes: Any) -> None:
        info.update(changes, systemModstamp=stamp(self.clock()))
        self.store.rows("UPDATE ingest_job SET info = ? WHERE id = ?", (json.dumps(info), info["id"]))

    def remove(self, job_id: str) -> None:
        self.store.rows("DELETE FROM ingest_job WHERE id = ?", (job_id,))
        self.store.rows("DELETE FROM ingest_row WHERE job = ?", (job_id,))

    def end(self, job_id: str, state: str, **more: str) -> None:
        with self.store.transaction():
            info = self.info(job_id)
            if info["state"] not in ENDED:
                self.save(info, state=state, **more)

    # --- its file, and its rows once the file was split ---

    def file(self, job_id: str) -> bytes | None:
        """The file, until it is split into rows."""
        data: bytes | None = self._column("data", job_id)
        return data

    def put_file(self, job_id: str, data: bytes) -> None:
        self.store.rows("UPDATE ingest_job SET data = ? WHERE id = ?", (data, job_id))

    def header(self, job_id: str) -> list[str]:
        header: list[str] = json.loads(self._column("header", job_id) or "[]")
        return header

    def split(self, info: Info, header: list[str], lines: list[list[str]]) -> None:
        """Rows take the place of the file, and the job is in progress."""
        with self.store.transaction():
            for number, cells in enumerate(lines):
                self.store.rows(
                    "INSERT INTO ingest_row (job, number, cells) VALUES (?, ?, ?)",
                    (info["id"], number, json.dumps(cells)),
                )
            self.store.rows(
                "UPDATE ingest_job SET data = NULL, header = ? WHERE id = ?", (json.dumps(header), info["id"])
            )
            self.save(info, state="InProgress")

    def waiting_rows(self, job_id: str, most: int) -> list[tuple[int, list[str]]]:
        rows = self.store.rows(
            "SELECT number, cells FROM ingest_row WHERE job = ? AND outcome IS NULL ORDER BY number LIMIT ?",
            (job_id, most),
        )
        return [(row["number"], json.loads(row["cells"])) for row in rows]

    def settle_row(self, job_id: str, number: int, *, outcome: str, record_id: str, error: str) -> None:
        """`outcome` is created, updated or failed."""
        self.store.rows(
            "UPDATE ingest_row SET outcome = ?, record_id = ?, error = ? WHERE job = ? AND number = ?",
            (outcome, record_id, error, job_id, number),
        )

    def rows(self, job_id: str, condition: str) -> list[Row]:
        """Rows with their outcome, those saved last first. The condition must be one of ours."""
        return self.store.rows(
            f"SELECT * FROM ingest_row WHERE job = ? AND {condition} ORDER BY number DESC", (job_id,)
        )

    def _column(self, name: str, job_id: str) -> Any:
        rows = self.store.rows(f"SELECT {name} FROM ingest_job WHERE id = ?", (job_id,))
        if not rows:
            raise not_found()
        return rows[0][0]
