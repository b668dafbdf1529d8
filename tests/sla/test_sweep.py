"""SLA-5, SLA-7: warnings and breaches are noticed exactly once, with the time they happened."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction

from accounts.models import User
from common.parking import MAX_ATTEMPTS, retry_parked
from leads.models import Lead, LeadEvent
from notifications.models import Notification
from sla.models import Clock
from sla.sweep import SweepResult, sweep_clocks
from tests.factories import NOON, UserFactory
from tests.poison import heal, poison
from tests.sla.factories import ClockFactory

MINUTE = timedelta(minutes=1)


def breaches_told(person: User) -> int:
    return Notification.objects.filter(recipient=person, kind=Notification.Kind.BREACH).count()


def test_a_breach_keeps_the_time_it_happened_and_the_time_we_noticed(bdr, manager, now):
    clock = ClockFactory(owner=bdr)
    noticed = now + 65 * MINUTE

    assert sweep_clocks(now=noticed) == SweepResult(breaches=1, warnings=0)

    clock.refresh_from_db()
    assert (clock.due_at, clock.breach_recorded_at) == (now + 60 * MINUTE, noticed)
    event = LeadEvent.objects.get(kind=LeadEvent.Kind.BREACHED)
    assert (event.at, event.handoff_id) == (clock.due_at, clock.handoff_id)
    assert event.detail["recorded_at"] == noticed.isoformat()


def test_measuring_goes_on_after_a_breach(bdr, now):
    clock = ClockFactory(owner=bdr)

    sweep_clocks(now=now + 65 * MINUTE)

    clock.refresh_from_db()
    assert clock.outcome == Clock.Outcome.RUNNING
    assert clock.state(now + 70 * MINUTE) == Clock.State.LATE


def test_sweeping_again_tells_nobody_twice(bdr, manager, now):
    ClockFactory(owner=bdr)

    sweep_clocks(now=now + 65 * MINUTE)
    again = sweep_clocks(now=now + 66 * MINUTE)

    assert again == SweepResult()
    assert breaches_told(manager) == breaches_told(bdr) == 1
    assert LeadEvent.objects.filter(kind=LeadEvent.Kind.BREACHED).count() == 1


def test_nothing_happens_at_the_deadline_itself(bdr, now):
    clock = ClockFactory(owner=bdr, warn_at=None)

    assert sweep_clocks(now=clock.due_at) == SweepResult()
    assert sweep_clocks(now=clock.due_at + timedelta(microseconds=1)) == SweepResult(breaches=1)


@pytest.mark.parametrize(
    "fields",
    [
        {"outcome": "done", "stopped_at": NOON + 10 * MINUTE, "warn_at": None},
        {"paused_at": NOON + 10 * MINUTE, "pause_reason": "Waits for the lead"},
    ],
)
def test_what_is_done_or_paused_is_neither_warned_nor_breached(bdr, now, fields):
    ClockFactory(owner=bdr, **fields)

    assert sweep_clocks(now=now + 35 * MINUTE) == SweepResult()
    assert sweep_clocks(now=now + 65 * MINUTE) == SweepResult()


def test_the_owner_is_warned_once_per_warning(bdr, manager, now):
    ClockFactory(owner=bdr, warnings_at=[now + 30 * MINUTE, now + 48 * MINUTE])

    results = [sweep_clocks(now=now + minute * MINUTE).warnings for minute in (29, 30, 31, 47, 48, 50)]

    assert results == [0, 1, 0, 0, 1, 0]
    assert Notification.objects.filter(recipient=bdr, kind=Notification.Kind.WARNING).count() == 2
    assert not Notification.objects.filter(recipient=manager).exists()


def test_of_several_warnings_missed_in_an_outage_one_is_given(bdr, now):
    clock = ClockFactory(owner=bdr, warnings_at=[now + 30 * MINUTE, now + 48 * MINUTE])

    assert sweep_clocks(now=now + 55 * MINUTE) == SweepResult(warnings=1)

    clock.refresh_from_db()
    assert clock.warn_at is None


def test_a_warning_that_comes_after_the_deadline_is_left_out(bdr, now):
    ClockFactory(owner=bdr)

    assert sweep_clocks(now=now + 90 * MINUTE) == SweepResult(breaches=1)

    assert not Notification.objects.filter(kind=Notification.Kind.WARNING).exists()


def test_work_nobody_owns_warns_nobody_but_its_breach_reaches_the_managers(manager, now):
    ClockFactory(owner=None, team=None)

    assert sweep_clocks(now=now + 35 * MINUTE) == SweepResult(warnings=1)
    assert not Notification.objects.exists()

    sweep_clocks(now=now + 65 * MINUTE)
    assert breaches_told(manager) == 1


def test_managers_of_the_team_hear_of_it_and_those_of_other_teams_do_not(bdr, manager, now):
    elsewhere = UserFactory(role=User.Role.MANAGER)
    everywhere = UserFactory(role=User.Role.MANAGER, team=None)
    gone = UserFactory(role=User.Role.MANAGER, team=bdr.team, is_active=False)
    ClockFactory(owner=bdr)

    sweep_clocks(now=now + 65 * MINUTE)

    told = [breaches_told(person) for person in (manager, everywhere, elsewhere, gone)]
    assert told == [1, 1, 0, 0]


def test_after_an_outage_many_breaches_make_one_message(bdr, manager, now):
    ClockFactory.create_batch(12, owner=bdr)

    sweep_clocks(now=now + 65 * MINUTE)

    message = Notification.objects.get(recipient=manager)
    assert message.title == "12 targets overdue"
    assert message.url == "/sla/breaches/"
    assert LeadEvent.objects.filter(kind=LeadEvent.Kind.BREACHED).count() == 12


def test_a_lead_somebody_works_on_is_passed_over_and_found_later(bdr, now, transactional_db):
    clock = ClockFactory(owner=bdr)
    locked, checked = threading.Event(), threading.Event()

    def work_on_the_lead() -> None:
        with transaction.atomic():
            Lead.objects.lock(clock.lead_id)
            locked.set()
            checked.wait(10)
        connections.close_all()

    worker = threading.Thread(target=work_on_the_lead)
    worker.start()
    locked.wait(10)
    try:
        assert sweep_clocks(now=now + 65 * MINUTE) == SweepResult()
    finally:
        checked.set()
        worker.join()
    assert sweep_clocks(now=now + 66 * MINUTE) == SweepResult(breaches=1)


def test_two_sweeps_at_once_double_nothing(transactional_db, now):
    owner = UserFactory()
    manager = UserFactory(role=User.Role.MANAGER, team=owner.team)
    ClockFactory.create_batch(60, owner=owner)
    ClockFactory.create_batch(
        20,
        owner=owner,
        started_at=now + 30 * MINUTE,
        due_at=now + 90 * MINUTE,
        warnings_at=[now + 60 * MINUTE],
    )
    barrier = threading.Barrier(2)
    results: list[SweepResult] = []

    def sweep() -> None:
        barrier.wait(10)
        results.append(sweep_clocks(now=now + 65 * MINUTE))
        connections.close_all()

    threads = [threading.Thread(target=sweep) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.append(sweep_clocks(now=now + 65 * MINUTE))  # what each passed over because of the other

    assert sum(result.breaches for result in results) == 60
    assert sum(result.warnings for result in results) == 20
    assert LeadEvent.objects.filter(kind=LeadEvent.Kind.BREACHED).count() == 60
    assert Notification.objects.filter(kind=Notification.Kind.WARNING).count() == 20
    assert breaches_told(manager) >= 1
    assert not Clock.objects.due(now + 65 * MINUTE).exists()


def test_the_sweep_finds_its_rows_by_index_among_many_on_record(bdr, now):
    first = ClockFactory(owner=bdr)
    late = {"breach_recorded_at": now + 61 * MINUTE, "warn_at": None, "lead": first.lead, "owner": bdr}
    Clock.objects.bulk_create(ClockFactory.build(**late) for _ in range(1000))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE sla_clock")

    assert "clock_due" in Clock.objects.due(now + 65 * MINUTE).order_by("due_at").explain()
    assert "clock_warn" in Clock.objects.warning_due(now + 35 * MINUTE).order_by("warn_at").explain()


def test_a_clock_that_fails_keeps_back_no_other_and_is_parked(bdr, now):
    bad = ClockFactory(owner=bdr, started_at=now - timedelta(hours=1))
    good = ClockFactory.create_batch(2, owner=bdr)
    poison(bad.lead)

    swept = [sweep_clocks(now=now + 65 * MINUTE).breaches for _ in range(MAX_ATTEMPTS + 1)]

    assert swept == [2] + [0] * MAX_ATTEMPTS
    assert Clock.objects.breached().filter(pk__in=[clock.pk for clock in good]).count() == 2
    bad.refresh_from_db()
    assert (bad.attempts, bad.parked_at) == (MAX_ATTEMPTS, now + 65 * MINUTE)
    assert bad.error
    assert bad.is_late(now + 65 * MINUTE)  # parked or not, people see that it is late

    heal()
    assert retry_parked(Clock.objects.all()) == 1
    assert sweep_clocks(now=now + 66 * MINUTE).breaches == 1
