"""Pages by key: the cost of a page does not grow with its distance from the first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.db.models import Model, Q, QuerySet

from common.errors import InvalidInput
from common.ids import parse_id
from common.instants import parse_instant

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class KeysetPage(Generic[M]):
    """Some rows, and what to ask for to get those after them (blank: these are the last)."""

    rows: list[M]
    next_key: str
    is_first: bool


def newest_first_page(queryset: QuerySet[M], *, at: str, after: str, size: int) -> KeysetPage[M]:
    """The rows below the key `after`, ordered by the time field `at` and the id, both descending.

    Raises InvalidInput when `after` is not a key that a page gave out.
    """
    return _page(queryset.order_by(f"-{at}", "-pk"), at=at, beyond="lt", after=after, size=size)


def soonest_first_page(queryset: QuerySet[M], *, at: str, after: str, size: int) -> KeysetPage[M]:
    """The same in the other direction: the rows above the key, both ascending."""
    return _page(queryset.order_by(at, "pk"), at=at, beyond="gt", after=after, size=size)


def _page(queryset: QuerySet[M], *, at: str, beyond: str, after: str, size: int) -> KeysetPage[M]:
    if after:
        moment, pk = _read_key(after)
        # The first condition says nothing new; it is where the database enters the index.
        queryset = queryset.filter(**{f"{at}__{beyond}e": moment})
        queryset = queryset.filter(Q(**{f"{at}__{beyond}": moment}) | Q(**{at: moment, f"pk__{beyond}": pk}))
    rows = list(queryset[: size + 1])
    shown = rows[:size]
    next_key = _write_key(shown[-1], at) if len(rows) > size else ""
    return KeysetPage(shown, next_key, is_first=not after)


def _write_key(row: Any, at: str) -> str:
    return f"{getattr(row, at).isoformat()}~{row.pk}"


def _read_key(key: str) -> tuple[datetime, int]:
    moment, _, pk = key.partition("~")
    try:
        # A plus sign of an offset arrives as a space when a link was written by hand.
        return parse_instant(moment.replace(" ", "+")), parse_id(pk)
    except ValueError as error:
        raise InvalidInput(
            "“after” is not a place in this list. Start again from the first page.", field="after"
        ) from error
