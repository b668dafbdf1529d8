"""The promises about handoffs when these change their owner: one, or hundreds in a few statements (SLA-4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import NamedTuple

from django.db import transaction
from django.db.models import Case, Value, When

from accounts.models import Team, User
from common.bulk import among, insert_rows, update_rows
from leads.models import Lead, LeadEvent
from leads.services import Entry, log_event
from sla.calendars import working_hours_of
from sla.deadlines import Deadline, set_deadline
from sla.desks import Desk, desk_of
from sla.finishing import finish_clocks
from sla.models import Clock, Target
from sla.services import describe_start, describe_stop

SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Handover:
    """A handoff that has a new owner; None: the overflow queue. The caller holds the lead's lock."""

    lead_id: int
    handoff_id: int
    owner: User | None
    team: Team | None


def move_clocks(lead: Lead, *, handoff_id: int, owner: User | None, team: Team | None, now: datetime) -> None:
    """Hand the promises on to the next owner (SLA-4).

    Where the policy says so the new owner gets the full time, and must open the handoff again although
    somebody else has. Other clocks go on with their due time under the new name.
    """
    for entry in move_clocks_of_many([Handover(lead.pk, handoff_id, owner, team)], now=now):
        log_event(lead, entry.kind, at=now, handoff_id=handoff_id, **entry.detail)


@transaction.atomic
def move_clocks_of_many(handovers: Sequence[Handover], *, now: datetime) -> list[Entry]:
    """`move_clocks` for many handoffs at once; the caller writes these entries of the log with its own."""
    by_handoff = {handover.handoff_id: handover for handover in handovers}
    desks = _Desks([handover.owner for handover in handovers], now=now)
    ended: list[tuple[_Old, Clock.Outcome]] = []
    renamed: list[dict[str, object]] = []
    restarted: defaultdict[Handover, list[Mapping[str, object]]] = defaultdict(list)
    for clock in _latest_clocks(by_handoff.keys()):
        handover = by_handoff[clock.handoff_id]
        match _fate_of(clock, handover):
            case _Fate.KEPT:
                ended.append((clock, Clock.Outcome.DONE))
            case _Fate.GOES_ON:
                renamed.append({"id": clock.id, **desks.names(handover)})
            case _Fate.BEGINS_ANEW:
                if clock.is_running:
                    ended.append((clock, Clock.Outcome.CANCELLED))
                restarted[handover].append(desks.restart(clock, handover))
    update_rows(Clock, renamed)
    finish_clocks(ended, at=now)
    insert_rows(Clock, [clock for clocks in restarted.values() for clock in clocks])
    return [
        *(
            _entry_of_stop(clock, by_handoff[clock.handoff_id], at=now)
            for clock, outcome in ended
            if outcome == Clock.Outcome.DONE
        ),
        *(
            Entry(handover.lead_id, LeadEvent.Kind.CLOCK_STARTED, describe_start(clocks), handover.handoff_id)
            for handover, clocks in restarted.items()
        ),
    ]


# The next owner must open it although somebody else has; where there is none, somebody has yet to be told.
_OWED_TO_EACH = (Target.Kind.NOTIFICATION, Target.Kind.OPENED)


class _Fate(Enum):
    """What becomes of the latest clock of its kind when the handoff changes its owner."""

    STAYS = auto()
    GOES_ON = auto()
    BEGINS_ANEW = auto()
    KEPT = auto()


def _fate_of(clock: _Old, handover: Handover) -> _Fate:
    if clock.kind == Target.Kind.NOTIFICATION and handover.owner is not None:
        # Whoever gets a handoff is told with it.
        return _Fate.KEPT if clock.is_running else _Fate.STAYS
    if not clock.restarts_on_reassignment:
        return _Fate.GOES_ON if clock.is_running else _Fate.STAYS
    return _Fate.BEGINS_ANEW if clock.is_running or clock.kind in _OWED_TO_EACH else _Fate.STAYS


