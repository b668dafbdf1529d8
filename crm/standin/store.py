"""Where the stand-in keeps its records: one SQLite file, so that a restart forgets nothing."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .schema import OBJECTS

Record = dict[str, Any]

SCHEMA = """
CREATE TABLE IF NOT EXISTS record (id TEXT PRIMARY KEY, object TEXT NOT NULL, doc TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS token (token TEXT PRIMARY KEY, user_id TEXT NOT NULL, expires_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS record_stamp ON record (object, json_extract(doc, '$.SystemModstamp'));
CREATE INDEX IF NOT EXISTS record_who ON record (json_extract(doc, '$.WhoId'));
"""

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


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
        self._db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;" + SCHEMA)
        for sobject in OBJECTS.values():
            for field in sobject.fields:
                if field.upsert_key or field.unique:
                    self._db.execute(
                        f"CREATE INDEX IF NOT EXISTS {sobject.name}_{field.name} "
                        f"ON record (object, {_lowered(field.name)})"
                    )

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; transactions inside it are savepoints."""
        with self._lock:
            nested = self._db.in_transaction
            self._db.execute("SAVEPOINT inner_part" if nested else "BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if nested:
                    self._db.execute("ROLLBACK TO inner_part")
                    self._db.execute("RELEASE inner_part")
                else:
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("RELEASE inner_part" if nested else "COMMIT")

    def insert(self, object_name: str, doc: Record) -> None:
        self._run(
            "INSERT INTO record (id, object, doc) VALUES (?, ?, ?)", (doc["Id"], object_name, _dump(doc))
        )

    def replace(self, doc: Record) -> None:
        self._run("UPDATE record SET doc = ? WHERE id = ?", (_dump(doc), doc["Id"]))

    def get(self, record_id: str) -> Record | None:
        """The record of that id, given with 15 or 18 characters."""
        rows = self.rows(
            "SELECT doc FROM record WHERE id = ? OR (length(?) = 15 AND substr(id, 1, 15) = ?)",
            (record_id, record_id, record_id),
        )
        return json.loads(rows[0]["doc"]) if rows else None

    def find(self, object_name: str, field: str, value: str) -> list[Record]:
        """The live records whose field has that value in any case. `field` must come from the schema."""
        rows = self.rows(
            f"SELECT doc FROM record WHERE object = ? AND {_lowered(field)} = lower(?) "
            "AND json_extract(doc, '$.IsDeleted') = 0 ORDER BY id",
            (object_name, value),
        )
        return [json.loads(row["doc"]) for row in rows]

    def all(self, object_name: str) -> list[Record]:
        """Every live record of one type, the last changed first."""
        rows = self.rows(
            "SELECT doc FROM record WHERE object = ? AND json_extract(doc, '$.IsDeleted') = 0 "
            "ORDER BY json_extract(doc, '$.SystemModstamp') DESC, id DESC",
            (object_name,),
        )
        return [json.loads(row["doc"]) for row in rows]

    def next_id(self, prefix: str) -> str:
        """A fresh 18-character id."""
        rows = self.rows(
            "INSERT INTO counter (name, value) VALUES (?, 1) "
            "ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
            (prefix,),
        )
        return with_checksum(prefix + "Hp" + _base62(rows[0]["value"]).rjust(10, "0"))

    def rows(self, sql: str, params: tuple[Any, ...] = ()) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(sql, params).fetchall()

    def _run(self, sql: str, params: tuple[Any, ...]) -> None:
        with self._lock:
            self._db.execute(sql, params)

    # --- Access tokens live here too: a restart of Salesforce logs nobody out. ---

    def add_token(self, token: str, *, user_id: str, expires_at: float) -> None:
        self._run(
            "INSERT INTO token (token, user_id, expires_at) VALUES (?, ?, ?)", (token, user_id, expires_at)
        )

    def token_user(self, token: str, *, at: float) -> str | None:
        rows = self.rows("SELECT user_id FROM token WHERE token = ? AND expires_at > ?", (token, at))
        return rows[0]["user_id"] if rows else None

    def remove_tokens(self, token: str | None = None) -> None:
        """Revoke one token, or all."""
        self._run("DELETE FROM token WHERE ?1 IS NULL OR token = ?1", (token,))


def with_checksum(short: str) -> str:
    """The 18-character form of a 15-character id: three letters say which of its letters are capital."""
    suffix = ""
    for start in (0, 5, 10):
        bits = sum(1 << place for place, char in enumerate(short[start : start + 5]) if char.isupper())
        suffix += "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[bits]
    return short + suffix


def _base62(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, len(ALPHABET))
        digits = ALPHABET[rest] + digits
    return digits


def _lowered(field: str) -> str:
    return f"lower(json_extract(doc, '$.{field}'))"


def _dump(doc: Record) -> str:
    return json.dumps(doc, ensure_ascii=False, separators=(",", ":"))
