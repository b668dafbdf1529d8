"""Filling a job with leads that wait."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import F, Q
from django.db.models.functions import Greatest

from crm.bulk.lanes import lanes_in_bulk
from crm.claims import Claim, claim_waiting
from crm.client import ROWS_PER_CALL
from crm.connection import connection_state
from crm.contested import contested_fields
from crm.mapping import Rules
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
    # Asked once: handoffs that are many come all with the job, not only until the rest are few.
    lanes = lanes_in_bulk(now=now)
    for _ in range(LEADS_PER_STEP // LEADS_PER_CLAIM):
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
    told = [claim for claim in claims if claim.changes]
    unfit = [claim.sync.pk for claim in told if not _can_travel(claim, job, rules)]
    release_to_collections(leads_of(job).filter(pk__in=unfit), now=now)
    silent = [claim for claim in claims if not claim.changes]
    following = have_tasks_follow(
        job, [(claim, claim.sync.salesforce_id) for claim in silent], rules, now=now
    )
    nothing = [Outcome(claim) for claim in silent if claim.sync.pk not in following]
    record_outcomes(nothing, now=now, answered_at=None)
    return len(told) - len(unfit)


def _can_travel(claim: Claim, job: BulkJob, rules: Rules) -> bool:
    """A known record is written unseen only if it carries our key, and nothing is sent that somebody may have
    changed there."""
    if job.operation == BulkJob.Operation.UPSERT:
        return True
    return bool(claim.sync.acknowledged) and contested_fields(rules).isdisjoint(claim.changes)


def have_tasks_follow(
    job: BulkJob, told: Sequence[tuple[Claim, str]], rules: Rules, *, now: datetime
) -> set[int]:
    """Have the job that follows take the tasks of leads of which nothing else is left to tell, each given
    with its record there; the keys of those that have some. The follower makes new ones; a lead with tasks
    that are known there goes by collections."""
    following, elsewhere = [], []
    for claim, salesforce_id in told:
        tasks = tasks_to_send(claim, who_id=claim.who_id(salesforce_id), rules=rules)
        if any(task.salesforce_id for task in tasks):
            elsewhere.append(claim.sync.pk)
        elif tasks:
            following.append(claim.sync.pk)
    ours = LeadSync.objects.filter(Q(job=job) | Q(in_flight_since=None))
    release_to_collections(ours.filter(pk__in=elsewhere), now=now)
    if following:
        follower = _follower_of(job, now=now)
        ours.filter(pk__in=following).update(job=follower, in_flight_since=now, attempts=1)
    return {*following, *elsewhere}


def _follower_of(job: BulkJob, *, now: datetime) -> BulkJob:
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
    return leads.update(job=None, in_flight_since=None, send_at=now, attempts=Greatest(F("attempts"), 1))


def is_worth_a_job(job: BulkJob) -> bool:
    """Whether its leads are more than collections would carry with as few calls. Tasks wait for a job no
    sooner than leads do."""
    least = connection_state().bulk_from
    if job.object_name == "Lead":
        least = min(least, ROWS_PER_CALL)
    return leads_of(job).count() > least
