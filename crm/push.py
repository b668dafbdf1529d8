"""Tells Salesforce what changed (CRM-1, CRM-4, CRM-5): claim, call, record.

Delivery is at least once and harmless to repeat, because every write is an upsert on our own external id.
A crash at any point leaves a claim, which is released, and a difference, which is sent again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog

from crm.claims import Claim, claim_waiting, give_back
from crm.client import ROWS_PER_CALL, RowResult, SalesforceClient
from crm.connection import is_paused, pause_connection, record_contact
from crm.mapping import LEAD_KEY, TASK_KEY, Fields
from crm.outcomes import Outcome, PushResult, record_outcomes
from crm.problems import RequestRefused, SalesforceError
from crm.rules import load_rules
from crm.task_rows import tasks_to_send

log = structlog.get_logger("salesforce")

# One row of the wrong shape makes Salesforce refuse the whole call with these.
SPOILS_THE_CALL = {"JSON_PARSER_ERROR"}


def push_batch(client: SalesforceClient, *, now: datetime) -> PushResult:
    """Send up to 200 waiting leads with the tasks of their handoffs. Call again until nothing was claimed."""
    if is_paused(now):
        return PushResult(is_paused=True)
    claims = claim_waiting(now=now)
    if not claims:
        return PushResult()
    try:
        outcomes = _send_leads(client, claims)
        _send_tasks(client, outcomes)
    except SalesforceError as error:
        give_back(claims)
        pause_connection(error.problem, now=now)
        return PushResult(waiting=len(claims), is_paused=True)

    result = record_outcomes(outcomes, now=now, began_at=client.began_at)
    record_contact(client, now=now, pushed=True)
    log.info("salesforce.pushed", leads=result.pushed, waiting=result.waiting, parked=result.parked)
    return result


def _send_leads(client: SalesforceClient, claims: Sequence[Claim]) -> list[Outcome]:
    outcomes = [Outcome(claim) for claim in claims]
    changed = [outcome for outcome in outcomes if outcome.claim.changes]
    rows = [{LEAD_KEY: one.claim.record.facts.public_id, **one.claim.changes} for one in changed]
    for outcome, result in zip(changed, _upsert(client, "Lead", LEAD_KEY, rows), strict=True):
        outcome.result = result
    return outcomes


def _send_tasks(client: SalesforceClient, outcomes: Sequence[Outcome]) -> None:
    rules = load_rules()
    waiting = [
        (outcome, task)
        for outcome in outcomes
        if outcome.is_confirmed
        for task in tasks_to_send(outcome.claim, who_id=outcome.salesforce_id, rules=rules)
    ]
    results = _upsert(client, "Task", TASK_KEY, [task.row for _, task in waiting])
    for (outcome, task), result in zip(waiting, results, strict=True):
        if result.problem is not None:
            outcome.task_problem = outcome.task_problem or result.problem
        else:
            outcome.tasks.append(task.confirmed(result.salesforce_id))


def _upsert(client: SalesforceClient, object_name: str, key: str, rows: Sequence[Fields]) -> list[RowResult]:
    """Upsert any number of rows. A row that spoils its whole call is found by halving and fails alone."""
    if len(rows) > ROWS_PER_CALL:
        first = _upsert(client, object_name, key, rows[:ROWS_PER_CALL])
        return first + _upsert(client, object_name, key, rows[ROWS_PER_CALL:])
    if not rows:
        return []
    try:
        return client.upsert_rows(object_name, key=key, rows=rows)
    except RequestRefused as error:
        if error.problem.code not in SPOILS_THE_CALL:
            raise
        if len(rows) == 1:
            return [RowResult(problem=error.problem)]
    middle = len(rows) // 2
    first = _upsert(client, object_name, key, rows[:middle])
    return first + _upsert(client, object_name, key, rows[middle:])
