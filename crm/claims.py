"""Taking stale leads for sending, so that nobody else sends them meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import BooleanField, Exists, ExpressionWrapper, F, OuterRef, Q

from crm.client import ROWS_PER_CALL
from crm.mapping import Fields, changed_fields, map_lead
from crm.models import LeadSync, LeadSyncQuerySet, TaskSync
from crm.records import LeadRecord, read_records, status_of_stage
from handoffs.models import Handoff
from leads.models import Lead

MAX_ATTEMPTS = 8
# A row that may be what kills its worker takes nobody along any more.
ALONE_AFTER = 3
# Longer than a task may run, so that a claim this old belongs to nobody.
CLAIM_EXPIRES = timedelta(minutes=2)


@dataclass
class Claim:
    """One lead taken for sending: what it looks like now, and what Salesforce does not know of it yet."""

    sync: LeadSync
    record: LeadRecord
    changes: Fields
    tasks: dict[int, TaskSync]


def add_missing_standings() -> None:
    """Give every lead a row here. Leads are made below this app and know nothing of it."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO {LeadSync._meta.db_table}
                (lead_id, salesforce_id, pushed_revision, resends_asked, resends_done, acknowledged, sending,
                 attempts, error_code, error, remote_status, remote_owner_id, remote_owner_name, is_converted,
                 lane, master_id, remote_digest)
            SELECT lead.id, '', 0, 0, 0, '{{}}', '{{}}', 0, '', '', '', '', '', false,
                1, '', ''
            FROM {Lead._meta.db_table} lead
            WHERE NOT EXISTS (SELECT FROM {LeadSync._meta.db_table} sync WHERE sync.lead_id = lead.id)
            ON CONFLICT DO NOTHING
            """
        )


@transaction.atomic(durable=True)
def claim_stale(*, now: datetime) -> list[Claim]:
    """Take stale leads that nobody else has, those in sales' hands first, and count the attempt.

    A lead that failed repeatedly comes alone.
    """
    in_sales = Exists(Handoff.objects.open().filter(lead=OuterRef("lead")))
    suspect = ExpressionWrapper(Q(attempts__gte=ALONE_AFTER), output_field=BooleanField())
    free = LeadSync.objects.claimable(now).select_for_update(of=("self",), skip_locked=True)
    found = list(free.order_by(suspect, in_sales.desc(), "lead")[:ROWS_PER_CALL])
    syncs = [sync for sync in found if sync.attempts < ALONE_AFTER] or found[:1]
    lead_ids = [sync.lead_id for sync in syncs]
    records = read_records(lead_ids)
    tasks = TaskSync.objects.in_bulk([pk for record in records.values() for pk in record.handoffs])
    statuses = status_of_stage()
    claims = []
    for sync in syncs:
        record = records[sync.lead_id]
        changes = changed_fields(map_lead(record.facts, statuses=statuses), sync.acknowledged)
        sync.in_flight_since, sync.sending = now, changes
        sync.attempts += 1
        own_tasks = {pk: tasks[pk] for pk in record.handoffs if pk in tasks}
        claims.append(Claim(sync, record, changes, own_tasks))
    LeadSync.objects.bulk_update(syncs, ["in_flight_since", "sending", "attempts"])
    return claims


@transaction.atomic
def release_forgotten_claims(*, now: datetime) -> int:
    """Free what a crashed worker left behind; park what was left behind too often."""
    forgotten = LeadSync.objects.filter(in_flight_since__lt=now - CLAIM_EXPIRES)
    forgotten.filter(attempts__gte=MAX_ATTEMPTS).update(
        parked_at=now,
        error_code="LOST_WORKER",
        error=f"The worker stopped {MAX_ATTEMPTS} times while sending this lead. Look at its data.",
    )
    return forgotten.update(in_flight_since=None)


def give_back(claims: Sequence[Claim]) -> None:
    """Undo the claims, attempts included: the connection failed, not they. What was cut off stays in
    `sending`, so that its arrival is not taken for a change made in Salesforce."""
    for claim in claims:
        held(claim).update(in_flight_since=None, attempts=F("attempts") - 1)


def held(claim: Claim) -> LeadSyncQuerySet:
    """The row, as long as the claim on it is still ours."""
    return LeadSync.objects.filter(pk=claim.sync.pk, in_flight_since=claim.sync.in_flight_since)
