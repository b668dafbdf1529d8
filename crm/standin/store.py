"""Where the stand-in keeps its records: one SQLite file, so that a restart forgets nothing."""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .ids import full_id, make_id
from .schema import OBJECTS

Record = dict[str, Any]

# `record_key` holds the values that records are looked up by, in lower case, and no nulls.
SCHEMA = """
CREATE TABLE IF NOT EXISTS record (
    id TEXT PRIMARY KEY, object TEXT NOT NULL, stamp TEXT, is_deleted INTEGER NOT NULL, doc TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS record_key (
    object TEXT, field TEXT, value TEXT, id TEXT, PRIMARY KEY (object, field, value, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS token (token TEXT PRIMARY KEY, user_id TEXT NOT NULL, expires_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS record_by_stamp ON record (object, stamp);
"""
LAYOUT = 2


class Store:
    """Records as JSON documents behind one connection and one lock."""

    def __init__(self, path: Path | None = None) -> None:
        """Open the file at `path`, or a store in memory that is gone with the process."""
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        # WAL with NORMAL survives a killed process; only a power cut can cost the last transactions.
        self._db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")
        with self.transaction():
            self._lay_out()

    def _lay_out(self) -> None:
        """Make the tables; records of the first layout, which had no keys of their own, are taken over."""
        is_older = self.rows("PRAGMA user_version")[0][0] < LAYOUT
        has_records = bool(self.rows("SELECT 1 FROM sqlite_master WHERE name = 'record'"))
        old = self.rows("SELECT object, doc FROM record") if is_older and has_records else []
        if is_older:
            self.run("DROP TABLE IF EXISTS record")
        for statement in SCHEMA.split(";"):
            self.run(statement)
        for row in old:
            self.insert(row["object"], json.loads(row["doc"]))
        self.run(f"PRAGMA user_version = {LAYOUT}")

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. One inside another is a part of it; see `part` for what may fail alone."""
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    @contextmanager
    def part(self) -> Iterator[None]:
        """A part of a transaction that is undone alone when it fails."""
        with self.transaction():
            self._db.execute("SAVEPOINT part")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK TO part")
                raise
            finally:
                self._db.execute("RELEASE part")

    def insert(self, object_name: str, doc: Record) -> None:
        self.run(
            "INSERT INTO record (id, object, stamp, is_deleted, doc) VALUES (?, ?, ?, ?, ?)",
            (doc["Id"], object_name, doc.get("SystemModstamp"), doc["IsDeleted"], _dump(doc)),
        )
        self._add_keys(object_name, doc, OBJECTS[object_name.lower()].looked_up)

    def replace(self, doc: Record, *, old: Mapping[str, Any] | None = None) -> None:
        """Write a changed record. Who has just read it says what it was before."""
        object_name = doc["attributes"]["type"]
        if old is None:
            old = self.get(doc["Id"]) or {}
        self.run(
            "UPDATE record SET stamp = ?, is_deleted = ?, doc = ? WHERE id = ?",
            (doc.get("SystemModstamp"), doc["IsDeleted"], _dump(doc), doc["Id"]),
        )
        looked_up = OBJECTS[object_name.lower()].looked_up
        changed = [name for name in looked_up if doc.get(name) != old.get(name)]
        for name in changed:
            self.run(
                "DELETE FROM record_key WHERE object = ? AND field = ? AND value = ? AND id = ?",
                (object_name, name, _folded(old.get(name)), doc["Id"]),
            )
        self._add_keys(object_name, doc, changed)

    def _add_keys(self, object_name: str, doc: Mapping[str, Any], names: Iterable[str]) -> None:
        for name in names:
            if doc.get(name) is not None:
                self.run(
                    "INSERT INTO record_key (object, field, value, id) VALUES (?, ?, ?, ?)",
                    (object_name, name, _folded(doc[name]), doc["Id"]),
                )

    def get(self, record_id: str) -> Record | None:
        """The record of that id, given with 15 or 18 characters."""
        rows = self.rows("SELECT doc FROM record WHERE id = ?", (full_id(record_id),))
        return json.loads(rows[0]["doc"]) if rows else None

    def find(self, object_name: str, field: str, value: str, *, with_deleted: bool = False) -> list[Record]:
        """The records whose field has that value in any case. `field` must come from the schema."""
        live = "" if with_deleted else " AND r.is_deleted = 0"
        if field in OBJECTS[object_name.lower()].looked_up:
            rows = self.rows(
                "SELECT doc FROM record_key k JOIN record r ON r.id = k.id "
                f"WHERE k.object = ? AND k.field = ? AND k.value = ?{live} ORDER BY r.id",
                (object_name, field, _folded(value)),
            )
        else:
            rows = self.rows(
                f"SELECT doc FROM record r WHERE object = ? AND json_extract(doc, '$.{field}') = ? "
                f"COLLATE NOCASE{live} ORDER BY id",
                (object_name, value),
            )
        return [json.loads(row["doc"]) for row in rows]

    def all(self, object_name: str) -> list[Record]:
        """Every live record of one type, the last changed first."""
        rows = self.rows(
            "SELECT doc FROM record WHERE object = ? AND is_deleted = 0 ORDER BY stamp DESC, id DESC",
            (object_name,),
        )
        return [json.loads(row["doc"]) for row in rows]

    def clear(self) -> None:
        """Forget every record, token, job and setting."""
        with self.transaction():
            for table in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'"):
                self.run(f"DELETE FROM {table['name']}")

    def next_id(self, prefix: str) -> str:
        """A fresh 18-character id."""
        rows = self.rows(
            "INSERT INTO counter (name, value) VALUES (?, 1) "
            "ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
            (prefix,),
        )
        return make_id(prefix, rows[0]["value"])

    def rows(self, sql: str, params: tuple[Any, ...] = ()) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(sql, params).fetchall()

    def run(self, sql: str, params: tuple[Any, ...] = ()) -> None:
        with self._lock:
            self._db.execute(sql, params)

    # --- what else a restart must not forget, by name ---

    def save_state(self, name: str, value: Any) -> None:
        self.run(
            "INSERT INTO state (name, value) VALUES (?, ?) "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, json.dumps(value)),
        )

    def load_state(self, name: str) -> Any:
        """What was saved under that name; None if nothing was."""
        rows = self.rows("SELECT value FROM state WHERE name = ?", (name,))
        return json.loads(rows[0]["value"]) if rows else None

    # --- Access tokens live here too: a restart of Salesforce logs nobody out. ---

    def add_token(self, token: str, *, user_id: str, expires_at: float) -> None:
        self.run(
            "INSERT INTO token (token, user_id, expires_at) VALUES (?, ?, ?)", (token, user_id, expires_at)
        )

    def token_user(self, token: str, *, at: float) -> str | None:
        rows = self.rows("SELECT user_id FROM token WHERE token = ? AND expires_at > ?", (token, at))
        return rows[0]["user_id"] if rows else None

    def remove_tokens(self, token: str | None = None) -> None:
        """Revoke one token, or all."""
        self.run("DELETE FROM token WHERE ?1 IS NULL OR token = ?1", (token,))


def _folded(value: Any) -> str:
    return str(value).lower()


# Made once: `json.dumps` would make one for every record.
_dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
