"""A lead's history with Salesforce: what was sent, and what came back. Kept for a while, without personal
data."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import connection, transaction

from common.bulk import insert_rows
from crm.client import RowResult
from crm.mapping import Fields, Rules
from crm.masking import mask_fields, mask_words
from crm.models import Exchange

KEPT = timedelta(days=90)
MOST_PER_LEAD = 200
WORDS_LENGTH = 600

Entry = dict[str, object]


def sent_entry(
    lead_id: int,
    *,
    object_name: str,
    fields: Fields,
    result: RowResult,
    known_id: str,
    outcome: Exchange.Outcome,
    rules: Rules,
    at: datetime,
) -> Entry:
    """What was sent of a record and how it was answered, as columns of an Exchange."""
    problem = result.problem
    shown = mask_fields(object_name, fields, rules=rules)
    if problem and problem.matches:
        shown["matches"] = list(problem.matches)
    words = problem.in_plain_words if problem else ""
    return {
        "lead_id": lead_id,
        "at": at,
        "direction": Exchange.Direction.OUT,
        "object_name": object_name,
        "salesforce_id": result.salesforce_id or known_id,
        "outcome": outcome,
        "fields": shown,
        "code": problem.code[:80] if problem else "",
        "words": mask_words(object_name, words, fields, rules=rules)[:WORDS_LENGTH],
    }


def keep_entries(entries: Iterable[Entry]) -> None:
    """Write entries, however many, in one statement."""
    insert_rows(Exchange, list(entries))


@transaction.atomic
def forget_old_entries(*, now: datetime) -> int:
    """Delete what is older than 90 days, and of each lead what goes beyond its latest 200; say how many."""
    deleted, _ = Exchange.objects.filter(at__lt=now - KEPT).delete()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH numbered AS (
                SELECT id, row_number() OVER (PARTITION BY lead_id ORDER BY id DESC) AS place
                FROM crm_exchange
            )
            DELETE FROM crm_exchange USING numbered
            WHERE crm_exchange.id = numbered.id AND numbered.place > %s
            """,
            [MOST_PER_LEAD],
        )
        return deleted + int(cursor.rowcount)
