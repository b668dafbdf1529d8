"""SLA-7: the time of a declared incident is given back, once, and taken back when it was an error."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import InvalidInput, NotAllowed
from common.parking import MAX_ATTEMPTS
from leads.models import LeadEvent
from sla import incidents
from sla.deadlines import move_deadline, set_deadline
from sla.incidents import (
    IncidentWithdrawn,
    Preview,
    declare_incident,
    preview_incident,
    settle_incidents,
    withdraw_incident,
)
from sla.models import Clock, Incident, Pause, Target
from sla.pauses import pause_clock, resume_clock
from sla.services import finish_clock
from sla.sweep import sweep_clocks
from tests.factories import NOON, LeadFactory
from tests.poison import heal, poison
from tests.sla.factories import ClockFactory
from tests.sla.test_attribution import HOURS, moments, stretches

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
MORNING = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)  # 10:00 in Berlin, when the office opens


def clock(**fields) -> Clock:
    """A clock of an hour around the clock, from noon; it warns at half of it."""
    half = timedelta(minutes=(fields.get("minutes", 60) or 0) / 2)
    warnings_at = [fields.get("started_at", NOON) + half]
    return ClockFactory(**{"warn_percent": [50], "warnings_at": warnings_at} | fields)


def declare(by, start=NOON, end=NOON + HOUR, *, now=NOON + 4 * HOUR):
    return declare_incident(what="E-mail was down", started_at=start, ended_at=end, by=by, now=now)


def kept(clock: Clock) -> tuple:
    """What an incident may change of a clock."""
    clock.refresh_from_db()
    return (
        clock.due_at, clock.warnings_at, clock.risk_at, clock.breach_recorded_at is None,
        clock.due_before_incident, clock.wall_seconds, clock.business_seconds, clock.pauses.count(),
    )  # fmt: skip


# --- Giving back --------------------------------------------------------------------------------


def test_a_running_clock_is_due_later_by_what_it_lost(manager):
    ran = clock(minutes=120)

    declare(manager, NOON - HOUR, NOON + 30 * MINUTE, now=NOON + HOUR)

    ran.refresh_from_db()
    assert ran.due_at == NOON + 150 * MINUTE
    assert ran.due_before_incident == NOON + 120 * MINUTE
    pause = ran.pauses.get()
    assert (pause.started_at, pause.ended_at, pause.by) == (NOON, NOON + 30 * MINUTE, manager)
    assert pause.reason == "E-mail was down"


def test_the_log_says_why_a_deadline_moved(manager):
    ran = clock()

    incident = declare(manager, now=NOON + HOUR)

    entry = LeadEvent.objects.get(lead=ran.lead, kind=LeadEvent.Kind.CLOCK_MOVED)
    assert (entry.by, entry.handoff_id, entry.detail["incident"]) == (manager, ran.handoff_id, incident.pk)
    assert entry.detail["due_at"] == (NOON + 2 * HOUR).isoformat()
    revision = ran.lead.revision
    ran.lead.refresh_from_db()
    assert ran.lead.revision == revision + 1


def test_time_in_which_it_stood_still_anyway_is_not_given_twice(manager):
    ran = clock(minutes=180)
    pause_clock(ran, reason="On holiday", by=manager, now=NOON + 10 * MINUTE)
    ran = resume_clock(ran, by=manager, now=NOON + 40 * MINUTE)

    declare(manager, NOON, NOON + HOUR)
    declare(manager, NOON + 30 * MINUTE, NOON + 90 * MINUTE)

    ran.refresh_from_db()
    assert ran.due_at == NOON + 180 * MINUTE + 90 * MINUTE
    assert ran.due_before_incident == NOON + 180 * MINUTE + 30 * MINUTE


def test_a_pause_that_was_over_in_the_outage_takes_nothing_of_it(manager):
    """Paused at 12:10 for twenty minutes at most; nothing ran from 12:00 to 13:00 that could end it."""
    ran = clock(minutes=120, max_pause_minutes=20)
    pause_clock(ran, reason="On holiday", by=manager, now=NOON + 10 * MINUTE)

    declare(manager, now=NOON + HOUR)
    sweep_clocks(now=NOON + HOUR)

    ran.refresh_from_db()
    assert (ran.paused_at, ran.due_at) == (None, NOON + HOUR + 120 * MINUTE)
    assert ran.due_before_incident == NOON + 140 * MINUTE


def test_hours_that_a_clock_does_not_count_are_not_given_back(manager, office):
    ran = clock(
        mode=Target.Mode.BUSINESS, calendar=office, started_at=MORNING + 8 * HOUR, due_at=MORNING + 25 * HOUR
    )

    declare(manager, MORNING + 9 * HOUR, MORNING + 20 * HOUR, now=MORNING + 21 * HOUR)

    ran.refresh_from_db()
    assert (ran.pauses.count(), ran.due_before_incident) == (0, None)


def test_a_promise_for_the_same_day_moves_only_when_the_day_is_over(manager, office):
    due_at = MORNING + 8 * HOUR
    ran = clock(
        mode=Target.Mode.SAME_DAY, minutes=None, calendar=office, started_at=MORNING, due_at=due_at,
        warn_percent=[], warnings_at=[],
    )  # fmt: skip

    declare(manager, MORNING + HOUR, MORNING + 2 * HOUR, now=MORNING + 3 * HOUR)
    assert kept(ran)[0] == due_at

    declare(manager, MORNING + 7 * HOUR, MORNING + 26 * HOUR, now=MORNING + 27 * HOUR)
    assert kept(ran)[0] == due_at + 24 * HOUR


# --- Breaches -----------------------------------------------------------------------------------


def test_a_breach_that_is_in_time_now_was_none(manager):
    ran = clock()
    sweep_clocks(now=NOON + 61 * MINUTE)
    Clock.objects.update(next_step_at=NOON + 3 * HOUR)

    declare(manager, NOON, NOON + HOUR, now=NOON + 90 * MINUTE)

    ran.refresh_from_db()
    assert (ran.breach_recorded_at, ran.next_step_at) == (None, None)
    assert ran.state(NOON + 90 * MINUTE) == Clock.State.AT_RISK
    assert ran.warn_at is None, "its last warning, at 13:30, is given"


def test_what_was_done_late_because_of_the_incident_was_done_in_time(manager):
    done = clock()
    finish_clock(done, Clock.Outcome.DONE, at=NOON + 100 * MINUTE)

    declare(manager)

    done.refresh_from_db()
    assert done.breach_recorded_at is None
    assert done.state(NOON + 4 * HOUR) == Clock.State.MET
    assert (done.wall_seconds, done.business_seconds) == (40 * 60, 40 * 60)


def test_what_is_late_all_the_same_stays_on_record(manager):
    running, done = clock(), clock()
    sweep_clocks(now=NOON + 61 * MINUTE)
    done.refresh_from_db()
    finish_clock(done, Clock.Outcome.DONE, at=NOON + 3 * HOUR)

    declare(manager)

    for late in (running, done):
        late.refresh_from_db()
        assert late.due_at < late.breach_recorded_at
        assert late.is_late(NOON + 4 * HOUR)


def test_what_was_late_before_gets_the_time_but_no_other_deadline(manager):
    late = clock(started_at=NOON - 3 * HOUR)
    sweep_clocks(now=NOON)

    incident = declare(manager)

    late.refresh_from_db()
    assert (late.due_at, late.due_before_incident) == (NOON - 2 * HOUR, None)
    assert late.pauses.get().incident == incident
    assert incident.excused == 0


# --- Declared in error --------------------------------------------------------------------------


def test_an_incident_withdrawn_leaves_clocks_as_they_were(manager, operator):
    running, done = clock(minutes=300), clock()
    sweep_clocks(now=NOON + 61 * MINUTE)
    done.refresh_from_db()
    finish_clock(done, Clock.Outcome.DONE, at=NOON + 100 * MINUTE)
    before = [kept(each) for each in (running, done)]

    incident = declare(manager)
    assert [kept(each) for each in (running, done)] != before
    withdraw_incident(incident, by=operator, now=NOON + 5 * HOUR)

    assert [kept(each) for each in (running, done)] == before
    incident.refresh_from_db()
    assert (incident.withdrawn_by, incident.pending_at) == (operator, None)


def test_withdrawing_one_of_two_leaves_the_other(manager):
    ran = clock(minutes=300)
    first = declare(manager, NOON, NOON + HOUR)
    declare(manager, NOON + 2 * HOUR, NOON + 3 * HOUR)

    withdraw_incident(first, by=manager, now=NOON + 4 * HOUR)

    ran.refresh_from_db()
    assert ran.due_at == NOON + 6 * HOUR
    assert ran.due_before_incident == NOON + 5 * HOUR


def test_it_is_withdrawn_once(manager):
    incident = declare(manager)
    withdraw_incident(incident, by=manager, now=NOON + 4 * HOUR)

    with pytest.raises(IncidentWithdrawn, match="Nia Berg"):
        withdraw_incident(incident, by=manager, now=NOON + 4 * HOUR)


# --- Looking first, and who may -----------------------------------------------------------------


def test_the_preview_says_what_declaring_would_do_and_does_nothing(manager):
    forgiven = clock()
    clock(minutes=300)
    clock(started_at=NOON - 3 * HOUR)
    clock(started_at=NOON + 2 * HOUR)
    sweep_clocks(now=NOON + 90 * MINUTE)
    now = NOON + 100 * MINUTE

    preview = preview_incident(started_at=NOON, ended_at=NOON + HOUR, now=now)

    assert preview == Preview(clocks=3, moved=2, forgiven=1, is_partial=False)
    assert not Pause.objects.exists()
    assert declare(manager, now=now).excused == preview.moved
    assert not forgiven.pauses.model.objects.filter(clock=forgiven, incident=None).exists()


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        pytest.param(NOON, NOON, "ended_at", id="no time at all"),
        pytest.param(NOON, NOON + 5 * HOUR, "ended_at", id="not over yet"),
        pytest.param(NOON - timedelta(days=400), NOON, "started_at", id="the wrong year"),
    ],
)
def test_times_that_make_no_sense_are_refused(manager, start, end, field):
    with pytest.raises(InvalidInput) as refused:
        declare(manager, start, end)

    assert refused.value.field == field


@pytest.mark.parametrize("what", ["", "  ", "x" * 201, "E-mail\0"])
def test_an_incident_says_what_it_was(manager, what):
    with pytest.raises(InvalidInput):
        declare_incident(what=what, started_at=NOON, ended_at=NOON + HOUR, by=manager, now=NOON + 4 * HOUR)


def test_reps_and_marketing_declare_none(bdr, marketing):
    for person in (bdr, marketing):
        with pytest.raises(NotAllowed):
            declare(person)


# --- Many ---------------------------------------------------------------------------------------


def test_many_clocks_are_settled_by_a_worker_batch_by_batch(manager, monkeypatch):
    monkeypatch.setattr(incidents, "AT_ONCE", 2)
    monkeypatch.setattr(incidents, "BATCH", 2)
    lead = LeadFactory()
    clocks = [clock(lead=lead, minutes=300) for _ in range(5)]
    incident = declare(manager)
    assert (incident.excused, incident.pending_at) == (0, NOON + 4 * HOUR)

    assert settle_incidents(now=NOON + 4 * HOUR) == 3
    assert settle_incidents(now=NOON + 4 * HOUR) == 0

    incident.refresh_from_db()
    assert (incident.excused, incident.pending_at) == (5, None)
    assert {kept(each)[0] for each in clocks} == {NOON + 6 * HOUR}
    assert Pause.objects.count() == 5


def test_a_clock_that_fails_keeps_back_none_that_came_before_it(manager, monkeypatch):
    monkeypatch.setattr(incidents, "BATCH", 1)
    first, second = clock(minutes=300), clock(minutes=300)
    poison(second.lead)

    incident = declare(manager)

    assert (kept(first)[0], kept(second)[0]) == (NOON + 6 * HOUR, NOON + 5 * HOUR)
    assert (incident.excused, incident.pending_at) == (1, NOON + 4 * HOUR)
    heal()
    settle_incidents(now=NOON + 4 * HOUR)
    assert kept(second)[0] == NOON + 6 * HOUR


def test_one_that_fails_is_parked_and_may_still_be_withdrawn(manager, monkeypatch):
    monkeypatch.setattr(incidents, "AT_ONCE", 0)
    ran = clock(minutes=300)
    incident = declare(manager)
    poison(ran.lead)
    for _ in range(MAX_ATTEMPTS + 1):
        settle_incidents(now=NOON + 4 * HOUR)
    incident.refresh_from_db()
    assert incident.parked_at == NOON + 4 * HOUR
    assert incident not in Incident.objects.pending()

    withdraw_incident(incident, by=manager, now=NOON + 5 * HOUR)

    incident.refresh_from_db()
    assert (incident.parked_at, incident.pending_at, kept(ran)[0]) == (None, None, NOON + 5 * HOUR)


def test_a_batch_takes_the_same_few_statements_however_many_clocks(manager, django_assert_max_num_queries):
    owner = clock(minutes=300).owner
    for _ in range(20):
        clock(minutes=300, owner=owner)

    with django_assert_max_num_queries(26):
        declare(manager)

    assert Pause.objects.count() == 21


# --- The arithmetic, by property ----------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    old=stretches(),
    new=stretches(),
    since=moments,
    minutes=st.integers(1, 900),
    mode=st.sampled_from([Target.Mode.BUSINESS, Target.Mode.WALL]),
)
def test_other_pauses_give_the_deadline_they_would_have_given_at_once(old, new, since, minutes, mode):
    promise = SimpleNamespace(mode=mode, minutes=minutes, after_hours_minutes=None, warn_percent=[50])
    old, new = ([stretch for stretch in each if stretch[0] >= since] for each in (old, new))
    first = set_deadline(promise, hours=HOURS, since=since, pauses=old)

    moved = move_deadline(promise, hours=HOURS, since=since, due_at=first.due_at, old=old, new=new)

    assert moved == set_deadline(promise, hours=HOURS, since=since, pauses=new)
