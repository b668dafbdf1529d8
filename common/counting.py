"""Counts that cost the same however large the tables grow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import QuerySet

# Beyond this a page says "more than": nobody works with the exact figure, and it costs as much as the rows.
MOST_COUNTED = 1_000


@dataclass(frozen=True)
class BoundedCount:
    """A count that stopped at MOST_COUNTED. `shown` is "17", or "1,000+" when there are more."""

    value: int

    @property
    def is_exact(self) -> bool:
        return self.value <= MOST_COUNTED

    @property
    def shown(self) -> str:
        return str(self.value) if self.is_exact else f"{MOST_COUNTED:,}+"

    def __str__(self) -> str:
        return self.shown


def count_bounded(**querysets: QuerySet[Any]) -> dict[str, BoundedCount]:
    """How many rows each holds, in one statement that looks at MOST_COUNTED + 1 rows of each at most."""
    parts, parameters = [], []
    for queryset in querysets.values():
        sql, values = queryset.order_by().values("pk")[: MOST_COUNTED + 1].query.sql_with_params()
        parts.append(f"(SELECT count(*) FROM ({sql}) AS counted)")
        parameters += values
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", parameters)
        (row,) = cursor.fetchall()
    return {name: BoundedCount(value) for name, value in zip(querysets, row, strict=True)}
