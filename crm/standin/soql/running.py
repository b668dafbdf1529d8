"""Runs a query and shows its records as the API does."""

import json
import sqlite3
from typing import Any

from crm.standin.org import Org, record_url
from crm.standin.store import Record

from .columns import Column
from .compiler import compile_query


def run_query(org: Org, text: str, *, version: str, with_deleted: bool = False) -> tuple[int, list[Record]]:
    """The number of matches and the records as the API shows them, all of them."""
    query = compile_query(text, look=org.seen, with_deleted=with_deleted)
    rows = org.store.rows(query.sql, tuple(query.params))
    if query.counts:
        return int(rows[0][0]), []
    return len(rows), _shown(query.sobject.name, query.columns, rows, version)


def _shown(object_name: str, columns: list[Column], rows: list[sqlite3.Row], version: str) -> list[Record]:
    own = [column.path[0] for column in columns if column.field is not None]
    linked = [column for column in columns if column.field is None]
    records = []
    for doc, *values in rows:
        stored = json.loads(doc)
        url = record_url(object_name, stored["Id"], version)
        record: Record = {"attributes": {"type": object_name, "url": url}}
        for name in own:
            record[name] = stored.get(name)
        for column, value in zip(linked, values, strict=True):
            _nest(record, column, value, is_linked=stored.get(column.link) is not None)
        records.append(record)
    return records


def _nest(record: Record, column: Column, value: Any, *, is_linked: bool) -> None:
    """Put what a link leads to where the API shows it; a link that leads nowhere is a null in its place."""
    *relations, name = column.path
    if not is_linked:
        record[relations[0]] = None
        return
    place = record
    for relation, object_name in zip(relations, column.through, strict=True):
        place = place.setdefault(relation, {"attributes": {"type": object_name}})
    place[name] = bool(value) if column.type == "boolean" and value is not None else value
