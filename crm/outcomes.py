"""What became of leads that were sent: the third step of claim, call, record. Whatever carried them, in
collections or in bulk, ends here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from django.db import transaction

from common.bulk import update_rows
from crm.claims import MAX_ATTEMPTS, Claim, held
from crm.client import RowResult
from crm.connection import back_off, tell_operators
from crm.history import Entry, keep_entries, sent_entry
from crm.mapping import LEAD_KEY, Rules
from crm.models import AttemptSync, Exchange, Lane, LeadSync, TaskSync
from crm.owning import note_refused_owner
from crm.problems import Problem, Remedy
from crm.rules import load_rules
from crm.task_rows import TaskRow
from sla.finishing import stop_clocks
from sla.models import Target

log = structlog.get_logger("salesforce")

FIRST_WAIT = timedelta(seconds=15)
LONGEST_WAIT = timedelta(hours=1)


class SentTask(NamedTuple):
    """A task that was sent, and the answer."""

    row: TaskRow
    result: RowResult

    @property
    def is_settled(self) -> bool:
        """It arrived; or somebody deleted it there, and had their reasons."""
        problem = self.result.problem
        if problem is None:
            return True
        # Not the task may be what is gone, but the person it is about.
        is_deleted = problem.remedy is Remedy.GONE and "WhoId" not in problem.fields
        return is_deleted and bool(self.row.salesforce_id)

    @property
    def problem(self) -> Problem | None:
        return None if self.is_settled else self.result.problem


@dataclass
class Outcome:
    """What became of a claim."""

    claim: Claim
    result: RowResult | None = None
    """Of the lead; None: nothing was said of it."""
    tasks: list[SentTask] = field(default_factory=list)
    was_cut_off: bool = False
    """The connection failed before everything was said: the rest is sent again, which counts as no try."""

    @property
    def is_confirmed(self) -> bool:
        """Whether nothing stands between the lead and its tasks."""
        return self.result is None or self.result.problem is None

    @property
    def problem(self) -> Problem | None:
        """The first one: the lead's, or else a task's."""
        if self.result and self.result.problem:
            return self.result.problem
        return next((task.problem for task in self.tasks if task.problem), None)

    @property
    def salesforce_id(self) -> str:
        return (self.result.salesforce_id if self.result else "") or self.claim.sync.salesforce_id

    @property
    def is_recreated(self) -> bool:
        """It had vanished, and was made anew from mere differences."""
        return self.result is not None and self.result.created and bool(self.claim.sync.acknowledged)

    @property
    def is_told(self) -> bool:
        """Whether Salesforce knows all of it."""
        return self.problem is None and not self.was_cut_off


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


def record_outcomes(
    outcomes: Sequence[Outcome], *, now: datetime, answered_at: datetime | None
) -> PushResult:
    """Keep what Salesforce answered to claims, and end these. A claim that is not ours any more is passed
    over: it was released, and its lead is sent once more. `answered_at`: by Salesforce's clock, see the
    client.
    """
    if not outcomes:
        return PushResult()
    # The handoff has reached Salesforce. Before the push is recorded: a crash in between sends once more and
    # comes by here again, while the other way round the clock would run for ever.
    stop_clocks(handoff_ids=list(_arrived(outcomes)), kind=Target.Kind.CRM_TRANSFER, at=now)
    return _record(outcomes, now=now, answered_at=answered_at)


def _arrived(outcomes: Sequence[Outcome]) -> Iterator[int]:
    for outcome in outcomes:
        if outcome.is_told:
            yield from outcome.claim.record.handoffs


@transaction.atomic
def _record(outcomes: Sequence[Outcome], *, now: datetime, answered_at: datetime | None) -> PushResult:
    locked = held([outcome.claim for outcome in outcomes]).order_by("pk").select_for_update()
    syncs = {sync.pk: sync for sync in locked}
    ended = []
    for outcome in outcomes:
        if sync := syncs.get(outcome.claim.sync.pk):
            _end(sync, outcome, now=now, answered_at=answered_at)
            ended.append(outcome)
    _write(list(syncs.values()))
    _keep_tasks([task for outcome in ended for task in outcome.tasks if task.is_settled])
    rules = load_rules()
    keep_entries(
        entry for outcome in ended for entry in _entries(syncs[outcome.claim.sync.pk], outcome, rules, at=now)
    )
    parked = sum(sync.parked_at is not None for sync in syncs.values())
    pushed = sum(outcome.is_told for outcome in ended)
    return PushResult(pushed, len(ended) - pushed - parked, parked)


def _end(sync: LeadSync, outcome: Outcome, *, now: datetime, answered_at: datetime | None) -> None:
    if outcome.result is not None and outcome.result.problem is None:
        _keep_confirmed(sync, outcome, answered_at=answered_at)
    sync.in_flight_since, sync.job = None, None
    problem = outcome.problem
    if problem is not None:
        _keep_error(sync, problem)
        if sync.attempts >= MAX_ATTEMPTS or not _act_on(problem, sync, outcome, now=now):
            _park(sync, problem, now=now)
    elif outcome.was_cut_off:
        sync.attempts -= 1
    else:
        _succeed(sync, outcome, now=now)


def _keep_confirmed(sync: LeadSync, outcome: Outcome, *, answered_at: datetime | None) -> None:
    """What Salesforce confirmed counts, also where the rest of the claim failed."""
    changes = outcome.claim.changes
    sync.salesforce_id = outcome.salesforce_id
    # It carries our key now, whatever was merged into it.
    sync.master_id = ""
    sync.acknowledged = {**({} if outcome.is_recreated else outcome.claim.known), **changes}
    sync.acknowledged_at, sync.sending = answered_at, {}
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


# --- Trouble -------------------------------------------------------------------------------------


def _act_on(problem: Problem, sync: LeadSync, outcome: Outcome, *, now: datetime) -> bool:
    """Do what the problem asks for; False when it asks for a person."""
    match problem.remedy:
        case Remedy.RETRY | Remedy.QUOTA | Remedy.AUTH:
            sync.send_at = now + back_off(sync.attempts, first=FIRST_WAIT, longest=LONGEST_WAIT)
            return True
        case Remedy.AGAIN:
            sync.attempts -= 1
        case Remedy.CONVERTED:
            # What it became is read with the next poll; its tasks then go there.
            sync.is_converted, sync.remote_digest = True, ""
        case Remedy.OWNER:
            if not note_refused_owner(_owner_sent(outcome)):
                return False
        case Remedy.GONE:
            # Looked for right after this, see `crm.push`.
            if not sync.salesforce_id:
                return False
        case _:
            if not _adopt(problem, sync):
                return False
    sync.send_at = now
    return True


def _owner_sent(outcome: Outcome) -> str:
    """The owner whom Salesforce did not take: the lead's, or that of a task."""
    if not outcome.is_confirmed:
        return str(outcome.claim.changes.get("OwnerId") or "")
    refused = [task.row for task in outcome.tasks if task.problem]
    return str(next((row.changes.get("OwnerId") for row in refused), None) or "")


