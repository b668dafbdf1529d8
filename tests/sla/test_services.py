"""SLA-1, SLA-3, SLA-4: clocks start by the policy that matches, stop, are cancelled and handed on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Absence
from leads.models import LeadEvent
from notifications.models import Notification
from sla.conditions import HandoffFacts
from sla.handover import move_clocks
from sla.models import CalendarPerson, Clock, Target
from sla.services import cancel_clocks, start_clocks, stop_clock
from tests.factories import NOON, LeadFactory
from tests.sla.factories import CalendarFactory, PolicyFactory, TargetFactory

HOUR = timedelta(hours=1)
SATURDAY = datetime(2026, 3, 7, 9, tzinfo=UTC)


def facts(handoff_id: int = 7, **changes) -> HandoffFacts:
    values = {"category": "B", "warmth": "accumulated", "source": "Webinar", "is_instant_mql": False}
    return HandoffFacts(handoff_id=handoff_id, **(values | changes))


def start(lead, owner, *, now=NOON, **changes) -> dict[str, Clock]:
    clocks = start_clocks(lead, facts(**changes), owner=owner, team=owner and owner.team, now=now)
    return {clock.kind: clock for clock in clocks}


@pytest.fixture
def lead(db):
    return LeadFactory()


def test_each_target_of_the_policy_starts_a_clock_with_its_promise_copied(policy, lead, bdr, now):
    clocks = start(lead, bdr)

    contact = Clock.objects.get(pk=clocks["first_contact"].pk)
    assert set(clocks) == {"opened", "first_contact"}
    assert clocks["opened"].due_at == now + timedelta(minutes=15)
    assert contact.due_at == now + 2 * HOUR
    assert (contact.policy_name, contact.minutes, contact.owner, contact.team) == (
        "Standard", 120, bdr, bdr.team,
    )  # fmt: skip
    assert contact.warnings_at == [now + HOUR, now + timedelta(minutes=96)]
    assert contact.warn_at == contact.risk_at == now + HOUR


def test_starting_is_logged_once_with_the_due_times(policy, lead, bdr, now):
    start(lead, bdr)

    logged = LeadEvent.objects.get(lead=lead, kind=LeadEvent.Kind.CLOCK_STARTED, handoff_id=7)
    assert logged.detail == {
        "policy": "Standard",
        "target": "opened, first_contact",
        "due": {"opened": "2026-03-03T12:15:00+00:00", "first_contact": "2026-03-03T14:00:00+00:00"},
    }


@pytest.mark.parametrize(
    ("conditions", "applies"),
    [
        ({}, True),
        ({"category": "B"}, True),
        ({"category": "A"}, False),
        ({"warmth": "hand_raiser"}, False),
        ({"source": "webinar"}, True),
        ({"source": "Referral"}, False),
        ({"is_instant_mql": False}, True),
        ({"is_instant_mql": True}, False),
        ({"is_active": False}, False),
    ],
)
def test_the_first_policy_whose_conditions_hold_applies(policy, lead, bdr, conditions, applies):
    first = PolicyFactory(name="Special", position=0, **conditions)
    policy.position = 1
    policy.save(update_fields=["position"])
    TargetFactory(policy=first, minutes=30)

    names = {clock.policy_name for clock in start(lead, bdr).values()}

    assert names == ({"Special"} if applies else {"Standard"})


def test_without_a_policy_nothing_is_measured(office, lead, bdr):
    assert start(lead, bdr) == {}


def test_same_day_is_due_at_close_of_business_and_warns_by_working_time(office, lead, bdr, now):
    policy = PolicyFactory(is_instant_mql=True)
    TargetFactory(policy=policy, mode=Target.Mode.SAME_DAY, minutes=None, warn_percent=[50])

    clock = start(lead, bdr, is_instant_mql=True)["first_contact"]

    assert clock.due_at == datetime(2026, 3, 3, 17, tzinfo=UTC)  # 18:00 in Berlin
    assert clock.warnings_at == [datetime(2026, 3, 3, 14, 30, tzinfo=UTC)]


def test_after_hours_the_follow_up_is_due_after_the_next_opening(office, lead, bdr):
    TargetFactory(minutes=60, after_hours_minutes=120)

    at_night = start(lead, bdr, now=SATURDAY)["first_contact"]
    by_day = start(lead, bdr, handoff_id=8)["first_contact"]

    assert at_night.due_at == datetime(2026, 3, 9, 11, tzinfo=UTC)  # Monday 12:00 in Berlin
    assert by_day.due_at == NOON + HOUR


def test_a_person_is_measured_by_their_own_calendar(policy, lead, bdr):
    tokyo = CalendarFactory(name="Tokyo", time_zone="Asia/Tokyo")
    CalendarPerson.objects.create(calendar=tokyo, person=bdr)

    clock = start(lead, bdr)["first_contact"]

    assert clock.calendar == tokyo
    assert clock.due_at == datetime(2026, 3, 4, 3, tzinfo=UTC)  # Wednesday 12:00 in Tokyo


def test_absences_and_public_holidays_of_the_owner_do_not_count(policy, office, lead, bdr):
    office.holiday_country, office.holiday_subdivision = "DE", "BE"
    office.save(update_fields=["holiday_country", "holiday_subdivision"])
    Absence.objects.create(
        user=bdr,
        starts_at=datetime(2026, 3, 9, 0, tzinfo=UTC),
        ends_at=datetime(2026, 3, 10, 0, tzinfo=UTC),
        reason="Vacation",
    )

    # Saturday; Sunday is International Women's Day, a holiday in Berlin; Monday they are away.
    clock = start(lead, bdr, now=SATURDAY)["first_contact"]

    assert clock.due_at == datetime(2026, 3, 10, 11, tzinfo=UTC)


def test_a_calendar_without_hours_never_stops_a_handoff(policy, office, lead, bdr, now):
    office.intervals.all().delete()

    clock = start(lead, bdr)["first_contact"]

    assert clock.due_at == now + 2 * HOUR


def test_two_running_clocks_of_a_target_are_impossible(policy, lead, bdr):
    start(lead, bdr)

    with pytest.raises(IntegrityError), transaction.atomic():
        start(lead, bdr)


def test_stopping_keeps_both_durations_and_is_logged(policy, lead, bdr):
    friday = datetime(2026, 3, 6, 16, 30, tzinfo=UTC)
    start(lead, bdr, now=friday)

    monday = datetime(2026, 3, 9, 9, 30, tzinfo=UTC)
    stop_clock(lead, handoff_id=7, kind=Target.Kind.FIRST_CONTACT, at=monday, by=bdr)

    clock = Clock.objects.get(kind="first_contact")
    assert clock.outcome == Clock.Outcome.DONE
    assert clock.wall_seconds == 65 * 3600
    assert clock.business_seconds == 3600
    assert clock.warn_at is None
    logged = LeadEvent.objects.get(lead=lead, kind=LeadEvent.Kind.CLOCK_STOPPED)
    assert (logged.by, logged.detail["in_time"]) == (bdr, True)


def test_stopping_what_does_not_run_changes_nothing(policy, lead, bdr, now):
    start(lead, bdr)
    stop_clock(lead, handoff_id=7, kind=Target.Kind.OPENED, at=now, by=bdr)

    stop_clock(lead, handoff_id=7, kind=Target.Kind.OPENED, at=now + HOUR, by=bdr)

    assert Clock.objects.get(kind="opened").stopped_at == now


def test_done_exactly_when_due_is_in_time_and_a_moment_later_is_a_breach(policy, lead, bdr, now):
    clocks = start(lead, bdr)
    due_at = clocks["first_contact"].due_at

    assert not clocks["first_contact"].is_late(due_at)
    assert clocks["first_contact"].is_late(due_at + timedelta(microseconds=1))


def test_stopping_late_records_the_breach_no_sweep_has_seen(policy, lead, bdr, manager, now):
    due_at = start(lead, bdr)["opened"].due_at
    late = now + timedelta(minutes=16)

    stop_clock(lead, handoff_id=7, kind=Target.Kind.OPENED, at=late, by=bdr)

    clock = Clock.objects.get(kind="opened")
    assert clock.breach_recorded_at == late
    assert clock.state(late) == Clock.State.MISSED
    assert LeadEvent.objects.get(lead=lead, kind=LeadEvent.Kind.BREACHED).at == due_at
    assert Notification.objects.filter(kind=Notification.Kind.BREACH, recipient=manager).count() == 1


def test_cancelling_ends_what_runs_and_leaves_what_is_done(policy, lead, bdr, now):
    start(lead, bdr)
    stop_clock(lead, handoff_id=7, kind=Target.Kind.OPENED, at=now, by=bdr)

    cancel_clocks(lead, handoff_id=7, at=now + HOUR)

    assert dict(Clock.objects.values_list("kind", "outcome")) == {
        "opened": "done",
        "first_contact": "cancelled",
    }
    assert not Clock.objects.breached().exists()


def test_a_new_owner_gets_the_full_time_and_must_open_it_again(policy, lead, bdr, other_bdr, now):
    start(lead, bdr)
    stop_clock(lead, handoff_id=7, kind=Target.Kind.OPENED, at=now, by=bdr)

    later = now + HOUR
    move_clocks(lead, handoff_id=7, owner=other_bdr, team=other_bdr.team, now=later)

    restarted = Clock.objects.filter(started_at=later)
    assert {clock.kind: (clock.owner, clock.due_at) for clock in restarted} == {
        "opened": (other_bdr, later + timedelta(minutes=15)),
        "first_contact": (other_bdr, later + 2 * HOUR),
    }
    assert Clock.objects.running().count() == 2
    assert Clock.objects.get(owner=bdr, kind="first_contact").outcome == Clock.Outcome.CANCELLED


def test_a_clock_that_does_not_restart_goes_on_under_the_new_name(office, lead, bdr, other_bdr, now):
    TargetFactory(kind=Target.Kind.CRM_TRANSFER, restarts_on_reassignment=False)
    due_at = start(lead, bdr)["crm_transfer"].due_at

    move_clocks(lead, handoff_id=7, owner=other_bdr, team=other_bdr.team, now=now + HOUR / 2)

    clock = Clock.objects.get()
    assert (clock.owner, clock.due_at, clock.outcome) == (other_bdr, due_at, "running")


def test_a_changed_policy_leaves_running_clocks_alone(policy, lead, bdr, now):
    start(lead, bdr)

    policy.targets.update(minutes=1)

    assert Clock.objects.get(kind="first_contact").due_at == now + 2 * HOUR


def test_work_in_the_overflow_queue_is_measured_by_the_default_calendar(policy, office, lead):
    clock = start_clocks(lead, facts(), owner=None, team=None, now=SATURDAY)[1]

    assert (clock.owner, clock.calendar) == (None, office)
