"""Quarantined items are fixed by an operator and taken after all, by the road they came (INTAKE-5)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import User
from common.errors import InvalidInput
from leads.api import VIA as API
from leads.api import ActivityInputSerializer, LeadInputSerializer, first_error
from leads.import_rows import VIA as IMPORT
from leads.import_rows import facts_of_values
from leads.intake import record_lead
from leads.models import QuarantinedItem
from leads.quarantine import AlreadySettled
from leads.reported_activities import take_activities
from leads.segment import Kind, read_message
from leads.visitors import take_message


@transaction.atomic
def replay_item(item: QuarantinedItem, *, payload: Any, by: User, now: datetime) -> None:
    """Take the item with this payload, the operator's correction. All or nothing.

    Raises InvalidInput if it still cannot be taken, AlreadySettled if somebody was quicker.
    """
    item = _lock_open(item)
    _ROADS[QuarantinedItem.Source(item.source)](item, payload, now)
    item.payload, item.replayed_at, item.settled_by = payload, now, by
    item.save(update_fields=["payload", "replayed_at", "settled_by"])


@transaction.atomic
def dismiss_item(item: QuarantinedItem, *, by: User, now: datetime) -> None:
    """Put the item aside for good; it is kept. Raises AlreadySettled."""
    item = _lock_open(item)
    item.dismissed_at, item.settled_by = now, by
    item.save(update_fields=["dismissed_at", "settled_by"])


def _lock_open(item: QuarantinedItem) -> QuarantinedItem:
    item = QuarantinedItem.objects.select_for_update(of=("self",)).get(pk=item.pk)
    if item.replayed_at or item.dismissed_at:
        raise AlreadySettled(item)
    return item


def _replay_api(item: QuarantinedItem, payload: Any, now: datetime) -> None:
    if item.kind == "lead":
        lead = LeadInputSerializer(data=payload)
        _check(lead)
        record_lead(lead.to_facts(now=now), via=API, now=now)
        return
    activity = ActivityInputSerializer(data=payload)
    _check(activity)
    _, refused = take_activities([activity.to_item(index=0, now=now)], via=API, now=now)
    if refused:
        raise refused[0][1]


def _check(serializer: LeadInputSerializer | ActivityInputSerializer) -> None:
    if not serializer.is_valid():
        field, reason = first_error(serializer.errors)
        raise InvalidInput(reason, field=field)


def _replay_segment(item: QuarantinedItem, payload: Any, now: datetime) -> None:
    kind = item.kind if item.kind in set(Kind) else ""
    take_message(read_message(payload, kind=kind, received_at=item.received_at), now=now)


def _replay_import(item: QuarantinedItem, payload: Any, now: datetime) -> None:
    row = facts_of_values(payload)
    record_lead(row.facts, via=IMPORT, now=now)


_ROADS: dict[QuarantinedItem.Source, Callable[[QuarantinedItem, Any, datetime], None]] = {
    QuarantinedItem.Source.API: _replay_api,
    QuarantinedItem.Source.SEGMENT: _replay_segment,
    QuarantinedItem.Source.IMPORT: _replay_import,
}