def _entry_of_stop(clock: _Old, handover: Handover, *, at: datetime) -> Entry:
    detail = describe_stop(kind=clock.kind, due_at=clock.due_at, at=at)
    return Entry(handover.lead_id, LeadEvent.Kind.CLOCK_STOPPED, detail, clock.handoff_id)


class _Old(NamedTuple):
    """A clock as far as it matters to the next owner, by its column names."""

    id: int
    handoff_id: int
    owner_id: int | None
    calendar_id: int | None
    outcome: str
    started_at: datetime
    due_at: datetime
    breach_recorded_at: datetime | None
    # The promise
    kind: str
    policy_name: str
    policy_version_id: int | None
    mode: str
    minutes: int | None
    after_hours_minutes: int | None
    warn_percent: list[int]
    restarts_on_reassignment: bool
    reviews_breaches: bool
    attempts_needed: int | None
    max_pause_minutes: int | None
    category: str
    source: str

    @property
    def is_running(self) -> bool:
        return self.outcome == Clock.Outcome.RUNNING

    @property
    def promise(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in _PROMISE}


_PROMISE = _Old._fields[_Old._fields.index("kind") :]


def _latest_clocks(handoff_ids: Collection[int]) -> list[_Old]:
    """The clock of each kind of each handoff that counts: the one that runs, else the last.

    The one that runs need not be the last: taking an act back lets the clock before it run on.
    """
    running_first = Case(When(outcome=Clock.Outcome.RUNNING, then=Value(0)), default=Value(1))
    clocks = (
        Clock.objects.filter(handoff_id__in=among(handoff_ids))
        .order_by("handoff_id", "kind", running_first, "-started_at", "-id")
        .distinct("handoff_id", "kind")
    )
    return [_Old(*row) for row in clocks.values_list(*_Old._fields)]


# --- New clocks ---------------------------------------------------------------------------------


class _Desks:
    """The desks of the new owners. Equal promises made to one person at one moment fall due together."""

    def __init__(self, owners: Iterable[User | None], *, now: datetime) -> None:
        people = {owner.pk: owner for owner in owners if owner}
        self._now = now
        self._desks: dict[int | None, Desk] = {
            person: Desk(calendar.pk if calendar else None, hours)
            for person, (calendar, hours) in working_hours_of(people.values(), around=now).items()
        }
        self._deadlines: dict[tuple[object, ...], Deadline] = {}

    def of(self, owner: User | None) -> Desk:
        if owner is None and None not in self._desks:
            self._desks[None] = desk_of(None, around=self._now)
        return self._desks[owner.pk if owner else None]

    def restart(self, old: _Old, handover: Handover) -> dict[str, object]:
        """The row of a clock that makes the same promise anew to the next owner."""
        desk = self.of(handover.owner)
        terms = (desk.hours.digest, old.mode, old.minutes, old.after_hours_minutes, *old.warn_percent)
        if terms not in self._deadlines:
            self._deadlines[terms] = set_deadline(Clock(**old.promise), hours=desk.hours, since=self._now)
        deadline = self._deadlines[terms]
        first_warning = next(iter(deadline.warnings_at), None)
        return {
            **old.promise,
            **self.names(handover),
            "lead_id": handover.lead_id,
            "handoff_id": handover.handoff_id,
            "started_at": self._now,
            "due_at": deadline.due_at,
            "warnings_at": deadline.warnings_at,
            "risk_at": first_warning,
            "warn_at": first_warning,
        }

    def names(self, handover: Handover) -> dict[str, object]:
        """The columns of a clock that say whose it is."""
        desk = self.of(handover.owner)
        return {
            "owner_id": handover.owner.pk if handover.owner else None,
            "team_id": handover.team.pk if handover.team else None,
            "calendar_id": desk.calendar_id,
            "hours_digest": desk.hours.digest,
        }
