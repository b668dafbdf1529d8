"""The promises about handoffs when these change their owner: one, or hundreds in a few statements (SLA-4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from accounts.models import Team, User
from leads.models import Lead, LeadEvent
from leads.services import log_events
from sla.breaches import record_breaches
from sla.business_hours import WorkingCalendar
from sla.calendars import calendar_of, digest_of, working_hours, working_hours_of
from sla.deadlines import Deadline, set_deadline
from sla.models import Calendar, Clock, Pause, Target
from sla.services import copy_promise, describe_start, finish_clock, run_from

SECOND = timedelta(seconds=1)

_FINISH = """
UPDATE sla_clock SET
    outcome = %s, stopped_at = %s, warn_at = NULL,
    wall_seconds = measured.wall_seconds, business_seconds = measured.business_seconds
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS measured (id, wall_seconds, business_seconds)
WHERE sla_clock.id = measured.id
"""


@dataclass(frozen=True)
class Handover:
    """A handoff that has a new owner; None: the overflow queue. The caller holds the lead's lock."""

    lead: Lead
    handoff_id: int
    owner: User | None
    team: Team | None


def move_clocks(
    lead: Lead, *, handoff_id: int, owner: User | None, team: Team | None, now: datetime
) -> list[Clock]:
    """Hand the promises on to the next owner; return the clocks started for them (SLA-4).

    Where the policy says so the new owner gets the full time, and must open the handoff again although
    somebody else has. Other clocks go on with their due time under the new name.
    """
    started = move_clocks_of_many([Handover(lead, handoff_id, owner, team)], now=now)
    lead.refresh_from_db(fields=["revision"])
    return started


@transaction.atomic
def move_clocks_of_many(handovers: Sequence[Handover], *, now: datetime) -> list[Clock]:
    """`move_clocks` for many handoffs at once. Lead objects in hand keep the old revision."""
    by_handoff = {handover.handoff_id: handover for handover in handovers}
    desks = _Desks([handover.owner for handover in handovers], now=now)
    ended: list[Clock] = []
    renamed: defaultdict[tuple[User | None, Team | None], list[int]] = defaultdict(list)
    restarted: defaultdict[int, list[Clock]] = defaultdict(list)
    for clock in _latest_clocks(by_handoff):
        handover = by_handoff[clock.handoff_id]
        clock.lead = handover.lead
        is_running = clock.outcome == Clock.Outcome.RUNNING
        if is_running and not clock.restarts_on_reassignment:
            renamed[handover.owner, handover.team].append(clock.pk)
        elif clock.restarts_on_reassignment and (is_running or clock.kind == Target.Kind.OPENED):
            if is_running:
                ended.append(clock)
            restarted[clock.handoff_id].append(desks.restart(clock, handover))
    for (owner, team), clock_ids in renamed.items():
        desk = desks.of(owner)
        Clock.objects.filter(pk__in=clock_ids).update(
            owner=owner, team=team, calendar=desk.calendar, hours_digest=desk.digest
        )
    _cancel(ended, at=now)
    started = Clock.objects.bulk_create([clock for clocks in restarted.values() for clock in clocks])
    log_events(
        {by_handoff[handoff_id].lead.pk: describe_start(clocks) for handoff_id, clocks in restarted.items()},
        kind=LeadEvent.Kind.CLOCK_STARTED,
        at=now,
        handoff_ids={by_handoff[handoff_id].lead.pk: handoff_id for handoff_id in restarted},
    )
    return started


def _latest_clocks(handoff_ids: Iterable[int]) -> list[Clock]:
    """The last clock of each kind of each handoff, in the order in which they were started."""
    clocks = Clock.objects.filter(handoff_id__in=handoff_ids).order_by("handoff_id", "started_at", "id")
    return list({(clock.handoff_id, clock.kind): clock for clock in clocks}.values())


# --- New clocks ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Desk:
    """Where and when a new owner works."""

    calendar: Calendar | None
    hours: WorkingCalendar
    digest: str


class _Desks:
    """The desks of the new owners. Equal promises made to one person at one moment fall due together."""

    def __init__(self, owners: Iterable[User | None], *, now: datetime) -> None:
        people = {owner.pk: owner for owner in owners if owner}
        self._now = now
        self._desks: dict[int | None, _Desk] = {
            person: _Desk(calendar, hours, digest_of(hours))
            for person, (calendar, hours) in working_hours_of(people.values(), around=now).items()
        }
        self._deadlines: dict[tuple[object, ...], Deadline] = {}

    def of(self, owner: User | None) -> _Desk:
        if owner is None and None not in self._desks:
            calendar = calendar_of(None)
            hours = working_hours(calendar, person=None, around=self._now)
            self._desks[None] = _Desk(calendar, hours, digest_of(hours))
        return self._desks[owner.pk if owner else None]

    def restart(self, old: Clock, handover: Handover) -> Clock:
        """The same promise, made anew to the next owner."""
        desk = self.of(handover.owner)
        clock = copy_promise(old, old.policy_name, old.reviews_breaches, handover.lead, handover.handoff_id)
        clock.owner, clock.team = handover.owner, handover.team
        clock.calendar, clock.hours_digest = desk.calendar, desk.digest
        terms = (desk.digest, old.mode, old.minutes, old.after_hours_minutes, *old.warn_percent)
        if terms not in self._deadlines:
            self._deadlines[terms] = set_deadline(clock, hours=desk.hours, since=self._now)
        run_from(clock, self._deadlines[terms], now=self._now)
        return clock


# --- Old clocks ---------------------------------------------------------------------------------


def _cancel(clocks: Sequence[Clock], *, at: datetime) -> None:
    """`finish_clock` for many: those that never stood still go together."""
    stood_still = set(Pause.objects.filter(clock__in=clocks).values_list("clock_id", flat=True))
    for clock in clocks:
        if clock.pk in stood_still:
            finish_clock(clock, Clock.Outcome.CANCELLED, at=at)
    steady = [clock for clock in clocks if clock.pk not in stood_still]
    late = [clock for clock in steady if clock.due_at < at and clock.breach_recorded_at is None]
    if late:
        record_breaches(late, now=at)
    hours = _hours_of(steady)
    measured = [
        (
            clock.pk,
            (at - clock.started_at) // SECOND,
            hours[_hours_key(clock)].business_time_between(clock.started_at, at) // SECOND,
        )
        for clock in steady
    ]
    if measured:
        with connection.cursor() as cursor:
            cursor.execute(_FINISH, [Clock.Outcome.CANCELLED, at, *map(list, zip(*measured, strict=True))])


def _hours_key(clock: Clock) -> tuple[int | None, int | None, int]:
    # Public holidays are known for the years around the start.
    return clock.calendar_id, clock.owner_id, clock.started_at.year


def _hours_of(clocks: Sequence[Clock]) -> dict[tuple[int | None, int | None, int], WorkingCalendar]:
    """The hours these clocks count by, worked out once for all that share them."""
    calendars = Calendar.objects.in_bulk({clock.calendar_id for clock in clocks if clock.calendar_id})
    owners = User.objects.in_bulk({clock.owner_id for clock in clocks if clock.owner_id})
    return {
        key: working_hours(
            calendars[key[0]] if key[0] else None,
            person=owners[key[1]] if key[1] else None,
            around=clock.started_at,
        )
        for key, clock in {_hours_key(clock): clock for clock in clocks}.items()
    }
