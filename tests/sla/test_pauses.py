"""SLA-4: a promise that waits on the lead stands still, with its reason, and goes on where it stopped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import User
from common.errors import InvalidInput, NotAllowed
from leads.models import LeadEvent
from notifications.models import Notification
from sla.conditions import HandoffFacts
from sla.models import Clock, Incident, Pause, Target
from sla.pauses import ClockAlreadyLate, ClockNotTicking, PauseNotAllowed, pause_clock, resume_clock
from sla.reopening import reopen_clocks
from sla.services import start_clocks, stop_clock
from sla.sweep import SweepResult, sweep_clocks
from tests.factories import LeadFactory
from tests.sla.factories import PolicyFactory, TargetFactory

HOUR = timedelta(hours=1)
FACTS = HandoffFacts(handoff_id=7, category="B", warmth="cold", source="", is_instant_mql=False)


@pytest.fixture
def lead(db):
    return LeadFactory()


@pytest.fixture
def clock(policy, lead, bdr, now):
    clocks = start_clocks(lead, FACTS, owner=bdr, team=bdr.team, now=now)
    return next(clock for clock in clocks if clock.kind == Target.Kind.FIRST_CONTACT)


def test_what_was_left_at_the_pause_is_left_after_it(clock, bdr, now):
    pause_clock(clock, reason="On holiday until Thursday", by=bdr, now=now + HOUR)

    thursday = datetime(2026, 3, 5, 9, tzinfo=UTC)
    resumed = resume_clock(clock, by=bdr, now=thursday)

    assert resumed.due_at == thursday + HOUR
    assert resumed.warn_at == thursday + 36 * timedelta(minutes=1)
    assert (resumed.paused_at, resumed.pause_reason) == (None, "")
    assert resumed.state(thursday) == Clock.State.AT_RISK


def test_a_paused_clock_says_so_and_is_not_late(clock, bdr, now):
    paused = pause_clock(clock, reason="On holiday", by=bdr, now=now + HOUR)

    assert paused.state(now + 100 * HOUR) == Clock.State.PAUSED
    assert not Clock.objects.late(now + 100 * HOUR).filter(pk=clock.pk).exists()


def test_every_pause_is_kept_with_who_and_why_and_the_log_names_no_person(clock, lead, bdr, now):
    for start in (1, 3):
        clock = pause_clock(clock, reason="Anna is away", by=bdr, now=now + start * HOUR / 2)
        clock = resume_clock(clock, by=bdr, now=now + (start + 1) * HOUR / 2)

    pauses = list(Pause.objects.values_list("reason", "by", "started_at", "ended_at"))
    assert pauses == [
        ("Anna is away", bdr.pk, now + HOUR / 2, now + HOUR),
        ("Anna is away", bdr.pk, now + 3 * HOUR / 2, now + 2 * HOUR),
    ]
    assert clock.due_at == now + 3 * HOUR
    logged = LeadEvent.objects.filter(lead=lead, kind=LeadEvent.Kind.CLOCK_MOVED).order_by("id")
    assert [event.detail["change"] for event in logged] == ["paused", "resumed"] * 2
    assert not any("Anna" in str(event.detail) for event in logged)


def test_durations_leave_pauses_out(clock, lead, bdr, now):
    pause_clock(clock, reason="Waits", by=bdr, now=now + HOUR)
    resume_clock(clock, by=bdr, now=now + 2 * HOUR)

    stop_clock(lead, handoff_id=7, kind=Target.Kind.FIRST_CONTACT, at=now + 2.5 * HOUR)

    clock.refresh_from_db()
    assert clock.wall_seconds == clock.business_seconds == 1.5 * 3600
    assert clock.state(now) == Clock.State.MET


def test_work_done_during_a_pause_is_in_time(clock, lead, bdr, now):
    pause_clock(clock, reason="Waits", by=bdr, now=now + HOUR)

    stop_clock(lead, handoff_id=7, kind=Target.Kind.FIRST_CONTACT, at=now + 50 * HOUR)

    clock.refresh_from_db()
    assert clock.state(now + 50 * HOUR) == Clock.State.MET
    assert clock.breach_recorded_at is None
    assert Pause.objects.get().ended_at == now + 50 * HOUR


def test_same_day_moves_to_the_day_the_pause_ends_on(office, lead, bdr, now):
    TargetFactory(policy=PolicyFactory(), mode=Target.Mode.SAME_DAY, minutes=None)
    (clock,) = start_clocks(lead, FACTS, owner=bdr, team=bdr.team, now=now)
    pause_clock(clock, reason="Waits", by=bdr, now=now + HOUR)

    resumed = resume_clock(clock, by=bdr, now=datetime(2026, 3, 5, 9, tzinfo=UTC))

    assert resumed.due_at == datetime(2026, 3, 5, 17, tzinfo=UTC)


def test_a_pause_needs_a_reason(clock, bdr, now):
    with pytest.raises(InvalidInput, match="waits for") as refusal:
        pause_clock(clock, reason="  ", by=bdr, now=now)

    assert refusal.value.field == "reason"


def test_lateness_cannot_be_paused_away(clock, bdr, now):
    with pytest.raises(ClockAlreadyLate):
        pause_clock(clock, reason="Oh", by=bdr, now=now + 3 * HOUR)


def test_pausing_twice_or_resuming_what_runs_is_refused(clock, bdr, now):
    with pytest.raises(ClockNotTicking):
        resume_clock(clock, by=bdr, now=now)
    pause_clock(clock, reason="Waits", by=bdr, now=now)
    with pytest.raises(ClockNotTicking, match="paused already"):
        pause_clock(clock, reason="Waits", by=bdr, now=now + HOUR)


def test_only_the_owner_and_managers_may_pause(clock, other_bdr, marketing, manager, now):
    for somebody in (other_bdr, marketing):
        with pytest.raises(NotAllowed):
            pause_clock(clock, reason="Waits", by=somebody, now=now)
    pause_clock(clock, reason="Waits", by=manager, now=now)
    with pytest.raises(NotAllowed):
        resume_clock(clock, by=other_bdr, now=now)


def test_an_owner_who_no_longer_works_leads_may_not_pause(clock, bdr, now):
    bdr.role = User.Role.READ_ONLY
    bdr.save(update_fields=["role"])

    with pytest.raises(NotAllowed):
        pause_clock(clock, reason="On holiday", by=bdr, now=now + HOUR)


# --- The longest pause allowed -------------------------------------------------------------------


@pytest.fixture
def capped(clock):
    """The first contact, due two hours from now; all pauses together may last an hour."""
    clock.max_pause_minutes = 60
    clock.save(update_fields=["max_pause_minutes"])
    return clock


def test_a_pause_ends_by_itself_when_it_has_lasted_as_long_as_it_may(capped, lead, bdr, now):
    pause_clock(capped, reason="On holiday", by=bdr, now=now + HOUR)
    assert sweep_clocks(now=now + 1.9 * HOUR).resumed == 0

    assert sweep_clocks(now=now + 2.1 * HOUR).resumed == 1
    assert sweep_clocks(now=now + 2.2 * HOUR) == SweepResult()

    capped.refresh_from_db()
    assert (capped.paused_at, capped.resume_at, capped.due_at) == (None, None, now + 3 * HOUR)
    assert Pause.objects.get().ended_at == now + 2 * HOUR
    logged = LeadEvent.objects.filter(lead=lead, kind=LeadEvent.Kind.CLOCK_MOVED).latest("id")
    assert (logged.by, logged.at, logged.detail["change"]) == (None, now + 2 * HOUR, "resumed")
    assert logged.detail["why"] == "The longest pause allowed is over."
    told = Notification.objects.get(recipient=bdr, title__startswith="First contact goes on")
    assert "longest pause" in told.body


def test_after_an_outage_it_went_on_when_it_had_to_and_may_be_missed_by_now(capped, bdr, now):
    pause_clock(capped, reason="On holiday", by=bdr, now=now + HOUR)

    assert sweep_clocks(now=now + 4 * HOUR) == SweepResult(breaches=2, resumed=1)  # and it was never opened

    capped.refresh_from_db()
    assert (capped.due_at, capped.breach_recorded_at) == (now + 3 * HOUR, now + 4 * HOUR)


@pytest.mark.parametrize(("done_after", "state"), [(1.9, "met"), (2.9, "met"), (3.1, "missed")])
def test_what_is_done_before_a_sweep_has_come_is_judged_by_the_same_times(
    capped, lead, bdr, now, done_after, state
):
    pause_clock(capped, reason="On holiday", by=bdr, now=now + HOUR)

    stop_clock(lead, handoff_id=7, kind=Target.Kind.FIRST_CONTACT, at=now + done_after * HOUR)

    capped.refresh_from_db()
    assert capped.state(now + 9 * HOUR) == state


def test_all_pauses_together_may_last_so_long_and_the_last_is_refused(capped, bdr, now):
    for minutes in (0, 30):
        pause_clock(capped, reason="Waits", by=bdr, now=now + minutes * HOUR / 60)
        resume_clock(capped, by=bdr, now=now + (minutes + 20) * HOUR / 60)

    paused = pause_clock(capped, reason="Waits", by=bdr, now=now + HOUR)
    assert paused.resume_at == now + 80 * HOUR / 60
    resume_clock(capped, by=bdr, now=now + 2 * HOUR)

    with pytest.raises(PauseNotAllowed, match="1 hour in all, is used up"):
        pause_clock(capped, reason="Waits", by=bdr, now=now + 2 * HOUR)
    assert Pause.objects.latest("started_at").ended_at == now + 80 * HOUR / 60


def test_what_an_incident_took_is_no_pause_of_theirs(capped, bdr, manager, now):
    times = {"started_at": now, "ended_at": now + HOUR}
    incident = Incident.objects.create(what="Down", declared_at=now + HOUR, declared_by=manager, **times)
    Pause.objects.create(clock=capped, reason="Down", incident=incident, **times)

    paused = pause_clock(capped, reason="Waits", by=bdr, now=now + HOUR)
    resumed = resume_clock(capped, by=bdr, now=now + 1.5 * HOUR)

    assert paused.resume_at == now + 2 * HOUR
    assert (resumed.due_at, resumed.due_before_incident) == (now + 3.5 * HOUR, now + 2.5 * HOUR)


def test_a_clock_whose_policy_allows_no_pause_cannot_be_paused(clock, bdr, now):
    clock.max_pause_minutes = 0
    clock.save(update_fields=["max_pause_minutes"])

    with pytest.raises(PauseNotAllowed, match="does not let"):
        pause_clock(clock, reason="Waits", by=bdr, now=now)


def test_a_pause_that_goes_on_when_an_act_is_taken_back_may_last_as_long_as_before(capped, lead, bdr, now):
    until = pause_clock(capped, reason="Waits", by=bdr, now=now + HOUR).resume_at
    stopped_at = now + 1.5 * HOUR
    stop_clock(lead, handoff_id=7, kind=Target.Kind.FIRST_CONTACT, at=stopped_at)

    reopen_clocks(lead, handoff_id=7, stopped_at=stopped_at, by=bdr, now=stopped_at)

    capped.refresh_from_db()
    assert (capped.paused_at, capped.resume_at) == (now + HOUR, until)