def _adopt(problem: Problem, sync: LeadSync) -> bool:
    """Another record already carries this lead's key, so it is the one: two of our workers met."""
    names_our_key = LEAD_KEY in problem.fields or LEAD_KEY in problem.message
    if problem.code != "DUPLICATE_VALUE" or not names_our_key or len(problem.matches) != 1:
        return False
    sync.salesforce_id, sync.acknowledged, sync.master_id = problem.matches[0], {}, ""
    return True


def _park(sync: LeadSync, problem: Problem, *, now: datetime) -> None:
    sync.parked_at = now
    log.warning("salesforce.parked", lead=sync.lead_id, code=problem.code)
    tell_operators(problem, title="Salesforce: a lead waits for you", now=now)


def _keep_error(sync: LeadSync, problem: Problem) -> None:
    sync.error_code, sync.error = problem.code[:80], problem.in_plain_words[:600]


# --- Rows ----------------------------------------------------------------------------------------


def _write(syncs: Sequence[LeadSync]) -> None:
    names = (
        *("lead_id", "salesforce_id", "acknowledged", "acknowledged_at", "remote_status", "remote_owner_id"),
        *("pushed_revision", "pushed_at", "in_flight_since", "job_id", "sending", "attempts", "send_at"),
        *("lane", "waiting_since", "parked_at", "error_code", "error"),
        *("is_converted", "master_id", "remote_digest"),
    )
    update_rows(LeadSync, [{name: getattr(sync, name) for name in names} for sync in syncs])


def _keep_tasks(tasks: Sequence[SentTask]) -> None:
    rows = [task.row.standing(task.result.salesforce_id or task.row.salesforce_id) for task in tasks]
    TaskSync.objects.bulk_create(
        [row for row in rows if isinstance(row, TaskSync)],
        update_conflicts=True,
        unique_fields=["handoff"],
        update_fields=["salesforce_id", "acknowledged"],
    )
    AttemptSync.objects.bulk_create(
        [row for row in rows if isinstance(row, AttemptSync)], ignore_conflicts=True
    )


def _entries(sync: LeadSync, outcome: Outcome, rules: Rules, *, at: datetime) -> Iterator[Entry]:
    """What the lead's history says of this claim: one entry for each record that was sent."""
    refused = Exchange.Outcome.REFUSED if sync.parked_at else Exchange.Outcome.RETRIED
    sent = [(task.row.changes, task.result, task.row.salesforce_id, "Task") for task in outcome.tasks]
    if outcome.result is not None:
        sent.insert(0, (outcome.claim.changes, outcome.result, sync.salesforce_id, "Lead"))
    for fields, result, known_id, object_name in sent:
        yield sent_entry(
            sync.lead_id,
            object_name=object_name,
            fields=fields,
            result=result,
            known_id=known_id,
            outcome=refused if result.problem else Exchange.Outcome.CONFIRMED,
            rules=rules,
            at=at,
        )
