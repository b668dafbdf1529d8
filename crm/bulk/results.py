"""What became of the rows of a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from crm.bulk.files import KEYS
from crm.bulk.filling import follower_of, leads_of, release_to_collections
from crm.claims import Claim, read_claims
from crm.client import JobStatus, RowResult, SalesforceClient
from crm.mapping import Rules
from crm.models import BulkJob
from crm.outcomes import Outcome, record_outcomes
from crm.problems import Remedy
from crm.rules import load_rules
from crm.task_rows import tasks_to_send

log = structlog.get_logger("salesforce")

LEADS_PER_RECORD = 500
LEADS_PER_STEP = 10_000
# A file's answer does not name the records that stand in the way; that of a collections call does.
TOLD_IN_FULL_ELSEWHERE = {"DUPLICATES_DETECTED"}

Results = Mapping[str, RowResult]


def record_results(client: SalesforceClient, job: BulkJob, status: JobStatus, *, now: datetime) -> bool:
    """Record what became of the leads of a job that has ended; whether some are left for another step."""
    key = KEYS[job.object_name]
    results = client.job_results(job.salesforce_id, key=key, status=status)
    outcomes_of = _outcomes_of_leads if job.object_name == "Lead" else _outcomes_of_tasks
    rules = load_rules()
    for _ in range(LEADS_PER_STEP // LEADS_PER_RECORD):
        claims = read_claims(list(leads_of(job).order_by("pk")[:LEADS_PER_RECORD]))
        if not claims:
            return False
        outcomes = outcomes_of(job, claims, results, rules, now=now)
        record_outcomes(outcomes, now=now, began_at=job.began_at)
        recorded = {outcome.claim.sync.pk for outcome in outcomes}
        untried = [claim.sync.pk for claim in claims if claim.sync.pk not in recorded]
        release_to_collections(leads_of(job).filter(pk__in=untried), now=now)
    return True


def _outcomes_of_leads(
    job: BulkJob, claims: Sequence[Claim], results: Results, rules: Rules, *, now: datetime
) -> list[Outcome]:
    """The outcomes of leads that were tried. Those with tasks to send stay claimed, by the job of these."""
    outcomes = []
    for claim in claims:
        result = results.get(claim.record.facts.public_id.lower())
        if result is None:
            continue
        outcome = Outcome(claim, _retried_elsewhere(result))
        is_told = outcome.is_confirmed and not outcome.is_recreated
        if is_told and tasks_to_send(claim, who_id=outcome.salesforce_id, rules=rules):
            outcome.goes_on_with = follower_of(job, now=now)
        outcomes.append(outcome)
    return outcomes


def _outcomes_of_tasks(
    job: BulkJob, claims: Sequence[Claim], results: Results, rules: Rules, *, now: datetime
) -> list[Outcome]:
    """The outcomes of leads whose tasks were tried. Of a lead that changed since its claim nobody knows what
    the file said: its tasks are sent once more."""
    outcomes = []
    for claim in claims:
        tasks = tasks_to_send(claim, who_id=claim.sync.salesforce_id, rules=rules)
        answers = [results.get(task.key.lower()) for task in tasks]
        if claim.record.revision != claim.sync.claimed_revision or None in answers:
            continue
        outcome = Outcome(claim)
        for task, answer in zip(tasks, answers, strict=True):
            assert answer is not None
            if answer.problem is not None:
                outcome.task_problem = outcome.task_problem or answer.problem
            else:
                outcome.tasks.append(task.standing(answer.salesforce_id))
        outcomes.append(outcome)
    return outcomes


def _retried_elsewhere(result: RowResult) -> RowResult:
    problem = result.problem
    if problem is None or problem.code not in TOLD_IN_FULL_ELSEWHERE:
        return result
    return replace(result, problem=replace(problem, remedy=Remedy.RETRY))
