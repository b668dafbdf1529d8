"""Writing records: one by one, or up to 200 in a call that counts as one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from simple_salesforce.api import Salesforce

from crm.problems import Problem

from .errors import problem_of_row, translated
from .session import Session

# Salesforce takes so many rows in one collections call, and counts the call as one.
ROWS_PER_CALL = 200
# Without it the org's assignment rule takes every lead we write away from the owner we chose.
KEEP_OWNER = {"Sforce-Auto-Assign": "FALSE"}


@dataclass(frozen=True)
class RowResult:
    """What became of one row: an id, or the problem."""

    salesforce_id: str = ""
    created: bool = False
    problem: Problem | None = None


class WritingSession(Session):
    """Writes records, never twice: every new one by an external id, or of a kind that exists only once."""

    def upsert_rows(
        self, object_name: str, *, key: str, rows: Sequence[Mapping[str, Any]]
    ) -> list[RowResult]:
        """Create or update up to 200 records by an external id; results come in the order of the rows.

        No two rows may share an external id: Salesforce refuses both.
        """
        return self._write_rows(f"composite/sobjects/{object_name}/{key}", object_name, rows)

    def create_rows(self, object_name: str, rows: Sequence[Mapping[str, Any]]) -> list[RowResult]:
        """Create up to 200 records; results come in the order of the rows.

        Only for what exists but once, such as a membership of a lead in a campaign: repeated after
        an answer that was lost, it is refused with DUPLICATE_VALUE.
        """
        return self._write_rows("composite/sobjects", object_name, rows, method="POST")

    def update_rows(self, object_name: str, rows: Sequence[Mapping[str, Any]]) -> list[RowResult]:
        """Update up to 200 records, each naming its `Id`; results come in the order of the rows."""
        return self._write_rows("composite/sobjects", object_name, rows)

    def upsert(self, object_name: str, *, key: str, value: str, fields: Mapping[str, Any]) -> RowResult:
        """Create or update one record by an external id, whatever characters that holds."""
        path = f"sobjects/{object_name}/{key}/{quote(value, safe='')}"
        answer = self.call(lambda salesforce: _write(salesforce, "PATCH", path, fields))
        # Before v46 an update was answered with 204 and no body.
        return translated(lambda: row_result(answer or {"success": True}))

    def _write_rows(
        self, path: str, object_name: str, rows: Sequence[Mapping[str, Any]], *, method: str = "PATCH"
    ) -> list[RowResult]:
        attributes = {"attributes": {"type": object_name}}
        body = {"allOrNone": False, "records": [{**attributes, **row} for row in rows]}
        answers = self.call(lambda salesforce: _write(salesforce, method, path, body))
        return translated(lambda: [row_result(answer) for answer in answers or []])


def _write(salesforce: Salesforce, method: str, path: str, body: Mapping[str, Any]) -> Any:
    return salesforce.restful(path, method=method, data=json.dumps(dict(body)), headers=KEEP_OWNER)


def row_result(answer: Mapping[str, Any]) -> RowResult:
    """The result of one row as Salesforce put it."""
    if answer["success"]:
        return RowResult(answer.get("id") or "", bool(answer.get("created")))
    return RowResult(problem=problem_of_row(answer))
