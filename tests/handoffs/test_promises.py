"""SLA-1, SLA-4: every kind of promise starts, is kept and is handed on with the act it belongs to."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from accounts.models import User
from feedback.models import Verdict
from feedback.quality import record_quality_check
from feedback.services import reject_handoff
from feedback.undo import undo_rejection
from handoffs.contact.services import record_attempt
from handoffs.models import Handoff, Pool
from handoffs.routing.reassignment import reassign_handoff
from handoffs.services import accept_handoff, claim_handoff
from handoffs.undo import undo_acceptance
from leads.models import Lead, LeadEvent
from notifications.models import Notification
from sla.models import Clock, EscalationStep, Target
from sla.presets import (
    CalendarPreset,
    PolicyPreset,
    SlaPreset,
    StepPreset,
    TargetPreset,
    load_sla_preset,
)
from tests.desk import offer, ready_lead, reason

SECOND, MINUTE, HOUR, DAY = (timedelta(seconds=n) for n in (1, 60, 3600, 86400))
Kind = Target.Kind


def within(kind: Target.Kind, minutes: int, **terms: int) -> TargetPreset:
    return TargetPreset(kind=kind, mode=Target.Mode.WALL, minutes=minutes, **terms)


EVERY_KIND = SlaPreset(
    calendar=CalendarPreset(name="Office", time_zone="UTC"),
    policies=(
        PolicyPreset(
            name="Every kind",
            targets=(
                within(Kind.CRM_TRANSFER, 5),
                within(Kind.NOTIFICATION, 30),
                within(Kind.OPENED, 15),
                within(Kind.DECISION, 1440),
                within(Kind.FIRST_CONTACT, 60),
                within(Kind.CADENCE, 2880, attempts=3),
                within(Kind.QUALITY_CHECK, 1440),
                within(Kind.RETURN, 1440),
            ),
        ),
    ),
)


@pytest.fixture
def lead(pool: Pool, now: datetime) -> Lead:
    load_sla_preset(EVERY_KIND, by=None, now=now)
    return ready_lead(now=now)


@pytest.fixture
def accepted_at(now: datetime) -> datetime:
    return now + 10 * MINUTE


@pytest.fixture
def accepted(handoff: Handoff, accepted_at: datetime) -> Handoff:
    return accept_handoff(handoff, by=handoff.owner, now=accepted_at)


@pytest.fixture
def waiting(lead: Lead, pool: Pool, now: datetime) -> Handoff:
    """Nobody had room for it."""
    pool.memberships.update(max_open=0)
    return offer(lead, now=now)


def attempt(handoff: Handoff, now: datetime, outcome: str = "no_answer") -> None:
    record_attempt(handoff, channel="call", outcome=outcome, by=handoff.owner, now=now)


def judge(handoff: Handoff, now: datetime) -> None:
    answers = {"really_qualified": "yes", "data_matched": "yes", "timing_right": "partly"}
    record_quality_check(handoff, **answers, conversation=4, by=handoff.owner, now=now)


def give_back(handoff: Handoff, now: datetime, *, by: User | None = None) -> None:
    cause = reason("wrong-icp")
    reject_handoff(handoff, reason=cause, by=by or handoff.owner, via=Verdict.Via.PAGE, now=now)


def clock(handoff: Handoff, kind: Target.Kind) -> Clock:
    """The last clock of a kind."""
    return Clock.objects.filter(handoff_id=handoff.pk, kind=kind).latest("id")


def outcomes(handoff: Handoff, kind: Target.Kind) -> list[str]:
    clocks = Clock.objects.filter(handoff_id=handoff.pk, kind=kind)
    return list(clocks.order_by("id").values_list("outcome", flat=True))


def running(handoff: Handoff) -> set[str]:
    clocks = Clock.objects.running().filter(handoff_id=handoff.pk)
    return set(clocks.values_list("kind", flat=True))


# --- The rep is told -----------------------------------------------------------------------------


def test_whoever_gets_it_at_once_is_told_at_once(handoff: Handoff, now: datetime) -> None:
    told = clock(handoff, Kind.NOTIFICATION)

    assert (told.outcome, told.stopped_at, told.wall_seconds) == ("done", now, 0)
    assert told.state(now + DAY) == Clock.State.MET
    assert running(handoff) == {"crm_transfer", "opened", "decision", "first_contact"}


def test_in_the_overflow_queue_nobody_is_told_until_somebody_takes_it(
    waiting: Handoff, bdr: User, now: datetime
) -> None:
    assert Kind.NOTIFICATION in running(waiting)

    claim_handoff(waiting, by=bdr, now=now + 20 * MINUTE)

    told = clock(waiting, Kind.NOTIFICATION)
    assert (told.outcome, told.stopped_at, told.wall_seconds) == ("done", now + 20 * MINUTE, 20 * 60)
    assert outcomes(waiting, Kind.NOTIFICATION) == ["done"]
    logged = LeadEvent.objects.get(kind=LeadEvent.Kind.CLOCK_STOPPED, detail__target=Kind.NOTIFICATION)
    assert logged.detail["in_time"]


def test_back_in_the_overflow_queue_somebody_has_yet_to_be_told(
    handoff: Handoff, manager: User, bdr: User, now: datetime
) -> None:
    reassign_handoff(handoff, to=None, by=manager, reason="Away", now=now + HOUR)
    assert clock(handoff, Kind.NOTIFICATION).due_at == now + HOUR + 30 * MINUTE

    reassign_handoff(handoff, to=bdr, by=manager, reason="Back", now=now + 2 * HOUR)

    assert outcomes(handoff, Kind.NOTIFICATION) == ["done", "done"]
    assert clock(handoff, Kind.NOTIFICATION).breach_recorded_at == now + 2 * HOUR


def test_a_claim_taken_back_leaves_it_to_be_told(waiting: Handoff, bdr: User, now: datetime) -> None:
    accept_handoff(waiting, by=bdr, now=now + MINUTE)

    undo_acceptance(waiting, by=bdr, now=now + MINUTE + SECOND)

    assert running(waiting) == {"crm_transfer", "notification", "opened", "decision", "first_contact"}
    assert outcomes(waiting, Kind.NOTIFICATION) == ["running"]


def test_no_countdown_of_a_rep_shows_what_the_portal_promises(waiting: Handoff, now: datetime) -> None:
    Clock.objects.filter(kind__in=(Kind.OPENED, Kind.DECISION)).delete()

    row = Handoff.objects.with_next_due().get(pk=waiting.pk)

    assert (row.next_due_kind, row.next_due_at) == (Kind.FIRST_CONTACT, now + HOUR)


# --- Attempts ------------------------------------------------------------------------------------


def test_attempts_are_promised_from_the_acceptance_on(accepted: Handoff, accepted_at: datetime) -> None:
    promised = clock(accepted, Kind.CADENCE)

    assert (promised.started_at, promised.due_at) == (accepted_at, accepted_at + 2 * DAY)
    assert (promised.attempts_needed, promised.category) == (3, accepted.category)
    assert (promised.owner, promised.source) == (accepted.owner, "Webinar")
    assert promised.policy_version == clock(accepted, Kind.OPENED).policy_version


def test_the_promise_is_kept_with_the_last_attempt_it_asks_for(
    accepted: Handoff, accepted_at: datetime
) -> None:
    for hours in (1, 2):
        attempt(accepted, accepted_at + hours * HOUR)
    assert Kind.CADENCE in running(accepted)

    attempt(accepted, accepted_at + 3 * HOUR)

    assert clock(accepted, Kind.CADENCE).stopped_at == accepted_at + 3 * HOUR


def test_somebody_reached_ends_the_attempts_before(accepted: Handoff, accepted_at: datetime) -> None:
    attempt(accepted, accepted_at + HOUR, "connected")

    assert clock(accepted, Kind.CADENCE).outcome == Clock.Outcome.DONE


def test_a_new_owner_has_to_try_as_often_again(
    accepted: Handoff, bdr: User, other_bdr: User, manager: User, accepted_at: datetime
) -> None:
    for hours in (1, 2):
        attempt(accepted, accepted_at + hours * HOUR)
    other = other_bdr if accepted.owner == bdr else bdr
    reassign_handoff(accepted, to=other, by=manager, reason="Balance", now=accepted_at + DAY)
    assert clock(accepted, Kind.CADENCE).attempts_needed == 3

    for hours in (1, 2):
        attempt(accepted, accepted_at + DAY + hours * HOUR)
    assert outcomes(accepted, Kind.CADENCE) == ["cancelled", "running"]
    attempt(accepted, accepted_at + DAY + 3 * HOUR)

    assert outcomes(accepted, Kind.CADENCE) == ["cancelled", "done"]


def test_an_acceptance_taken_back_promises_nothing_and_the_next_one_does(
    accepted: Handoff, accepted_at: datetime
) -> None:
    undo_acceptance(accepted, by=accepted.owner, now=accepted_at + SECOND)
    assert running(accepted) == {"crm_transfer", "opened", "decision", "first_contact"}

    accept_handoff(accepted, by=accepted.owner, now=accepted_at + MINUTE)

    assert outcomes(accepted, Kind.CADENCE) == ["cancelled", "running"]
    assert clock(accepted, Kind.CADENCE).started_at == accepted_at + MINUTE


def test_what_a_policy_does_not_promise_is_not_measured(pool: Pool, now: datetime) -> None:
    plain = offer(ready_lead(now=now), now=now)

    accept_handoff(plain, by=plain.owner, now=now + MINUTE)
    attempt(plain, now + HOUR, "connected")

    assert not Clock.objects.filter(kind__in=(Kind.CADENCE, Kind.QUALITY_CHECK)).exists()


# --- The check after the first conversation ------------------------------------------------------


def test_the_first_conversation_asks_for_a_check_and_later_ones_do_not(
    accepted: Handoff, accepted_at: datetime
) -> None:
    attempt(accepted, accepted_at + HOUR)
    assert Kind.QUALITY_CHECK not in running(accepted)

    attempt(accepted, accepted_at + 2 * HOUR, "connected")
    judge(accepted, accepted_at + 3 * HOUR)
    attempt(accepted, accepted_at + 4 * HOUR, "connected")

    assert outcomes(accepted, Kind.QUALITY_CHECK) == ["done"]
    check = clock(accepted, Kind.QUALITY_CHECK)
    assert (check.started_at, check.stopped_at) == (accepted_at + 2 * HOUR, accepted_at + 3 * HOUR)


# --- The return of a bad lead --------------------------------------------------------------------


@pytest.mark.parametrize(("took", "state"), [(2 * HOUR, "met"), (25 * HOUR, "missed")])
def test_the_return_of_a_lead_never_tried_is_measured_from_the_offer(
    handoff: Handoff, now: datetime, took: timedelta, state: str
) -> None:
    assert Kind.RETURN not in running(handoff)

    give_back(handoff, now + took)

    returned = clock(handoff, Kind.RETURN)
    assert (returned.started_at, returned.due_at) == (now, now + DAY)
    assert (returned.stopped_at, returned.state(now + 9 * DAY)) == (now + took, state)
    assert (returned.breach_recorded_at is not None) == (state == "missed")
    assert running(handoff) == set()


def test_who_reached_the_lead_gives_it_back_in_time_counted_from_then(
    accepted: Handoff, now: datetime
) -> None:
    attempt(accepted, now + 20 * HOUR)
    attempt(accepted, now + 30 * HOUR, "connected")
    attempt(accepted, now + 50 * HOUR, "connected")

    give_back(accepted, now + 53 * HOUR)

    returned = clock(accepted, Kind.RETURN)
    assert (returned.started_at, returned.due_at) == (now + 30 * HOUR, now + 54 * HOUR)
    assert returned.state(now + 9 * DAY) == "met"


def test_the_return_of_a_lead_tried_in_vain_is_not_measured(accepted: Handoff, now: datetime) -> None:
    attempt(accepted, now + HOUR)
    attempt(accepted, now + 20 * HOUR, "bounced")

    give_back(accepted, now + 40 * HOUR)

    assert outcomes(accepted, Kind.RETURN) == []


def test_what_an_earlier_owner_heard_counts_for_nobody_after_them(
    accepted: Handoff, other_bdr: User, manager: User, now: datetime
) -> None:
    attempt(accepted, now + HOUR, "connected")
    accepted.refresh_from_db()
    moved_at = now + 30 * HOUR
    moved = reassign_handoff(accepted, to=other_bdr, by=manager, reason="Holidays", now=moved_at)

    give_back(moved, moved_at + HOUR)

    returned = clock(accepted, Kind.RETURN)
    assert (returned.started_at, returned.owner) == (moved_at, other_bdr)


def test_a_return_taken_back_was_neither_in_time_nor_late(
    accepted: Handoff, now: datetime, accepted_at: datetime
) -> None:
    give_back(accepted, now + 25 * HOUR)

    undo_rejection(accepted, by=accepted.owner, now=now + 25 * HOUR + SECOND)

    returned = clock(accepted, Kind.RETURN)
    assert (returned.outcome, returned.breach_recorded_at) == (Clock.Outcome.CANCELLED, None)
    assert running(accepted) == {"crm_transfer", "first_contact", "cadence"}
    assert clock(accepted, Kind.CADENCE).due_at == accepted_at + 2 * DAY


def test_nobody_is_late_with_what_waited_for_anybody(waiting: Handoff, manager: User, now: datetime) -> None:
    give_back(waiting, now + 2 * DAY, by=manager)

    assert outcomes(waiting, Kind.RETURN) == []


def test_a_late_return_has_nothing_left_to_escalate_so_people_are_told_at_once(
    pool: Pool, manager: User, now: datetime
) -> None:
    steps = (StepPreset(EscalationStep.Action.REMIND), StepPreset(EscalationStep.Action.NOTIFY_MANAGER))
    (policy,) = EVERY_KIND.policies
    with_ladder = replace(EVERY_KIND, policies=(replace(policy, steps=steps),))
    load_sla_preset(with_ladder, by=None, now=now)
    handoff = offer(ready_lead(now=now), now=now)

    give_back(handoff, now + 25 * HOUR)

    returned = clock(handoff, Kind.RETURN)
    assert returned.next_step_at is None
    told = Notification.objects.filter(dedupe_key=f"breach-{returned.pk}")
    assert set(told.values_list("recipient", flat=True)) == {manager.pk, returned.owner_id}
