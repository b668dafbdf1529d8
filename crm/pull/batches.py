"""Rows of a query in batches, each row with the time at which its page was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from crm.client import SalesforceClient

# As many rows are compared with what we know of them in one statement.
BATCH = 500


class Row(NamedTuple):
    fields: dict[str, Any]
    asked_at: datetime | None


def read_batches(client: SalesforceClient, soql: str) -> Iterator[list[Row]]:
    """All rows of a query, page after page. The caller may make other calls between two batches.

    Raises SalesforceError.
    """
    rows = client.query(soql)
    batch: list[Row] = []
    asked_at: datetime | None = None
    while True:
        before = client.began_at
        fields = next(rows, None)
        if client.began_at is not before:
            # It took a call: this row is the first of a page.
            asked_at = client.began_at
        if fields is not None:
            batch.append(Row(fields, asked_at))
        if batch and (fields is None or len(batch) == BATCH):
            yield batch
            batch = []
        if fields is None:
            return
