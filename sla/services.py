"""Clocks of a handoff: start, stop, cancel. `handover` hands them on to another owner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from accounts.models import Team, User
from leads.models import Lead, LeadEvent
from leads.services import log_event
from sla.breaches import record_breaches
from sla.business_hours import ALWAYS_OPEN, WorkingCalendar
from sla.calendars import calendar_of, digest_of, working_hours
from sla.deadlines import set_deadline, time_used
from sla.models import Calendar, Clock, ClockQuerySet, Policy, Target
from sla.pauses import closed_pauses, end_pause

SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class HandoffFacts:
    """What policies are matched on."""

    handoff_id: int
    category: str
    warmth: str
    source: str
    is_instant_mql: bool
    is_catch_all: bool = False


def choose_policy(facts: HandoffFacts) -> Policy | None:
    """The first active policy whose conditions hold, in the order set by the manager (SLA-1)."""
    for policy in Policy.objects.filter(is_active=True).prefetch_related("targets"):
        if policy.matches(
            category=facts.category,
            warmth=facts.warmth,
            source=facts.source,
            is_instant_mql=facts.is_instant_mql,
            is_catch_all=facts.is_catch_all,
        ):
            return policy
    return None


@transaction.atomic
def start_clocks(
    lead: Lead, facts: HandoffFacts, *, owner: User | None, team: Team | None, now: datetime
) -> list[Clock]:
    """Start one clock for each target of the policy that applies. No policy, no clocks.

    The caller holds the lead's lock. Repeating it for a handoff whose clocks run violates a constraint.
    """
    policy = choose_policy(facts)
    if policy is None:
        return []
    calendar = calendar_of(owner)
    hours = working_hours(calendar, person=owner, around=now)
    clocks = [
        _copy_promise(target, policy.name, policy.reviews_breaches, lead, facts.handoff_id)
        for target in policy.targets.all()
    ]
    return _start(clocks, owner=owner, team=team, calendar=calendar, hours=hours, now=now)


@transaction.atomic
def stop_clock(
    lead: Lead, *, handoff_id: int, kind: Target.Kind, at: datetime, by: User | None = None
) -> None:
    """Stop the measurement because what was promised has happened. Without a running clock, do nothing."""
    clock = _running_clocks(lead, handoff_id).filter(kind=kind).first()
    if clock is None:
        return
    finish_clock(clock, Clock.Outcome.DONE, at=at)
    log_event(
        lead,
        LeadEvent.Kind.CLOCK_STOPPED,
        at=at,
        by=by,
        handoff_id=handoff_id,
        target=kind,
        due_at=clock.due_at.isoformat(),
        in_time=not clock.is_late(at),
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


def _copy_promise(
    promise: Target | Clock, policy_name: str, reviews_breaches: bool, lead: Lead, handoff_id: int
) -> Clock:
    return Clock(
        lead=lead,
        handoff_id=handoff_id,
        kind=promise.kind,
        policy_name=policy_name,
        mode=promise.mode,
        minutes=promise.minutes,
        after_hours_minutes=promise.after_hours_minutes,
        warn_percent=promise.warn_percent,
        restarts_on_reassignment=promise.restarts_on_reassignment,
        reviews_breaches=reviews_breaches,
    )


def _start(
    clocks: Sequence[Clock],
    *,
    owner: User | None,
    team: Team | None,
    calendar: Calendar | None,
    hours: WorkingCalendar,
    now: datetime,
) -> list[Clock]:
    digest = digest_of(hours)
    for clock in clocks:
        clock.owner, clock.team, clock.calendar, clock.hours_digest = owner, team, calendar, digest
        deadline = set_deadline(clock, hours=hours, since=now)
        clock.started_at, clock.due_at = now, deadline.due_at
        clock.warnings_at = deadline.warnings_at
        clock.risk_at = clock.warn_at = next(iter(deadline.warnings_at), None)
    started = Clock.objects.bulk_create(clocks)
    if started:
        log_event(
            started[0].lead,
            LeadEvent.Kind.CLOCK_STARTED,
            at=now,
            handoff_id=started[0].handoff_id,
            **describe_start([vars(clock) for clock in started]),
        )
    return started


def describe_start(clocks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the log says of clocks of one handoff, given by their columns, that were started together."""
    return {
        "policy": clocks[0]["policy_name"],
        "target": ", ".join(clock["kind"] for clock in clocks),
        "due": {clock["kind"]: clock["due_at"].isoformat() for clock in clocks},
    }


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
