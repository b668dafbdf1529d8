"""What an incident does to the clocks that ran in it: a pause each, and all that follows from one (SLA-7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, NamedTuple

from common.bulk import among, insert_rows, update_rows
from leads.models import LeadEvent
from leads.services import Entry, log_entries
from sla.business_hours import ALWAYS_OPEN, WorkingCalendar
from sla.deadlines import move_deadline, terms_of, time_used
from sla.hours_of_clocks import hours_of_clocks
from sla.models import Clock, Incident, Pause
from sla.rests import Rest, over, rests_of

SECOND = timedelta(seconds=1)


class Window(NamedTuple):
    """From when to when the system was down."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Change:
    """A clock with other rests than before. The clock itself still holds its old times."""

    clock: Clock
    rests: Sequence[Rest]
    due_at: datetime
    warnings_at: Sequence[datetime]
    hours: WorkingCalendar
    now: datetime

    @property
    def moves(self) -> bool:
        return self.due_at != self.clock.due_at

    @property
    def is_late(self) -> bool:
        """Whether the promise is missed by the new due time."""
        return (self.clock.stopped_at or self.clock.paused_at or self.now) > self.due_at

    @property
    def forgives(self) -> bool:
        return self.clock.is_late(self.now) and not self.is_late

    @property
    def due_before_incident(self) -> datetime | None:
        """That of the first incident; nothing once none is left."""
        if not _is_excused(self.rests):
            return None
        return self.clock.due_before_incident or (self.clock.due_at if self.moves else None)


def plan_excuses(
    clocks: Sequence[Clock], window: Window, *, incident_id: int | None = None, now: datetime
) -> list[Change]:
    """What an incident would change, for those of the clocks that lost time of theirs in it.

    Time in which a clock stood still anyway, or that it does not count, is nothing to give back. An
    incident that is not declared yet has no id.
    """
    hours, known = hours_of_clocks(clocks), rests_of([clock.pk for clock in clocks])
    changes = []
    for clock in clocks:
        worked, old = hours[clock.pk], known[clock.pk]
        counted_by, _ = terms_of(clock, worked, clock.started_at)
        ran_in = Window(max(window.start, clock.started_at), min(window.end, clock.stopped_at or now))
        lost = [
            Rest(start, end, UNDECLARED if incident_id is None else incident_id)
            for start, end in _without(ran_in, old, open_until=min(clock.resume_at or now, now))
            if counted_by.business_time_between(start, end)
        ]
        if lost:
            changes.append(_change(clock, worked, old, sorted([*old, *lost], key=_start), now=now))
    return changes


def excuse_clocks(clocks: Sequence[Clock], incident: Incident, *, now: datetime) -> int:
    """Give these clocks the time of an incident back; say how many deadlines it moved.

    The caller holds the locks of the leads. A clock that has this incident's time already gets no more of it.
    """
    window = Window(incident.started_at, incident.ended_at)
    changes = plan_excuses(clocks, window, incident_id=incident.pk, now=now)
    insert_rows(
        Pause,
        [
            {
                "clock_id": change.clock.pk,
                "reason": incident.what,
                "started_at": rest.start,
                "ended_at": rest.end,
                "by_id": incident.declared_by_id,
                "incident_id": incident.pk,
            }
            for change in changes
            for rest in change.rests
            if rest.incident_id == incident.pk
        ],
    )
    _store(changes, incident, why="time given back for an incident", by_id=incident.declared_by_id)
    return sum(change.moves for change in changes)


def take_excuses_back(clocks: Sequence[Clock], incident: Incident, *, now: datetime) -> None:
    """Undo `excuse_clocks` for an incident declared in error.

    Other incidents and the pauses of people keep their effect. The caller holds the locks of the leads.
    """
    hours, known = hours_of_clocks(clocks), rests_of([clock.pk for clock in clocks])
    changes = []
    for clock in clocks:
        old = known[clock.pk]
        left = [rest for rest in old if rest.incident_id != incident.pk]
        changes.append(_change(clock, hours[clock.pk], old, left, now=now))
    incident.pauses.filter(clock__in=among([clock.pk for clock in clocks])).delete()
    _store(changes, incident, why="the incident was declared in error", by_id=incident.withdrawn_by_id)


