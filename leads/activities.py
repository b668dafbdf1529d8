"""Activities are appended in bulk: one INSERT whatever their number, and one UPDATE marking their leads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from common.errors import InvalidInput
from leads.facts import ActivityFacts
from leads.models import Activity
from leads.services import nudge_lead

MAX_EVENT = 120
MAX_MESSAGE_ID = 255
# What Segment allows for one message; a property bag larger than this is a mistake.
MAX_PROPERTIES_BYTES = 32 * 1024
# Before the web nothing was tracked: an earlier date is a mistake of the sender.
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)

# Only rows really inserted come back, which an ORM insert that ignores conflicts cannot tell. A message
# in flight elsewhere is waited for; in message-id order, so that two batches never wait for each other.
INSERT = """
INSERT INTO leads_activity
    (lead_id, visitor_id, event, properties, occurred_at, received_at, message_id, source)
SELECT lead_id, visitor_id, event, properties::jsonb, occurred_at, %s, message_id, %s
FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::timestamptz[], %s::text[])
    AS said (lead_id, visitor_id, event, properties, occurred_at, message_id)
ORDER BY message_id
ON CONFLICT (message_id) DO NOTHING
RETURNING id, message_id
"""

# LEAST and GREATEST pass over nulls. A parked lead gets another chance: there is news.
MARK = """
UPDATE leads_lead SET
    unmatched_from = LEAST(unmatched_from, news.first_id),
    last_activity_at = GREATEST(last_activity_at, news.last_at),
    advance_at = LEAST(advance_at, %s),
    advance_attempts = 0, advance_parked_at = NULL, advance_error = ''
FROM (
    SELECT lead_id, min(id) AS first_id, max(occurred_at) AS last_at
    FROM leads_activity WHERE id = ANY(%s) AND lead_id IS NOT NULL GROUP BY lead_id
) AS news
WHERE leads_lead.id = news.lead_id
"""


@dataclass(frozen=True, slots=True)
class NewActivity:
    """An event of a lead, or of a visitor nobody knows yet."""

    facts: ActivityFacts
    lead_id: int | None = None
    visitor_id: int | None = None


def append_activities(
    items: Sequence[NewActivity], *, via: str, now: datetime, nudge: bool
) -> list[Activity | None]:
    """Insert the events and mark their leads. None where the message id was seen before.

    The caller holds the locks of the leads and visitors, in a transaction. Raises InvalidInput.
    """
    first_of: dict[str, NewActivity] = {}
    for item in items:
        first_of.setdefault(item.facts.message_id, item)
    inserted = _insert(list(first_of.values()), via=via, now=now)
    mark_leads_of(inserted.values(), lead_ids={first_of[m].lead_id for m in inserted}, now=now, nudge=nudge)
    return [
        _as_inserted(item, inserted[item.facts.message_id], via=via, now=now)
        if item is first_of[item.facts.message_id] and item.facts.message_id in inserted
        else None
        for item in items
    ]


def _insert(items: Sequence[NewActivity], *, via: str, now: datetime) -> dict[str, int]:
    """Insert those not seen before: their ids by message id."""
    if not items:
        return {}
    properties = [clean_event(item.facts) for item in items]
    columns: list[list[Any]] = [
        [item.lead_id for item in items],
        [item.visitor_id for item in items],
        [item.facts.event for item in items],
        properties,
        [item.facts.occurred_at for item in items],
        [item.facts.message_id for item in items],
    ]
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [now, via, *columns])
        return {message_id: pk for pk, message_id in cursor.fetchall()}


def mark_leads_of(
    activity_ids: Iterable[int], *, lead_ids: Iterable[int | None], now: datetime, nudge: bool
) -> None:
    """Mark the leads that these activities belong to as having unmatched news. Their locks are held."""
    activity_ids = list(activity_ids)
    if not activity_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(MARK, [now, activity_ids])
    if nudge:
        for lead_id in sorted(filter(None, lead_ids)):
            nudge_lead(lead_id)


def clean_event(facts: ActivityFacts) -> str:
    """The properties as JSON, if all of the event can be stored. Raises InvalidInput naming the field."""
    if not facts.event.strip() or len(facts.event) > MAX_EVENT:
        raise InvalidInput(f"Give the event a name of at most {MAX_EVENT} characters.", field="event")
    if not facts.message_id or len(facts.message_id) > MAX_MESSAGE_ID:
        raise InvalidInput(f"A message id has 1 to {MAX_MESSAGE_ID} characters.", field="message_id")
    if facts.occurred_at < EARLIEST:
        raise InvalidInput("This is too long ago to be true.", field="occurred_at")
    written = json.dumps(facts.properties, ensure_ascii=False, allow_nan=False)
    if len(written.encode()) > MAX_PROPERTIES_BYTES:
        raise InvalidInput(
            f"The properties take more than {MAX_PROPERTIES_BYTES // 1024} kB.", field="properties"
        )
    return written


def _as_inserted(item: NewActivity, pk: int, *, via: str, now: datetime) -> Activity:
    return Activity(
        pk=pk,
        lead_id=item.lead_id,
        visitor_id=item.visitor_id,
        event=item.facts.event,
        properties=dict(item.facts.properties),
        occurred_at=item.facts.occurred_at,
        received_at=now,
        message_id=item.facts.message_id,
        source=via,
    )
