"""What we could not take is kept, to be inspected, fixed and replayed (INTAKE-5)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db.models import JSONField, Value

from common.errors import DomainError, InvalidInput
from leads.models import QuarantinedItem

log = structlog.get_logger(__name__)

UNSTORABLE = str.maketrans({"\x00": "\N{REPLACEMENT CHARACTER}"})


class AlreadySettled(DomainError):
    """Somebody replayed or dismissed the item meanwhile."""

    def __init__(self, item: QuarantinedItem) -> None:
        done = "replayed" if item.replayed_at else "dismissed"
        who = f" by {item.settled_by}" if item.settled_by else ""
        super().__init__(f"This item was {done}{who} already.")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one item of a batch was not taken. `index` counts from 0; in a file it is the row's number."""

    index: int
    kind: str
    field: str
    reason: str
    payload: Any

    def as_answer(self) -> dict[str, Any]:
        return {"index": self.index, "field": self.field, "reason": self.reason}


def refusal_of(error: InvalidInput, *, index: int, kind: str, payload: Any) -> Refusal:
    return Refusal(index, kind, error.field, str(error), payload)


def quarantine(
    refusals: Iterable[Refusal], *, source: QuarantinedItem.Source, origin: str, now: datetime
) -> None:
    """Keep the refused items. The same item again is the same row, whatever became of it."""
    items = [
        QuarantinedItem(
            source=source,
            kind=refusal.kind,
            position=refusal.index,
            field=refusal.field[:120],
            reason=refusal.reason[:500],
            payload=_as_column(refusal.payload),
            origin=origin[:255],
            fingerprint=_fingerprint(source, refusal),
            received_at=now,
        )
        for refusal in refusals
    ]
    QuarantinedItem.objects.bulk_create(items, ignore_conflicts=True)
    if items:
        log.warning("intake.quarantined", source=source.value, count=len(items))


def storable(value: Any) -> Any:
    """The same JSON with the characters replaced that PostgreSQL cannot keep."""
    if isinstance(value, str):
        return value.translate(UNSTORABLE).encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [storable(item) for item in value]
    return value


def _as_column(payload: Any) -> Any:
    """JSON's null is a payload like any other; as None it would be SQL's, which means that there is none."""
    return Value(None, JSONField()) if payload is None else storable(payload)


def _fingerprint(source: QuarantinedItem.Source, refusal: Refusal) -> str:
    written = json.dumps([source.value, refusal.kind, refusal.payload], sort_keys=True)
    return hashlib.sha256(written.encode()).hexdigest()