# --- Arithmetic ---------------------------------------------------------------------------------

UNDECLARED = 0  # in the place of the id of an incident that is only thought of

_start = attrgetter("start")


def _without(window: Window, rests: Sequence[Rest], *, open_until: datetime) -> list[Window]:
    """What of a window lies outside the rests, which are in order. One without an end lasts until then: no
    longer than the policy allows, though no sweep may have ended it yet."""
    start, end = window
    free = []
    for rest in rests:
        if rest.start > start:
            free.append(Window(start, min(rest.start, end)))
        start = max(start, rest.end or open_until)
    free.append(Window(start, end))
    return [piece for piece in free if piece.start < piece.end]


def _change(
    clock: Clock, hours: WorkingCalendar, old: Sequence[Rest], new: Sequence[Rest], *, now: datetime
) -> Change:
    since = clock.started_at
    moved = move_deadline(clock, hours=hours, since=since, due_at=clock.due_at, old=over(old), new=over(new))
    due_at = moved.due_at
    if not _is_excused(new):
        # Exactly as it was: it may stand where these hours would not put it any more.
        due_at = clock.due_before_incident or clock.due_at
    return Change(clock, new, due_at, moved.warnings_at, hours, now)


def _is_excused(rests: Sequence[Rest]) -> bool:
    return any(rest.incident_id is not None for rest in rests)


# --- Writing ------------------------------------------------------------------------------------


def _store(changes: Sequence[Change], incident: Incident, *, why: str, by_id: int | None) -> None:
    if not changes:
        return
    update_rows(Clock, [_columns(change) for change in changes])
    entries = [_entry(change, incident, why=why, by_id=by_id) for change in changes]
    log_entries(entries, at=changes[0].now)


def _columns(change: Change) -> dict[str, Any]:
    clock = change.clock
    recorded_at = _breach_recorded_at(change)
    is_open = clock.outcome == Clock.Outcome.RUNNING and not change.is_late
    ahead = (at for at in change.warnings_at if at > change.now)
    return {
        "id": clock.pk,
        "due_at": change.due_at,
        "due_before_incident": change.due_before_incident,
        "warnings_at": list(change.warnings_at),
        "risk_at": next(iter(change.warnings_at), None),
        "warn_at": next(ahead, None) if is_open else None,
        "breach_recorded_at": recorded_at,
        "next_step_at": clock.next_step_at if recorded_at else None,
        **_durations(change),
    }


def _breach_recorded_at(change: Change) -> datetime | None:
    """A promise that is kept by the new due time was never missed; a missed one is on record after that time.

    What runs and became late is left to the sweep, which tells people.
    """
    if not change.is_late:
        return None
    recorded_at = change.clock.breach_recorded_at
    if recorded_at is None:
        return None if change.clock.outcome == Clock.Outcome.RUNNING else change.now
    return recorded_at if recorded_at > change.due_at else change.now


def _durations(change: Change) -> dict[str, int | None]:
    clock = change.clock
    if clock.stopped_at is None:
        return {"wall_seconds": None, "business_seconds": None}
    kept = {"wall_seconds": ALWAYS_OPEN, "business_seconds": change.hours}
    return {
        name: time_used(hours, clock.started_at, clock.stopped_at, over(change.rests)) // SECOND
        for name, hours in kept.items()
    }


def _entry(change: Change, incident: Incident, *, why: str, by_id: int | None) -> Entry:
    clock = change.clock
    return Entry(
        clock.lead_id,
        LeadEvent.Kind.CLOCK_MOVED,
        {
            "target": clock.kind,
            "why": why,
            "incident": incident.pk,
            "old_due_at": clock.due_at.isoformat(),
            "due_at": change.due_at.isoformat(),
            "was_late": clock.is_late(change.now),
            "is_late": change.is_late,
        },
        clock.handoff_id,
        by_id,
    )
