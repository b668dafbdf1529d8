"""What became of leads that were sent: the third step of claim, call, record. Whatever carried them, one by
one, in collections or in bulk, ends here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.db import transaction

from common.bulk import update_rows
from crm.claims import MAX_ATTEMPTS, Claim, held
from crm.client import RowResult
from crm.connection import back_off, tell_operators
from crm.models import BulkJob, Lane, LeadSync, TaskSync
from crm.problems import Problem, Remedy
from leads.models import Lead
from sla.models import Clock, Target
from sla.services import stop_clock

log = structlog.get_logger("salesforce")

FIRST_WAIT = timedelta(seconds=15)
LONGEST_WAIT = timedelta(hours=1)
# What an update of a vanished record looks like: we sent the differences, and it was to be made anew.
REMOTE_IS_GONE = {"REQUIRED_FIELD_MISSING", "ENTITY_IS_DELETED", "NOT_FOUND"}


@dataclass
class Outcome:
    """What became of a claim."""

    claim: Claim
    result: RowResult | None = None
    """Of the lead; None: there was nothing to say of it."""
    tasks: list[TaskSync] = field(default_factory=list)
    """Of its handoffs, those that Salesforce confirmed, as it knows them now."""
    task_problem: Problem | None = None
    goes_on_with: BulkJob | None = None
    """The job that its tasks travel with: only then is it all told."""

    @property
    def is_confirmed(self) -> bool:
        """Whether Salesforce knows the lead as it was claimed; its tasks may be missing all the same."""
        return self.result is None or self.result.problem is None

    @property
    def problem(self) -> Problem | None:
        return (self.result.problem if self.result else None) or self.task_problem

    @property
    def salesforce_id(self) -> str:
        return (self.result.salesforce_id if self.result else "") or self.claim.sync.salesforce_id

    @property
    def is_recreated(self) -> bool:
        """It had vanished, and was made anew from mere differences."""
        return self.result is not None and self.result.created and bool(self.claim.sync.acknowledged)


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


def record_outcomes(outcomes: Sequence[Outcome], *, now: datetime, began_at: datetime | None) -> PushResult:
    """Keep what Salesforce answered to claims, and end these. A claim that is not ours any more is passed
    over: it was released, and its lead is sent once more. `began_at`: by Salesforce's clock, see the client.
    """
    _stop_transfer_clocks(outcomes, now=now)
    return _record(outcomes, now=now, began_at=began_at)


def _stop_transfer_clocks(outcomes: Sequence[Outcome], *, now: datetime) -> None:
    """The handoff has reached Salesforce. Before the push is recorded: a crash in between sends once more
    and comes by here again, while the other way round the clock would run for ever."""
    arrived = [
        pk
        for outcome in outcomes
        if outcome.problem is None and outcome.goes_on_with is None
        for pk in outcome.claim.record.handoffs
    ]
    running = Clock.objects.running().filter(kind=Target.Kind.CRM_TRANSFER, handoff_id__in=arrived)
    for clock in running:
        with transaction.atomic():
            lead = Lead.objects.lock(clock.lead_id)
            # A handoff made while this batch was being claimed may be younger than `now`.
            stopped_at = max(now, clock.started_at)
            stop_clock(lead, handoff_id=clock.handoff_id, kind=Target.Kind.CRM_TRANSFER, at=stopped_at)


@transaction.atomic
def _record(outcomes: Sequence[Outcome], *, now: datetime, began_at: datetime | None) -> PushResult:
    locked = held([outcome.claim for outcome in outcomes]).order_by("pk").select_for_update()
    syncs = {sync.pk: sync for sync in locked}
    pushed = waiting = parked = 0
    for outcome in outcomes:
        sync = syncs.get(outcome.claim.sync.pk)
        if sync is None:
            continue
        _keep_confirmed(sync, outcome, began_at=began_at)
        if outcome.goes_on_with is not None:
            sync.job = outcome.goes_on_with
            continue
        sync.in_flight_since, sync.job = None, None
        problem = outcome.problem
        if problem is None:
            pushed += 1
            _succeed(sync, outcome, now=now)
        elif _is_worth_retrying(sync, outcome, problem):
            waiting += 1
            _try_again(sync, outcome, problem, now=now)
        else:
            parked += 1
            _park(sync, problem, now=now)
    _write(list(syncs.values()))
    _keep_tasks([task for outcome in outcomes for task in outcome.tasks])
    return PushResult(pushed, waiting, parked)


def _keep_confirmed(sync: LeadSync, outcome: Outcome, *, began_at: datetime | None) -> None:
    """What Salesforce confirmed counts, also where the rest of the claim failed."""
    changes = outcome.claim.changes
    if outcome.result is None or not outcome.is_confirmed:
        return
    sync.salesforce_id = outcome.salesforce_id
    sync.acknowledged = {**({} if outcome.is_recreated else sync.acknowledged), **changes}
    sync.acknowledged_at, sync.sending = began_at, {}
    if "Status" in changes:
        sync.remote_status = changes["Status"] or ""
    if "OwnerId" in changes:
        sync.remote_owner_id = changes["OwnerId"] or ""


def _succeed(sync: LeadSync, outcome: Outcome, *, now: datetime) -> None:
    sync.pushed_revision, sync.pushed_at = sync.claimed_revision, outcome.claim.sync.in_flight_since
    sync.attempts, sync.error_code, sync.error = 0, "", ""
    # A record made anew from mere differences is not whole yet, and what changed meanwhile was not sent.
    if outcome.is_recreated or sync.resends_asked != sync.resends_taken:
        sync.send_at = sync.waiting_since = now
    else:
        sync.send_at, sync.waiting_since, sync.lane = None, None, Lane.LATER


def _is_worth_retrying(sync: LeadSync, outcome: Outcome, problem: Problem) -> bool:
    if sync.attempts >= MAX_ATTEMPTS:
        return False
    return problem.remedy is Remedy.RETRY or _must_send_all(sync, outcome, problem)


def _must_send_all(sync: LeadSync, outcome: Outcome, problem: Problem) -> bool:
    """Whether the record is gone from Salesforce and only the whole of it can bring it back."""
    return bool(sync.acknowledged) and not outcome.is_confirmed and problem.code in REMOTE_IS_GONE


def _try_again(sync: LeadSync, outcome: Outcome, problem: Problem, *, now: datetime) -> None:
    _keep_error(sync, problem)
    if _must_send_all(sync, outcome, problem):
        sync.send_at, sync.acknowledged, sync.salesforce_id = now, {}, ""
    else:
        sync.send_at = now + back_off(sync.attempts, first=FIRST_WAIT, longest=LONGEST_WAIT)


def _park(sync: LeadSync, problem: Problem, *, now: datetime) -> None:
    _keep_error(sync, problem)
    sync.parked_at = now
    log.warning("salesforce.parked", lead=sync.lead_id, code=problem.code)
    tell_operators(problem, title="Salesforce: a lead waits for you", now=now)


def _keep_error(sync: LeadSync, problem: Problem) -> None:
    sync.error_code, sync.error = problem.code[:80], problem.in_plain_words[:600]


def _write(syncs: Sequence[LeadSync]) -> None:
    names = (
        *("lead_id", "salesforce_id", "acknowledged", "acknowledged_at", "remote_status", "remote_owner_id"),
        *("pushed_revision", "pushed_at", "in_flight_since", "job_id", "sending", "attempts"),
        *("send_at", "lane", "waiting_since", "parked_at", "error_code", "error"),
    )
    update_rows(LeadSync, [{name: getattr(sync, name) for name in names} for sync in syncs])


def _keep_tasks(tasks: Sequence[TaskSync]) -> None:
    TaskSync.objects.bulk_create(
        tasks,
        update_conflicts=True,
        unique_fields=["handoff"],
        update_fields=["salesforce_id", "acknowledged"],
    )
