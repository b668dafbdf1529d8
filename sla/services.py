"""Clocks of a handoff: start, stop, cancel. `handover` hands them on to another owner."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from accounts.models import Team, User
from leads.models import Lead, LeadEvent
from leads.services import log_event
from sla.breaches import record_breaches
from sla.business_hours import ALWAYS_OPEN
from sla.calendars import working_hours
from sla.conditions import HandoffFacts
from sla.deadlines import set_deadline, time_used
from sla.desks import desk_of
from sla.first_clocks import insert_first_clocks
from sla.models import Clock, ClockQuerySet, Target
from sla.pauses import closed_pauses, end_pause
from sla.policies import PolicyInForce, choose_policy, pinned_policy
from sla.versions import TargetTerms

SECOND = timedelta(seconds=1)


# What is measured later starts with what it follows from: see `start_later_clocks`.
KINDS_OF_THE_BEGINNING = (
    Target.Kind.CRM_TRANSFER,
    Target.Kind.NOTIFICATION,
    Target.Kind.OPENED,
    Target.Kind.DECISION,
    Target.Kind.FIRST_CONTACT,
)


# Within the hand-off this is no transaction of its own: a savepoint would be two statements more.
@transaction.atomic(savepoint=False)
def start_clocks(
    lead: Lead, facts: HandoffFacts, *, owner: User | None, team: Team | None, now: datetime
) -> list[Clock]:
    """Pin the policy that applies and start a clock for each of its targets that counts from here.

    No policy, no clocks. The caller holds the lead's lock. Repeating it for a handoff violates a constraint.
    """
    policy = choose_policy(facts, now=now)
    if policy is None:
        return []
    clocks = [
        _copy_promise(
            target,
            policy,
            lead=lead,
            handoff_id=facts.handoff_id,
            category=facts.category,
            source=facts.source,
        )
        for target in policy.terms.targets
        if target.kind in KINDS_OF_THE_BEGINNING
    ]
    _address(clocks, owner=owner, team=team, since=now)
    if owner is not None:
        _note_owner_told(clocks, now=now)
    insert_first_clocks(clocks, handoff_id=facts.handoff_id, version_id=policy.version_id)
    _log_start(clocks, now=now)
    return clocks


@transaction.atomic
def start_later_clocks(
    lead: Lead,
    *,
    handoff_id: int,
    category: str,
    kinds: Collection[Target.Kind],
    owner: User | None,
    team: Team | None,
    now: datetime,
) -> list[Clock]:
    """Start what counts from an act later than the hand-off: the targets of these kinds under which the
    handoff began. Nothing promised, no clocks.

    The caller holds the lead's lock. Repeating it changes nothing: what has been measured is not started
    anew, unless it was cancelled.
    """
    clocks = _copy_pinned(lead, handoff_id=handoff_id, category=category, kinds=kinds)
    if not clocks:
        return []
    known = Clock.objects.filter(handoff_id=handoff_id, kind__in=kinds).exclude(
        outcome=Clock.Outcome.CANCELLED
    )
    measured = set(known.values_list("kind", flat=True))
    clocks = [clock for clock in clocks if clock.kind not in measured]
    _address(clocks, owner=owner, team=team, since=now)
    _log_start(Clock.objects.bulk_create(clocks), now=now)
    return clocks


@transaction.atomic
def keep_return(
    lead: Lead,
    *,
    handoff_id: int,
    category: str,
    owner: User,
    team: Team | None,
    since: datetime,
    by: User | None,
    now: datetime,
) -> None:
    """Keep how long after `since` the owner gave a bad lead back, if the policy promises how soon they do.

    Known only in hindsight: a clock that ran beforehand would be missed with every good lead.
    """
    clocks = _copy_pinned(lead, handoff_id=handoff_id, category=category, kinds=[Target.Kind.RETURN])
    _address(clocks, owner=owner, team=team, since=since)
    for clock in Clock.objects.bulk_create(clocks):
        _stop(clock, at=now, by=by)


@transaction.atomic
def stop_clock(
    lead: Lead, *, handoff_id: int, kind: Target.Kind, at: datetime, by: User | None = None
) -> None:
    """Stop the measurement because what was promised has happened. Without a running clock, do nothing."""
    clock = _running_clocks(lead, handoff_id).filter(kind=kind).first()
    if clock is not None:
        clock.lead = lead
        _stop(clock, at=at, by=by)


def _stop(clock: Clock, *, at: datetime, by: User | None) -> None:
    finish_clock(clock, Clock.Outcome.DONE, at=at)
    log_event(
        clock.lead,
        LeadEvent.Kind.CLOCK_STOPPED,
        at=at,
        by=by,
        handoff_id=clock.handoff_id,
        **describe_stop(kind=clock.kind, due_at=clock.due_at, at=at),
    )


@transaction.atomic
def cancel_clocks(lead: Lead, *, handoff_id: int, at: datetime) -> None:
    """Stop measuring what will not happen any more. A promise missed until then stays missed."""
    for clock in _running_clocks(lead, handoff_id).order_by("id"):
        finish_clock(clock, Clock.Outcome.CANCELLED, at=at)


def _running_clocks(lead: Lead, handoff_id: int) -> ClockQuerySet:
    return (
        Clock.objects.running().filter(lead=lead, handoff_id=handoff_id).select_related("calendar", "owner")
    )


def _copy_pinned(
    lead: Lead, *, handoff_id: int, category: str, kinds: Collection[Target.Kind]
) -> list[Clock]:
    """The promises of these kinds in the policy pinned, as clocks that are nobody's yet."""
    policy = pinned_policy(handoff_id)
    if policy is None:
        return []
    targets = [target for target in policy.terms.targets if target.kind in kinds]
    return [
        _copy_promise(target, policy, lead=lead, handoff_id=handoff_id, category=category, source=lead.source)
        for target in targets
    ]


