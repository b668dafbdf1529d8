"""Filling a job with leads that wait."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import F

from crm.bulk.lanes import lanes_in_bulk
from crm.claims import Claim, claim_waiting
from crm.client import ROWS_PER_CALL
from crm.connection import connection_state
from crm.models import BulkJob, LeadSync, LeadSyncQuerySet
from crm.outcomes import Outcome, record_outcomes
from crm.rules import load_rules
from crm.task_rows import tasks_to_send

# So many leads are claimed in one transaction, and so many by one worker before the mark is set anew.
LEADS_PER_CLAIM = 1_000
LEADS_PER_STEP = 10_000
LEADS_PER_JOB = 50_000


def fill_job(job: BulkJob, *, now: datetime) -> bool:
    """Claim more leads for a job; whether it may take yet more. Calls nothing."""
    taken = leads_of(job).count()
    for _ in range(LEADS_PER_STEP // LEADS_PER_CLAIM):
        lanes = lanes_in_bulk(now=now)
        room = min(LEADS_PER_CLAIM, LEADS_PER_JOB - taken)
        claims = claim_waiting(now=now, lanes=lanes, most=room, job=job) if lanes and room else []
        if not claims:
            return False
        taken += _sort(claims, job, now=now)
    return True


def _sort(claims: Sequence[Claim], job: BulkJob, *, now: datetime) -> int:
    """Keep those that have something to tell of their lead, and say how many. Of the others some have tasks
    to send, and the rest have nothing to send at all: they cost no call."""
    rules = load_rules()
    unchanged = [claim for claim in claims if not claim.changes]
    with_tasks = [
        claim for claim in unchanged if tasks_to_send(claim, who_id=claim.sync.salesforce_id, rules=rules)
    ]
    move_to_follower(job, with_tasks, now=now)
    told = {claim.sync.pk for claim in with_tasks}
    nothing = [Outcome(claim) for claim in unchanged if claim.sync.pk not in told]
    record_outcomes(nothing, now=now, began_at=None)
    return len(claims) - len(unchanged)


def move_to_follower(job: BulkJob, claims: Sequence[Claim], *, now: datetime) -> None:
    """Have the job that follows carry the tasks of these leads."""
    if claims:
        follower = follower_of(job, now=now)
        leads_of(job).filter(pk__in=[claim.sync.pk for claim in claims]).update(job=follower)


def follower_of(job: BulkJob, *, now: datetime) -> BulkJob:
    """The job of the tasks, made if there is none. It is looked at when this one has ended."""
    found, _ = BulkJob.objects.get_or_create(follows=job, defaults={"object_name": "Task", "created_at": now})
    return found


def leads_of(job: BulkJob) -> LeadSyncQuerySet:
    """The leads that travel with a job and of which nothing is recorded yet."""
    return LeadSync.objects.filter(job=job)


def release_untried(leads: LeadSyncQuerySet) -> int:
    """Have leads wait again as if no job had taken them."""
    return leads.update(job=None, in_flight_since=None, attempts=F("attempts") - 1)


def release_to_collections(leads: LeadSyncQuerySet, *, now: datetime) -> int:
    """Have leads sent by collections now. The try counts, and what was tried once is in no job again."""
    return leads.update(job=None, in_flight_since=None, send_at=now)


def is_worth_a_job(job: BulkJob) -> bool:
    """Whether its leads are more than collections would carry with as few calls. Tasks wait for a job no
    sooner than leads do."""
    least = ROWS_PER_CALL if job.object_name == "Lead" else connection_state().bulk_from
    return leads_of(job).count() > least
