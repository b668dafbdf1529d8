"""Many clocks that end at once, in a few statements."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Protocol

from django.db import transaction

from accounts.models import User
from common.bulk import among, update_rows
from leads.models import Lead, LeadEvent
from leads.services import Entry, log_entries
from sla.breaches import record_breaches
from sla.business_hours import WorkingCalendar
from sla.calendars import working_hours
from sla.models import Calendar, Clock, Pause, Target
from sla.services import describe_stop, finish_clock

SECOND = timedelta(seconds=1)


class EndingClock(Protocol):
    """What of a clock matters to its end: a Clock has it, and so may a row read by columns."""

    @property
    def id(self) -> int: ...
    @property
    def owner_id(self) -> int | None: ...
    @property
    def calendar_id(self) -> int | None: ...
    @property
    def started_at(self) -> datetime: ...
    @property
    def due_at(self) -> datetime: ...
    @property
    def breach_recorded_at(self) -> datetime | None: ...


@transaction.atomic
def stop_clocks(*, handoff_ids: Collection[int], kind: Target.Kind, at: datetime) -> int:
    """`stop_clock` for many handoffs, whose leads it locks by itself; says how many clocks ran.

    One that was started after `at` ends as it started. Safe to repeat.
    """
    running = Clock.objects.running().filter(kind=kind, handoff_id__in=among(handoff_ids))
    lead_ids = set(running.values_list("lead_id", flat=True))
    if not lead_ids:
        return 0
    list(Lead.objects.filter(pk__in=lead_ids).order_by("pk").select_for_update(no_key=True).values("pk"))
    clocks = list(running.order_by("pk"))
    for moment in {max(at, clock.started_at) for clock in clocks}:
        together = [clock for clock in clocks if max(at, clock.started_at) == moment]
        finish_clocks([(clock, Clock.Outcome.DONE) for clock in together], at=moment)
    log_entries([_entry_of_stop(clock, at=max(at, clock.started_at)) for clock in clocks], at=at)
    return len(clocks)


def _entry_of_stop(clock: Clock, *, at: datetime) -> Entry:
    detail = describe_stop(kind=clock.kind, due_at=clock.due_at, at=at)
    return Entry(clock.lead_id, LeadEvent.Kind.CLOCK_STOPPED, detail, clock.handoff_id, at=at)


def finish_clocks(ended: Sequence[tuple[EndingClock, Clock.Outcome]], *, at: datetime) -> None:
    """`finish_clock` for many: those that never stood still go together."""
    outcomes = {clock.id: outcome for clock, outcome in ended}
    stood_still = set(Pause.objects.filter(clock__in=among(outcomes)).values_list("clock_id", flat=True))
    for clock in Clock.objects.filter(pk__in=stood_still).select_related("lead", "owner", "calendar"):
        finish_clock(clock, outcomes[clock.pk], at=at)
    steady = [clock for clock, _ in ended if clock.id not in stood_still]
    late = [clock.id for clock in steady if clock.due_at < at and clock.breach_recorded_at is None]
    if late:
        missed = Clock.objects.filter(pk__in=late).select_related("lead", "owner").order_by("pk")
        record_breaches(list(missed), now=at)
    hours = _hours_of(steady)

    @cache  # clocks of one handoff mostly started together
    def seconds_used(hours_key: tuple[int | None, int | None, int], started_at: datetime) -> int:
        return hours[hours_key].business_time_between(started_at, at) // SECOND

    update_rows(
        Clock,
        [
            {
                "id": clock.id,
                "outcome": outcomes[clock.id],
                "stopped_at": at,
                "warn_at": None,
                "wall_seconds": (at - clock.started_at) // SECOND,
                "business_seconds": seconds_used(_hours_key(clock), clock.started_at),
            }
            for clock in steady
        ],
    )


def _hours_key(clock: EndingClock) -> tuple[int | None, int | None, int]:
    # Public holidays are known for the years around the start.
    return clock.calendar_id, clock.owner_id, clock.started_at.year


def _hours_of(clocks: Sequence[EndingClock]) -> dict[tuple[int | None, int | None, int], WorkingCalendar]:
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