def _copy_promise(
    target: TargetTerms, policy: PolicyInForce, *, lead: Lead, handoff_id: int, category: str, source: str
) -> Clock:
    return Clock(
        lead=lead,
        handoff_id=handoff_id,
        kind=target.kind,
        policy_name=policy.name,
        policy_version_id=policy.version_id,
        mode=target.mode,
        minutes=target.minutes,
        after_hours_minutes=target.after_hours_minutes,
        warn_percent=list(target.warn_percent),
        restarts_on_reassignment=target.restarts_on_reassignment,
        reviews_breaches=policy.terms.reviews_breaches,
        attempts_needed=target.attempts,
        max_pause_minutes=target.max_pause_minutes,
        category=category,
        source=source,
    )


def _address(clocks: Sequence[Clock], *, owner: User | None, team: Team | None, since: datetime) -> None:
    """Say whose these promises are, from when on, and when they fall due in this person's hours."""
    if not clocks:
        return
    desk = desk_of(owner, around=since)
    for clock in clocks:
        clock.owner, clock.team = owner, team
        clock.calendar_id, clock.hours_digest = desk.calendar_id, desk.hours.digest
        deadline = set_deadline(clock, hours=desk.hours, since=since)
        clock.started_at, clock.due_at = since, deadline.due_at
        clock.warnings_at = deadline.warnings_at
        clock.risk_at = clock.warn_at = next(iter(deadline.warnings_at), None)


def _note_owner_told(clocks: Sequence[Clock], *, now: datetime) -> None:
    """Whoever gets a handoff at once is told in the same transaction, so that promise is kept already."""
    for clock in clocks:
        if clock.kind == Target.Kind.NOTIFICATION:
            clock.outcome, clock.stopped_at, clock.warn_at = Clock.Outcome.DONE, now, None
            clock.wall_seconds = clock.business_seconds = 0


def _log_start(clocks: Sequence[Clock], *, now: datetime) -> None:
    if clocks:
        log_event(
            clocks[0].lead,
            LeadEvent.Kind.CLOCK_STARTED,
            at=now,
            handoff_id=clocks[0].handoff_id,
            **describe_start([vars(clock) for clock in clocks]),
        )


def describe_start(clocks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the log says of clocks of one handoff, given by their columns, that were started together."""
    return {
        "policy": clocks[0]["policy_name"],
        "target": ", ".join(clock["kind"] for clock in clocks),
        "due": {clock["kind"]: clock["due_at"].isoformat() for clock in clocks},
    }


def describe_stop(*, kind: str, due_at: datetime, at: datetime) -> dict[str, Any]:
    """What the log says of a promise kept at this moment, in time or late."""
    return {"target": kind, "due_at": due_at.isoformat(), "in_time": at <= due_at}


def finish_clock(clock: Clock, outcome: Clock.Outcome, *, at: datetime) -> None:
    """Stop a running clock, keeping both durations; a breach no sweep has seen yet is recorded now."""
    hours = working_hours(clock.calendar, person=clock.owner, around=clock.started_at)
    if clock.paused_at:
        end_pause(clock, hours=hours, now=at)
    if clock.due_at < at and clock.breach_recorded_at is None:
        record_breaches([clock], now=at)
    pauses = closed_pauses(clock)
    clock.wall_seconds = time_used(ALWAYS_OPEN, clock.started_at, at, pauses) // SECOND
    clock.business_seconds = time_used(hours, clock.started_at, at, pauses) // SECOND
    clock.outcome, clock.stopped_at, clock.warn_at = outcome, at, None
    clock.save(update_fields=["outcome", "stopped_at", "warn_at", "wall_seconds", "business_seconds"])
