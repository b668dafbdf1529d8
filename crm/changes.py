"""From changes of leads to the mark of the push (CRM-1).

A trigger adds a LeadChange in the transaction that changes a lead, and here they are folded into
`LeadSync.send_at`: any number of them become one mark, with the earliest time and the most urgent lane.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import structlog
from django.db import connection, transaction

from crm.models import Lane, LeadSync, LeadSyncQuerySet

log = structlog.get_logger("salesforce")

# A batch is one statement; the caller asks for another one until nothing is left.
MOST_AT_ONCE = 5000

# A change does not end a back-off: the row keeps the time of its next try, and goes as it then is. It is
# counted all the same, so that a call on its way cannot take the mark away.
_FOLD = """
    WITH taken AS (
        DELETE FROM crm_leadchange WHERE id IN (
            SELECT id FROM crm_leadchange WHERE lane = ANY(%(lanes)s)
            ORDER BY id LIMIT %(most)s FOR UPDATE SKIP LOCKED
        )
        RETURNING lead_id, lane, at
    ), folded AS (
        INSERT INTO crm_leadsync AS sync (lead_id, lane, send_at, waiting_since, resends_asked, {others})
        SELECT lead_id, min(lane), %(now)s, min(at), 1, {defaults}
        FROM taken
        -- Of a lead that was erased meanwhile nothing is left to tell.
        WHERE EXISTS (SELECT FROM leads_lead lead WHERE lead.id = taken.lead_id)
        GROUP BY lead_id
        ORDER BY lead_id
        ON CONFLICT (lead_id) DO UPDATE SET
            resends_asked = sync.resends_asked + 1,
            lane = least(sync.lane, excluded.lane),
            waiting_since = coalesce(sync.waiting_since, excluded.waiting_since),
            send_at = CASE WHEN sync.attempts > 0 THEN coalesce(sync.send_at, excluded.send_at)
                ELSE least(sync.send_at, excluded.send_at) END
    )
    SELECT count(*) FROM taken"""
_FOLDED = ("lead_id", "lane", "send_at", "waiting_since", "resends_asked")

_REMARK = """
    INSERT INTO crm_leadchange (lead_id, lane, at)
    SELECT lead.id, %(lane)s, %(now)s
    FROM leads_lead lead LEFT JOIN crm_leadsync sync ON sync.lead_id = lead.id
    WHERE (sync.lead_id IS NULL OR (lead.revision > sync.pushed_revision AND sync.send_at IS NULL))
        AND NOT EXISTS (SELECT FROM crm_leadchange change WHERE change.lead_id = lead.id)"""


@transaction.atomic
def fold_changes(*, now: datetime, lanes: Collection[Lane] = tuple(Lane), most: int = MOST_AT_ONCE) -> int:
    """Turn what the trigger noted into marks, and say how many notes that were. Fewer than `most`: no more
    are left in these lanes, or others fold them. Any number may do so at once."""
    defaults = _defaults()
    statement = _FOLD.format(
        others=", ".join(defaults), defaults=", ".join(f"%({column})s" for column in defaults)
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, {**defaults, "now": now, "most": most, "lanes": list(lanes)})
        return int(cursor.fetchone()[0])


def send_again(syncs: LeadSyncQuerySet, *, now: datetime) -> int:
    """Have these leads compared with what Salesforce confirmed, as if they had just changed: a mapping did.

    Where nothing differs, it costs no call. Like the trigger it only takes notes: any number will do.
    """
    chosen, parameters = syncs.order_by().values("lead_id").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO crm_leadchange (lead_id, lane, at) SELECT lead_id, %s, %s FROM ({chosen}) chosen",
            [Lane.LATER, now, *parameters],
        )
        return int(cursor.rowcount)


@transaction.atomic
def remark_forgotten(*, now: datetime) -> int:
    """Mark the leads that are ahead of what Salesforce confirmed and yet have no mark; say how many.

    There should be none. A row restored from a backup, or changed with triggers off, would wait for ever.
    """
    with connection.cursor() as cursor:
        cursor.execute(_REMARK, {"now": now, "lane": Lane.LATER})
        found = int(cursor.rowcount)
    if found:
        log.warning("salesforce.forgotten_found", leads=found)
    return found


def _defaults() -> dict[str, Any]:
    """What a new standing says, by columns, besides what is folded in."""
    fields = [field for field in LeadSync._meta.concrete_fields if field.column not in _FOLDED]
    return {str(field.column): field.get_db_prep_save(field.get_default(), connection) for field in fields}
