"""Putting the terms in force on promises that run already: never by itself, only when asked for (SLA-4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F, Q

from accounts.models import User
from common.bulk import among, update_rows
from common.errors import NotAllowed
from leads.models import Lead, LeadEvent
from leads.services import Entry, log_entries
from sla.business_hours import WorkingCalendar
from sla.calendars import working_hours_by
from sla.deadlines import Deadline, set_deadline
from sla.models import Clock, ClockQuerySet, PinnedPolicy, Policy, PolicyVersion
from sla.rests import over, rests_of
from sla.versions import TargetTerms, keep_version, read_terms

log = structlog.get_logger(__name__)

# So many clocks are looked at for a preview, and moved while the person waits; more are left to a worker.
AT_ONCE = 1000
# Leads that one transaction locks: few enough that nobody waits long for one.
BATCH = 200


@dataclass(frozen=True)
class Reapplied:
    """How many open clocks went by earlier terms, by what the terms in force do to their due time."""

    moved_earlier: int = 0
    moved_later: int = 0
    same: int = 0
    run_out: int = 0
    """Of those moved earlier: their time is over by the terms in force, so they fall due at once."""
    is_partial: bool = False
    """There may be more than were looked at."""

    @property
    def total(self) -> int:
        return self.moved_earlier + self.moved_later + self.same


def preview_reapplying(*, policy: Policy | None = None, now: datetime) -> Reapplied:
    """What `reapply_policies` would do to the first AT_ONCE clocks. Writes nothing but missing versions."""
    moves: list[_Move] = []
    for version in _versions_in_force(policy, now=now):
        clocks = outdated_clocks(version, now=now).order_by("pk")[: AT_ONCE - len(moves)]
        moves += _plan(list(clocks), version, now=now)
    return replace(_count(moves), is_partial=len(moves) >= AT_ONCE)


def reapply_policies(*, policy: Policy | None = None, by: User, now: datetime) -> Reapplied:
    """Measure open promises by the terms now in force of the policy they were started by; managers only.

    Each is counted from its own start. One whose time is over by the new terms falls due when its owner works
    next, `now` at the earliest: nobody could have known. Promises that are missed or stand
    still keep their terms, and so do targets that the policy has no more. Every clock is in the log of its
    lead with both versions. Without a policy, all that are active. Repeating it changes nothing.
    """
    if by.role != User.Role.MANAGER and not by.is_superuser:
        raise NotAllowed("Only a manager can apply new terms to promises that run already.")
    done: list[Reapplied] = []
    for version in _versions_in_force(policy, now=now):
        for pks in _in_batches(version, now=now):
            done.append(_reapply(pks, version, by=by, now=now))
    result = Reapplied(
        moved_earlier=sum(each.moved_earlier for each in done),
        moved_later=sum(each.moved_later for each in done),
        same=sum(each.same for each in done),
        run_out=sum(each.run_out for each in done),
    )
    log.info("policies_reapplied", policy=policy.pk if policy else None, by=by.pk, **asdict(result))
    return result


def outdated_clocks(version: PolicyVersion, *, now: datetime) -> ClockQuerySet:
    """Open clocks in time that go by earlier terms of this policy, of targets that it still has.

    Clocks of before there were versions know their policy by its name only.
    """
    earlier = PolicyVersion.objects.filter(policy=version.policy_id).exclude(pk=version.pk)
    kinds = [target.kind for target in read_terms(version).targets]
    return Clock.objects.ticking().filter(
        Q(policy_version__in=earlier) | Q(policy_version=None, policy_name=version.policy.name),
        breach_recorded_at=None,
        due_at__gte=now,
        kind__in=kinds,
    )


def _versions_in_force(policy: Policy | None, *, now: datetime) -> list[PolicyVersion]:
    policies = Policy.objects.filter(pk=policy.pk) if policy else Policy.objects.filter(is_active=True)
    for unknown in policies.filter(version=0):
        keep_version(unknown, by=None, now=now)
    in_force = PolicyVersion.objects.filter(policy__in=policies, number=F("policy__version"))
    return list(in_force.select_related("policy").order_by("policy__position", "policy_id"))


def _in_batches(version: PolicyVersion, *, now: datetime) -> Iterator[list[int]]:
    """The keys of the outdated clocks, read again after each batch."""
    reached = 0
    while True:
        outdated = outdated_clocks(version, now=now).filter(pk__gt=reached).order_by("pk")
        pks = list(outdated.values_list("pk", flat=True)[:BATCH])
        if not pks:
            return
        reached = pks[-1]
        yield pks


@transaction.atomic
def _reapply(pks: Sequence[int], version: PolicyVersion, *, by: User, now: datetime) -> Reapplied:
    leads = Clock.objects.filter(pk__in=among(pks)).values("lead_id")
    # Evaluated for the locks; in order, so that two batches never wait for each other.
    list(Lead.objects.filter(pk__in=leads).order_by("pk").select_for_update(no_key=True).values_list("pk"))
    # Somebody may have stopped or paused one since the keys were read.
    clocks = outdated_clocks(version, now=now).filter(pk__in=among(pks)).order_by("pk")
    moves = _plan(list(clocks.select_related("policy_version")), version, now=now)
    update_rows(Clock, [move.columns for move in moves])
    PinnedPolicy.objects.bulk_create(
        [PinnedPolicy(handoff_id=pk, version=version) for pk in {move.clock.handoff_id for move in moves}],
        update_conflicts=True,
        unique_fields=["handoff_id"],
        update_fields=["version"],
    )
    if moves:
        log_entries([move.entry(by) for move in moves], at=now)
    return _count(moves)


# --- One clock ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Move:
    """An open clock and what the version in force promises instead. The clock still holds its old times."""

    clock: Clock
    version: PolicyVersion
    target: TargetTerms
    deadline: Deadline
    due_before_incident: datetime | None
    hours: WorkingCalendar
    now: datetime

    @property
    def has_run_out(self) -> bool:
        return self.deadline.due_at < self.now

    @cached_property
    def due_at(self) -> datetime:
        return self.hours.next_open(self.now) if self.has_run_out else self.deadline.due_at

    @property
    def columns(self) -> dict[str, Any]:
        return {
            "id": self.clock.pk,
            "policy_version_id": self.version.pk,
            "policy_name": self.version.policy.name,
            "mode": self.target.mode,
            "minutes": self.target.minutes,
            "after_hours_minutes": self.target.after_hours_minutes,
            "warn_percent": self.target.warn_percent,
            "restarts_on_reassignment": self.target.restarts_on_reassignment,
            "attempts_needed": self.target.attempts,
            "max_pause_minutes": self.target.max_pause_minutes,
            "reviews_breaches": read_terms(self.version).reviews_breaches,
            "due_at": self.due_at,
            "due_before_incident": self.due_before_incident,
            "warnings_at": self.deadline.warnings_at,
            "risk_at": next(iter(self.deadline.warnings_at), None),
            "warn_at": self.deadline.next_warning(self.now),
            "hours_digest": self.hours.digest,
        }

    def entry(self, by: User) -> Entry:
        old = self.clock.policy_version
        detail = {
            "target": self.clock.kind,
            "change": "new terms applied",
            "policy": self.version.policy.name,
            "old_version": old.number if old else None,
            "version": self.version.number,
            "old_due_at": self.clock.due_at.isoformat(),
            "due_at": self.due_at.isoformat(),
        }
        return Entry(
            self.clock.lead_id, LeadEvent.Kind.CLOCK_MOVED, detail, self.clock.handoff_id, by_id=by.pk
        )


def _plan(clocks: Sequence[Clock], version: PolicyVersion, *, now: datetime) -> list[_Move]:
    targets = {target.kind: target for target in read_terms(version).targets}
    hours = working_hours_by({(clock.calendar_id, clock.owner_id) for clock in clocks}, around=now)
    rests = rests_of([clock.pk for clock in clocks])
    moves = []
    for clock in clocks:
        desk, target = (clock.calendar_id, clock.owner_id), targets[clock.kind]
        since, worked, theirs = clock.started_at, hours[desk], rests[clock.pk]
        before = None
        if clock.due_before_incident:
            own = over(rest for rest in theirs if rest.incident_id is None)
            before = max(set_deadline(target, hours=worked, since=since, pauses=own).due_at, now)
        deadline = set_deadline(target, hours=worked, since=since, pauses=over(theirs))
        moves.append(_Move(clock, version, target, deadline, before, worked, now))
    return moves


def _count(moves: Sequence[_Move]) -> Reapplied:
    earlier = sum(move.due_at < move.clock.due_at for move in moves)
    later = sum(move.due_at > move.clock.due_at for move in moves)
    run_out = sum(move.has_run_out for move in moves)
    return Reapplied(earlier, later, len(moves) - earlier - later, run_out)
