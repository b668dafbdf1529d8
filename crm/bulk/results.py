"""What became of the rows of a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from crm.bulk.files import key_of
from crm.bulk.filling import have_tasks_follow, leads_of, release_to_collections
from crm.claims import Claim, read_claims
from crm.client import JobStatus, RowResult, SalesforceClient
from crm.mapping import Rules
from crm.models import BulkJob
from crm.outcomes import Outcome, SentTask, record_outcomes
from crm.problems import Remedy
from crm.rules import load_rules
from crm.task_rows import TaskRow, tasks_to_send

log = structlog.get_logger("salesforce")

LEADS_PER_RECORD = 500
LEADS_PER_STEP = 10_000
# A file's answer does not name the records that stand in the way, nor do we mend in it what a task takes only
# once; a collections call does.
TOLD_IN_FULL_ELSEWHERE = {"DUPLICATES_DETECTED", "INVALID_FIELD_FOR_INSERT_UPDATE"}

Results = Mapping[str, RowResult]


def record_results(client: SalesforceClient, job: BulkJob, status: JobStatus, *, now: datetime) -> bool:
    """Record what became of the leads of a job that has ended; whether some are left for another step."""
    results = client.job_results(job.salesforce_id, key=key_of(job), status=status)
    record = _record_leads if job.object_name == "Lead" else _record_tasks
    for _ in range(LEADS_PER_STEP // LEADS_PER_RECORD):
        claims = read_claims(list(leads_of(job).order_by("pk")[:LEADS_PER_RECORD]))
        if not claims:
            return False
        recorded = record(job, claims, results, now=now, answered_at=client.answered_at)
        untried = [claim.sync.pk for claim in claims if claim.sync.pk not in recorded]
        release_to_collections(leads_of(job).filter(pk__in=untried), now=now)
    return True


def _record_leads(
    job: BulkJob,
    claims: Sequence[Claim],
    results: Results,
    *,
    now: datetime,
    answered_at: datetime | None,
) -> set[int]:
    """Record the leads that were tried, and return them. Those with tasks to send stay claimed."""
    rules = load_rules()
    outcomes = []
    for claim in claims:
        is_update = job.operation == BulkJob.Operation.UPDATE
        key = claim.sync.salesforce_id if is_update else claim.record.facts.public_id
        if result := results.get(key.lower()):
            outcome = Outcome(claim, _retried_elsewhere(result))
            # What was made anew is not whole yet: it is told again at once, with its tasks.
            is_told = outcome.is_confirmed and not outcome.is_recreated
            # Of its tasks nothing is said yet.
            outcome.was_cut_off = is_told and bool(_tasks_of(outcome, rules))
            outcomes.append(outcome)
    record_outcomes(outcomes, now=now, answered_at=answered_at)
    told = [(outcome.claim, outcome.salesforce_id) for outcome in outcomes if outcome.was_cut_off]
    have_tasks_follow(job, told, rules, now=now)
    return {outcome.claim.sync.pk for outcome in outcomes}


def _record_tasks(
    job: BulkJob,
    claims: Sequence[Claim],
    results: Results,
    *,
    now: datetime,
    answered_at: datetime | None,
) -> set[int]:
    """Record the leads whose tasks were tried, and return them. Of a lead that changed since its claim nobody
    knows what the file said: its tasks are sent once more."""
    rules = load_rules()
    outcomes = []
    for claim in claims:
        outcome = Outcome(claim)
        rows = _tasks_of(outcome, rules)
        answers = [results.get(row.key.lower()) for row in rows]
        if claim.record.revision != claim.sync.claimed_revision or None in answers:
            continue
        outcome.tasks = [
            SentTask(row, _retried_elsewhere(answer))
            for row, answer in zip(rows, answers, strict=True)
            if answer
        ]
        outcomes.append(outcome)
    record_outcomes(outcomes, now=now, answered_at=answered_at)
    return {outcome.claim.sync.pk for outcome in outcomes}


def _tasks_of(outcome: Outcome, rules: Rules) -> list[TaskRow]:
    claim = outcome.claim
    return tasks_to_send(claim, who_id=claim.who_id(outcome.salesforce_id), rules=rules)


def _retried_elsewhere(result: RowResult) -> RowResult:
    problem = result.problem
    if problem is None or problem.code not in TOLD_IN_FULL_ELSEWHERE:
        return result
    return replace(result, problem=replace(problem, remedy=Remedy.RETRY))
