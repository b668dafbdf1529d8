"""SLA-4: when working hours change, the open clocks they touch move, and we say how many."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from accounts.models import Absence
from leads.models import LeadEvent
from sla.calendar_changes import make_default_calendar, recompute_changed_clocks
from sla.calendars import calendar_of, public_holidays
from sla.conditions import HandoffFacts
from sla.models import CalendarPerson, Clock, Closure, Target
from sla.pauses import pause_clock, resume_clock
from sla.services import start_clocks
from sla.sweep import sweep_clocks
from tests.factories import LeadFactory
from tests.sla.factories import CalendarFactory, TargetFactory

HOUR = timedelta(hours=1)
EVENING = datetime(2026, 3, 3, 16, tzinfo=UTC)  # an hour before closing in Berlin


def start(owner, *, handoff_id=7, now=EVENING):
    facts = HandoffFacts(handoff_id, category="B", warmth="cold", source="", is_instant_mql=False)
    clocks = start_clocks(LeadFactory(), facts, owner=owner, team=owner.team, now=now)
    return next(clock for clock in clocks if clock.kind == Target.Kind.FIRST_CONTACT)


def test_nothing_moves_while_nothing_changes(policy, bdr):
    clock = start(bdr)

    assert recompute_changed_clocks(now=EVENING) == 0

    assert Clock.objects.get(pk=clock.pk).due_at == clock.due_at


def test_a_closure_moves_the_clocks_of_its_calendar_once_and_logs_it(policy, office, bdr, manager):
    clock = start(bdr)
    Closure.objects.create(calendar=office, on=date(2026, 3, 4), name="Move of the office")

    assert recompute_changed_clocks(now=EVENING, by=manager) == 1
    assert recompute_changed_clocks(now=EVENING) == 0

    moved = Clock.objects.get(pk=clock.pk)
    assert moved.due_at == clock.due_at + timedelta(days=1)
    assert moved.warn_at == EVENING + HOUR  # half of the time is still gone at closing time today
    event = LeadEvent.objects.get(kind=LeadEvent.Kind.CLOCK_MOVED)
    assert event.by == manager
    assert event.detail["old_due_at"] == clock.due_at.isoformat()
    assert event.detail["due_at"] == moved.due_at.isoformat()


def test_a_vacation_moves_the_clocks_of_that_person_only(policy, bdr, other_bdr):
    mine, theirs = start(bdr), start(other_bdr, handoff_id=8)
    Absence.objects.create(user=bdr, starts_at=EVENING, ends_at=EVENING + timedelta(days=2))

    assert recompute_changed_clocks(now=EVENING) == 1

    assert Clock.objects.get(pk=mine.pk).due_at > mine.due_at
    assert Clock.objects.get(pk=theirs.pk).due_at == theirs.due_at


def test_wall_time_recorded_breaches_and_paused_clocks_stay(policy, office, bdr):
    breached = start(bdr)
    late = breached.due_at + HOUR
    sweep_clocks(now=late)
    paused = start(bdr, handoff_id=8, now=late)
    pause_clock(paused, reason="Waits", by=bdr, now=late)
    Closure.objects.create(calendar=office, on=date(2026, 3, 4), name="Closed")

    assert recompute_changed_clocks(now=late) == 0

    assert Clock.objects.get(pk=breached.pk).due_at == breached.due_at


def test_a_resumed_clock_is_counted_by_the_new_hours(policy, office, bdr):
    clock = start(bdr)
    pause_clock(clock, reason="Waits", by=bdr, now=EVENING)
    Closure.objects.create(calendar=office, on=date(2026, 3, 4), name="Closed")

    resumed = resume_clock(clock, by=bdr, now=EVENING + HOUR / 2)

    assert resumed.due_at == datetime(2026, 3, 5, 10, 30, tzinfo=UTC)
    assert recompute_changed_clocks(now=EVENING + HOUR / 2) == 0


def test_longer_hours_never_make_a_clock_late_before_now(policy, office, bdr):
    clock = start(bdr)
    office.intervals.update(opens_at="00:00", closes_at="00:00")
    night = EVENING + 5 * HOUR

    assert recompute_changed_clocks(now=night) == 1

    assert Clock.objects.get(pk=clock.pk).due_at == night


def test_one_calendar_is_the_default(policy, office, bdr):
    other = make_default_calendar(CalendarFactory(name="Munich"))

    office.refresh_from_db()
    assert calendar_of(bdr) == other
    assert not office.is_default


def test_a_person_has_their_own_calendar_or_the_default(office, bdr, other_bdr):
    munich = CalendarFactory(name="Munich")
    CalendarPerson.objects.create(calendar=munich, person=bdr)

    assert calendar_of(bdr) == munich
    assert calendar_of(other_bdr) == calendar_of(None) == office


@pytest.mark.parametrize(
    ("country", "part", "on", "name"),
    [
        ("DE", "BY", date(2026, 11, 1), "Allerheiligen, DE-BY"),
        ("DE", "", date(2026, 10, 3), "Tag der Deutschen Einheit, DE"),
        ("US", "", date(2026, 11, 26), "Thanksgiving Day, US"),
    ],
)
def test_public_holidays_are_named_with_their_place(country, part, on, name):
    assert {closure.on: closure.name for closure in public_holidays(country, part, 2026)}[on] == name


def test_all_saints_is_no_holiday_in_berlin():
    assert date(2026, 11, 1) not in {closure.on for closure in public_holidays("DE", "BE", 2026)}


def test_a_promise_in_minutes_that_waits_for_the_morning_moves_with_it(office, bdr):
    night = EVENING + 4 * HOUR
    TargetFactory(mode=Target.Mode.WALL, minutes=15, after_hours_minutes=120)
    clock = start(bdr, now=night)
    Closure.objects.create(calendar=office, on=date(2026, 3, 4), name="Move of the office")

    assert recompute_changed_clocks(now=night) == 1

    assert Clock.objects.get(pk=clock.pk).due_at == clock.due_at + timedelta(days=1)
