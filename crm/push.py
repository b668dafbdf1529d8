"""Tells Salesforce what changed (CRM-1, CRM-4, CRM-5): claim, call, record.

Delivery is at least once and harmless to repeat, because every write is an upsert on our own external id.
A crash at any point leaves a claim, which is released, and a difference, which is sent again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F

from crm.claims import MAX_ATTEMPTS, Claim, claim_stale, give_back, held
from crm.client import ROWS_PER_CALL, RowResult, SalesforceClient
from crm.connection import back_off, is_paused, pause_connection, record_contact, tell_operators
from crm.mapping import LEAD_KEY, TASK_KEY, Fields, changed_fields, map_task
from crm.models import TaskSync
from crm.problems import Problem, Remedy, RequestRefused, SalesforceError
from leads.models import Lead
from sla.models import Clock, Target
from sla.services import stop_clock

log = structlog.get_logger("salesforce")

FIRST_WAIT = timedelta(seconds=15)
LONGEST_WAIT = timedelta(hours=1)
# One row of the wrong shape makes Salesforce refuse the whole call with these.
SPOILS_THE_CALL = {"JSON_PARSER_ERROR"}
# What an update of a vanished record looks like: we sent the differences, and it was to be made anew.
REMOTE_IS_GONE = {"REQUIRED_FIELD_MISSING", "ENTITY_IS_DELETED", "NOT_FOUND"}


@dataclass
class Outcome:
    """What became of a claim. A problem may lie in the lead, which then is not confirmed, or in a task."""

    claim: Claim
    salesforce_id: str
    lead_confirmed: bool = True
    recreated: bool = False
    problem: Problem | None = None
    confirmed_tasks: dict[int, TaskSync] = field(default_factory=dict)


@dataclass(frozen=True)
class PushResult:
    """Counts of leads of one batch."""

    pushed: int = 0
    waiting: int = 0
    parked: int = 0
    is_paused: bool = False

    @property
    def claimed(self) -> int:
        return self.pushed + self.waiting + self.parked


def push_batch(client: SalesforceClient, *, now: datetime) -> PushResult:
    """Send up to 200 stale leads with the tasks of their handoffs. Call again until nothing was claimed."""
    if is_paused(now):
        return PushResult(is_paused=True)
    claims = claim_stale(now=now)
    if not claims:
        return PushResult()
    try:
        outcomes = _send_leads(client, claims)
        _send_tasks(client, outcomes)
    except SalesforceError as error:
        give_back(claims)
        pause_connection(error.problem, now=now)
        return PushResult(waiting=len(claims), is_paused=True)

    _stop_transfer_clocks(outcomes, now=now)
    result = _record(outcomes, now=now, began_at=client.began_at)
    record_contact(client, now=now, pushed=True)
    log.info("salesforce.pushed", leads=result.pushed, waiting=result.waiting, parked=result.parked)
    return result


# --- Call ----------------------------------------------------------------------------------------


def _send_leads(client: SalesforceClient, claims: Sequence[Claim]) -> list[Outcome]:
    outcomes = [Outcome(claim, claim.sync.salesforce_id) for claim in claims]
    changed = [outcome for outcome in outcomes if outcome.claim.changes]
    rows = [{LEAD_KEY: one.claim.record.facts.public_id, **one.claim.changes} for one in changed]
    for outcome, result in zip(changed, _upsert(client, "Lead", LEAD_KEY, rows), strict=True):
        if result.problem is not None:
            outcome.lead_confirmed, outcome.problem = False, result.problem
            continue
        outcome.recreated = result.created and bool(outcome.salesforce_id)
        outcome.salesforce_id = result.salesforce_id or outcome.salesforce_id
    return outcomes


def _send_tasks(client: SalesforceClient, outcomes: Sequence[Outcome]) -> None:
    waiting: list[tuple[Outcome, int, Fields, Fields]] = []
    for outcome in outcomes:
        record = outcome.claim.record
        for pk, handoff in record.handoffs.items():
            if not outcome.lead_confirmed:
                continue
            wanted = map_task(record.facts, handoff, lead_salesforce_id=outcome.salesforce_id)
            known = outcome.claim.tasks.get(pk)
            changes = changed_fields(wanted, known.acknowledged if known else {})
            if changes:
                waiting.append((outcome, pk, wanted, {TASK_KEY: handoff.public_id, **changes}))
    results = _upsert(client, "Task", TASK_KEY, [row for *_, row in waiting])
    for (outcome, pk, wanted, _), result in zip(waiting, results, strict=True):
        if result.problem is not None:
            outcome.problem = outcome.problem or result.problem
        else:
            task = TaskSync(handoff_id=pk, salesforce_id=result.salesforce_id, acknowledged=wanted)
            outcome.confirmed_tasks[pk] = task


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


# --- Record --------------------------------------------------------------------------------------


def _stop_transfer_clocks(outcomes: Sequence[Outcome], *, now: datetime) -> None:
    """The handoff has reached Salesforce. Before the push is recorded: a crash in between sends once more
    and comes by here again, while the other way round the clock would run for ever."""
    arrived = [pk for outcome in outcomes if outcome.problem is None for pk in outcome.claim.record.handoffs]
    running = Clock.objects.running().filter(kind=Target.Kind.CRM_TRANSFER, handoff_id__in=arrived)
    for clock in running:
        with transaction.atomic():
            lead = Lead.objects.lock(clock.lead_id)
            # A handoff made while this batch was being claimed may be younger than `now`.
            stopped_at = max(now, clock.started_at)
            stop_clock(lead, handoff_id=clock.handoff_id, kind=Target.Kind.CRM_TRANSFER, at=stopped_at)


@transaction.atomic
def _record(outcomes: Sequence[Outcome], *, now: datetime, began_at: datetime | None) -> PushResult:
    pushed = waiting = parked = 0
    for outcome in outcomes:
        _record_confirmed(outcome, began_at=began_at)
        if outcome.problem is None:
            pushed += 1
            _record_success(outcome)
        elif _is_worth_retrying(outcome):
            waiting += 1
            _record_retry(outcome, outcome.problem, now=now)
        else:
            parked += 1
            _park(outcome, outcome.problem, now=now)
    return PushResult(pushed, waiting, parked)


def _record_confirmed(outcome: Outcome, *, began_at: datetime | None) -> None:
    """Keep what Salesforce confirmed, also where the rest of the claim failed."""
    claim = outcome.claim
    if outcome.lead_confirmed and claim.changes:
        known = {} if outcome.recreated else claim.sync.acknowledged
        sent = {
            name: claim.changes[field] or ""
            for name, field in (("remote_status", "Status"), ("remote_owner_id", "OwnerId"))
            if field in claim.changes
        }
        held(claim).update(
            salesforce_id=outcome.salesforce_id,
            acknowledged={**known, **claim.changes},
            acknowledged_at=began_at,
            sending={},
            **sent,
        )
    TaskSync.objects.bulk_create(
        outcome.confirmed_tasks.values(),
        update_conflicts=True,
        unique_fields=["handoff"],
        update_fields=["salesforce_id", "acknowledged"],
    )


def _record_success(outcome: Outcome) -> None:
    done = outcome.claim.sync.resends_asked
    # A record made anew from mere differences is not whole yet: ask for another round.
    asked = F("resends_asked") + 1 if outcome.recreated else F("resends_asked")
    held(outcome.claim).update(
        resends_asked=asked,
        resends_done=done,
        pushed_revision=outcome.claim.record.revision,
        pushed_at=F("in_flight_since"),
        in_flight_since=None,
        attempts=0,
        not_before=None,
        error_code="",
        error="",
    )


def _is_worth_retrying(outcome: Outcome) -> bool:
    assert outcome.problem is not None
    if outcome.claim.sync.attempts >= MAX_ATTEMPTS:
        return False
    return outcome.problem.remedy is Remedy.RETRY or _must_send_all(outcome)


def _must_send_all(outcome: Outcome) -> bool:
    """Whether the record is gone from Salesforce and only the whole of it can bring it back."""
    assert outcome.problem is not None
    knew_it = bool(outcome.claim.sync.acknowledged)
    return knew_it and not outcome.lead_confirmed and outcome.problem.code in REMOTE_IS_GONE


def _record_retry(outcome: Outcome, problem: Problem, *, now: datetime) -> None:
    wait = back_off(outcome.claim.sync.attempts, first=FIRST_WAIT, longest=LONGEST_WAIT)
    changes: dict[str, Any] = {"not_before": now + wait}
    if _must_send_all(outcome):
        changes = {"not_before": None, "acknowledged": {}, "salesforce_id": ""}
    held(outcome.claim).update(in_flight_since=None, **_error(problem), **changes)


def _park(outcome: Outcome, problem: Problem, *, now: datetime) -> None:
    held(outcome.claim).update(in_flight_since=None, parked_at=now, **_error(problem))
    log.warning("salesforce.parked", lead=outcome.claim.sync.lead_id, code=problem.code)
    tell_operators(problem, title="Salesforce: a lead waits for you", now=now)


def _error(problem: Problem) -> dict[str, str]:
    return {"error_code": problem.code[:80], "error": problem.in_plain_words[:600]}
