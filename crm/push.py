"""Tells Salesforce what changed (CRM-1, CRM-4, CRM-5): claim, call, record.

Delivery is at least once and harmless to repeat: a new record is an upsert on our own external id, and one
that is known there is updated by its id there, so that what somebody deleted or merged is never made anew by
itself. A crash at any point leaves a claim, which is released, and a difference, which is sent again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import structlog

from crm.claims import BOTH_LANES, claim_waiting
from crm.client import ROWS_PER_CALL, RowResult, SalesforceClient
from crm.connection import is_paused, pause_connection, record_contact
from crm.contested import leave_theirs
from crm.mapping import LEAD_KEY, TASK_KEY, Fields, Rules
from crm.models import Lane
from crm.outcomes import Outcome, PushResult, SentTask, record_outcomes
from crm.problems import Problem, Remedy, RequestRefused, SalesforceError
from crm.pull.removals import Gone, find_masters, note_gone
from crm.rules import load_rules
from crm.task_rows import TaskRow, as_upsert, tasks_to_send

log = structlog.get_logger("salesforce")

# Under load so many leads share the calls of a batch: their tasks would otherwise fill calls by half.
LEADS_PER_BATCH = 10 * ROWS_PER_CALL
# However slowly an org answers, a batch ends well within the time that a task is given.
SECONDS_PER_BATCH = 20.0
# One row of the wrong shape makes Salesforce refuse the whole call with these.
SPOILS_THE_CALL = {"JSON_PARSER_ERROR"}
# Salesforce lets nobody change it.
TASK_KIND = "TaskSubtype"

Send = Callable[[Sequence[Fields]], list[RowResult]]
Note = Callable[[RowResult], None]


def push_batch(
    client: SalesforceClient, *, now: datetime, lanes: Collection[Lane] = BOTH_LANES
) -> PushResult:
    """Send waiting leads with the tasks of their handoffs and attempts, in calls of 200. Call again until
    nothing was claimed."""
    if is_paused(now):
        return PushResult(is_paused=True)
    claims = claim_waiting(now=now, lanes=lanes, most=LEADS_PER_BATCH)
    if not claims:
        return PushResult()
    outcomes = [Outcome(claim) for claim in claims]
    problem = _send(client, outcomes)
    result = record_outcomes(outcomes, now=now, answered_at=client.answered_at)
    problem = problem or _look_for_gone(client, outcomes, now=now)
    log.info("salesforce.pushed", leads=result.pushed, waiting=result.waiting, parked=result.parked)
    if problem is not None:
        pause_connection(problem, now=now, client=client)
        return replace(result, is_paused=True)
    record_contact(client, now=now, pushed=True)
    return result


def _send(client: SalesforceClient, outcomes: Sequence[Outcome]) -> Problem | None:
    """Send everything; the problem of the connection that cut it off, if one did."""
    rules = load_rules()
    calls = _Calls(until=time.monotonic() + SECONDS_PER_BATCH)
    try:
        leave_theirs(client, [outcome.claim for outcome in outcomes], rules=rules)
        _send_leads(client, outcomes, calls)
        _send_tasks(client, outcomes, calls, rules=rules)
    except _OutOfTimeError:
        problem = None
    except SalesforceError as error:
        problem = error.problem
    else:
        return None
    for outcome in outcomes:
        outcome.was_cut_off = True
    return problem


# --- Leads ---------------------------------------------------------------------------------------


def _send_leads(client: SalesforceClient, outcomes: Sequence[Outcome], calls: _Calls) -> None:
    changed = [outcome for outcome in outcomes if outcome.claim.changes]
    new = [outcome for outcome in changed if not outcome.claim.sync.salesforce_id]
    known = [outcome for outcome in changed if outcome.claim.sync.salesforce_id]
    calls.make(partial(client.update_rows, "Lead"), [(_update(one), partial(_answer, one)) for one in known])
    upsert = partial(_upsert, client, "Lead", LEAD_KEY)
    calls.make(upsert, [(_row_with_key(one), partial(_answer, one)) for one in new])


def _update(outcome: Outcome) -> Fields:
    sync = outcome.claim.sync
    # A record that was adopted, or that ours was merged into, does not carry our key yet.
    fields = outcome.claim.changes if outcome.claim.known else _row_with_key(outcome)
    return {"Id": sync.salesforce_id, **fields}


def _row_with_key(outcome: Outcome) -> Fields:
    return {LEAD_KEY: outcome.claim.record.facts.public_id, **outcome.claim.changes}


def _answer(outcome: Outcome, result: RowResult) -> None:
    outcome.result = result


def _look_for_gone(client: SalesforceClient, outcomes: Sequence[Outcome], *, now: datetime) -> Problem | None:
    """Find out what became of records that are not there any more: merged into another one, which is then
    followed, or deleted, which is for a person to decide about."""
    gone = {
        outcome.claim.sync.pk: outcome.claim.sync.salesforce_id
        for outcome in outcomes
        if outcome.problem and outcome.problem.remedy is Remedy.GONE and outcome.claim.sync.salesforce_id
    }
    if not gone:
        return None
    try:
        masters = find_masters(client, sorted(set(gone.values())))
    except SalesforceError as error:
        return error.problem
    for lead_id, salesforce_id in sorted(gone.items()):
        if salesforce_id in masters:
            note_gone(lead_id, Gone(salesforce_id, now, masters[salesforce_id]), now=now)
    return None


# --- Tasks ---------------------------------------------------------------------------------------


def _send_tasks(
    client: SalesforceClient, outcomes: Sequence[Outcome], calls: _Calls, *, rules: Rules
) -> None:
    waiting = [
        (outcome, row)
        for outcome in outcomes
        if outcome.is_confirmed
        for row in tasks_to_send(
            outcome.claim, who_id=outcome.claim.who_id(outcome.salesforce_id), rules=rules
        )
    ]
    known = [(outcome, row) for outcome, row in waiting if row.salesforce_id]
    new = [(outcome, row) for outcome, row in waiting if not row.salesforce_id]
    calls.make(
        partial(client.update_rows, "Task"),
        [({"Id": row.salesforce_id, **row.changes}, partial(_answer_task, one, row)) for one, row in known],
    )
    upsert = partial(_upsert_tasks, client)
    calls.make(upsert, [(as_upsert(row), partial(_answer_task, one, row)) for one, row in new])


def _upsert_tasks(client: SalesforceClient, rows: Sequence[Fields]) -> list[RowResult]:
    """A task that arrived without our hearing so is there already, and takes its kind only once."""
    results = _upsert(client, "Task", TASK_KEY, rows)
    there = [number for number, result in enumerate(results) if _is_about_its_kind(result.problem)]
    if there:
        kindless = [{name: rows[n][name] for name in rows[n] if name != TASK_KIND} for n in there]
        again = _upsert(client, "Task", TASK_KEY, kindless)
        for number, result in zip(there, again, strict=True):
            results[number] = result
    return results


def _is_about_its_kind(problem: Problem | None) -> bool:
    if problem is None or problem.code != "INVALID_FIELD_FOR_INSERT_UPDATE":
        return False
    return TASK_KIND in problem.fields or TASK_KIND in problem.message


def _answer_task(outcome: Outcome, row: TaskRow, result: RowResult) -> None:
    outcome.tasks.append(SentTask(row, result))


# --- Calls ---------------------------------------------------------------------------------------


def _upsert(client: SalesforceClient, object_name: str, key: str, rows: Sequence[Fields]) -> list[RowResult]:
    return client.upsert_rows(object_name, key=key, rows=rows)


class _OutOfTimeError(Exception):
    """The batch has taken long enough: the rest of it goes with the next one."""


@dataclass(frozen=True)
class _Calls:
    """Calls of a batch, until a time of the monotonic clock."""

    until: float

    def make(self, send: Send, rows: Sequence[tuple[Fields, Note]]) -> None:
        """Send any number of rows, and note the answer to each as soon as its call is answered: where a later
        one fails, they count. The first call is made in any case, so that every batch gets on."""
        for start in range(0, len(rows), ROWS_PER_CALL):
            if start and time.monotonic() >= self.until:
                raise _OutOfTimeError
            chunk = rows[start : start + ROWS_PER_CALL]
            results = _send_sound(send, [fields for fields, _ in chunk])
            for (_, note), result in zip(chunk, results, strict=True):
                note(result)


def _send_sound(send: Send, rows: Sequence[Fields]) -> list[RowResult]:
    """A row that spoils its whole call is found by halving and fails alone."""
    try:
        return send(rows)
    except RequestRefused as error:
        if error.problem.code not in SPOILS_THE_CALL:
            raise
        if len(rows) == 1:
            return [RowResult(problem=error.problem)]
    middle = len(rows) // 2
    return _send_sound(send, rows[:middle]) + _send_sound(send, rows[middle:])
