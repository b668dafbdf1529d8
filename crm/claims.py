"""Taking stale leads for sending, so that nobody else sends them meanwhile."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from common.bulk import update_rows
from crm.client import ROWS_PER_CALL
from crm.mapping import Fields, changed_fields, map_lead
from crm.models import BulkJob, Lane, LeadSync, LeadSyncQuerySet, TaskSync
from crm.records import LeadRecord, read_records, status_of_stage
from crm.rules import load_rules

MAX_ATTEMPTS = 8
# A row that may be what kills its worker takes nobody along any more.
ALONE_AFTER = 3
# Longer than a task may run, so that a claim this old belongs to nobody.
CLAIM_EXPIRES = timedelta(minutes=2)

# Leads that a bulk job may take. What was tried once goes by collections, where a refusal is told in full.
TRAVELS_IN_BULK = Q(attempts=0, is_converted=False, removed_at=None, master_id="")

KNOWN_THERE = ~Q(salesforce_id="")

BOTH_LANES = (Lane.HANDOFF, Lane.LATER)


@dataclass(frozen=True)
class Claim:
    """One lead taken for sending: where it stands, and what it looks like now."""

    sync: LeadSync
    record: LeadRecord
    tasks: dict[int, TaskSync]
    """What Salesforce knows of its handoffs, by their primary key."""
    is_written: bool = True
    """Whether there is a record there that this lead speaks for."""

    @property
    def changes(self) -> Fields:
        """What Salesforce does not know of the lead yet."""
        return dict(self.sync.sending)

    @property
    def known(self) -> Fields:
        """What the record there is known to say: nothing, if ours was merged into it."""
        return {} if self.sync.master_id else dict(self.sync.acknowledged)

    def who_id(self, lead_id_there: str) -> str:
        """The record there that its tasks belong to, given that of the lead; blank while there is none."""
        if self.sync.is_converted:
            return self.record.contact_id
        return "" if self.sync.removed_at else lead_id_there


@transaction.atomic(durable=True)
def claim_waiting(
    *,
    now: datetime,
    lanes: Collection[Lane] = BOTH_LANES,
    most: int = ROWS_PER_CALL,
    job: BulkJob | None = None,
) -> list[Claim]:
    """Take leads that wait to be sent and that nobody else has, handoffs first, and count the attempt.

    With a `job` they are the job's until their outcomes are recorded, else the worker's for CLAIM_EXPIRES.
    A lead that failed repeatedly comes alone.
    """
    free = LeadSync.objects.claimable(now).filter(lane__in=lanes)
    if job is not None:
        is_update = job.operation == BulkJob.Operation.UPDATE
        free = free.filter(TRAVELS_IN_BULK, KNOWN_THERE if is_update else ~KNOWN_THERE)
    claims = read_claims(_take(free, most=most))
    rules, statuses = load_rules(), status_of_stage()
    for claim in claims:
        sync = claim.sync
        sync.in_flight_since, sync.job = now, job
        wanted = map_lead(claim.record.facts, rules=rules, statuses=statuses)
        sync.sending = changed_fields(wanted, claim.known) if claim.is_written else {}
        sync.claimed_revision, sync.resends_taken = claim.record.revision, sync.resends_asked
        sync.attempts += 1
    _write([claim.sync for claim in claims])
    return claims


def _take(free: LeadSyncQuerySet, *, most: int) -> list[LeadSync]:
    found = list(free.order_by("lane", "send_at").select_for_update(skip_locked=True)[:most])
    if found and found[0].attempts >= ALONE_AFTER:
        return found[:1]
    return [sync for sync in found if sync.attempts < ALONE_AFTER]


def read_claims(syncs: Sequence[LeadSync]) -> list[Claim]:
    """The claims on these rows, with their leads and handoffs as they are now, in a fixed number of queries.

    For whoever goes on with a job that another worker began: `sending` then says what travels.
    """
    records = read_records([sync.lead_id for sync in syncs])
    tasks = TaskSync.objects.in_bulk([pk for record in records.values() for pk in record.handoffs])
    speakers = _speakers({sync.master_id for sync in syncs if sync.master_id})
    return [
        Claim(
            sync,
            record,
            {pk: tasks[pk] for pk in record.handoffs if pk in tasks},
            _is_written(sync, speakers),
        )
        for sync in syncs
        if (record := records.get(sync.lead_id))
    ]


def _is_written(sync: LeadSync, speakers: Mapping[str, int]) -> bool:
    if sync.is_converted or sync.removed_at:
        return False
    return not sync.master_id or speakers.get(sync.master_id) == sync.pk


def _speakers(master_ids: Collection[str]) -> dict[str, int]:
    """Which lead writes a record that others were merged into: whose it was, or else one of those. Each of
    them writing what it knows, the record would never come to rest."""
    if not master_ids:
        return {}
    # The last one of each counts: one without a master, then the oldest.
    sharing = LeadSync.objects.filter(salesforce_id__in=master_ids).order_by("-master_id", "-pk")
    return dict(sharing.values_list("salesforce_id", "pk"))


def _write(syncs: Sequence[LeadSync]) -> None:
    names = (
        *("lead_id", "in_flight_since", "job_id", "sending"),
        *("claimed_revision", "resends_taken", "attempts"),
    )
    update_rows(LeadSync, [{name: getattr(sync, name) for name in names} for sync in syncs])


@transaction.atomic
def release_forgotten_claims(*, now: datetime) -> int:
    """Free what a crashed worker left behind; park what was left behind too often. What travels with a job
    is no worker's: it stays."""
    forgotten = LeadSync.objects.filter(in_flight_since__lt=now - CLAIM_EXPIRES, job=None)
    forgotten.filter(attempts__gte=MAX_ATTEMPTS).update(
        parked_at=now,
        error_code="LOST_WORKER",
        error=f"The worker stopped {MAX_ATTEMPTS} times while sending this lead. Look at its data.",
    )
    return forgotten.update(in_flight_since=None)


def held(claims: Sequence[Claim]) -> LeadSyncQuerySet:
    """The rows whose claims are still ours."""
    return LeadSync.objects.filter(
        pk__in=[claim.sync.pk for claim in claims],
        in_flight_since__in={claim.sync.in_flight_since for claim in claims},
    )
