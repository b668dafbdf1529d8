"""SLA-6: what alarms find about handoffs, once, and what closes their tickets by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import User
from handoffs.alarms import raise_alarms
from handoffs.contact.planning import plan_contact
from handoffs.contact.services import record_attempt
from handoffs.models import Handoff
from handoffs.routing.reassignment import reassign_handoff
from handoffs.services import accept_handoff, record_opened, withdraw_handoff
from sla.incidents import declare_incident
from sla.models import Clock, Target, Ticket
from sla.pauses import pause_clock
from sla.sweep import sweep_clocks
from sla.tickets import close_ticket, open_ticket
from tests.desk import offer, ready_lead
from tests.factories import HandoffFactory
from tests.sla.alarm_settings import set_alarm
from tests.sla.factories import ClockFactory

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
Alarm = Ticket.Alarm


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """In March 2026; the 3rd is a Tuesday, the desk works from 10 to 18."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


@pytest.fixture(autouse=True)
def alarms(db) -> None:
    set_alarm(Alarm.NOT_OPENED, after_minutes=60, answer_minutes=120)
    set_alarm(Alarm.NO_ACTIVITY, after_minutes=240, answer_minutes=120)
    set_alarm(Alarm.CADENCE_ABANDONED, after_minutes=None, answer_minutes=120)


def open_tickets() -> list[str]:
    return list(Ticket.objects.open().order_by("id").values_list("alarm", flat=True))


def answers() -> list[tuple[str, User | None]]:
    return [(ticket.answer, ticket.closed_by) for ticket in Ticket.objects.closed().order_by("id")]


def sweep(now: datetime) -> int:
    sweep_clocks(now=now)
    return raise_alarms(now=now)


# --- Not opened in time ---------------------------------------------------------------------------


def test_what_is_not_opened_in_time_becomes_a_ticket_of_the_manager_once(handoff, manager):
    """Offered at 12:00, to be opened by 12:15, and an hour later somebody asks."""
    early, due, again = (sweep(at(3, 13, minute)) for minute in (14, 15, 16))

    ticket = Ticket.objects.get()
    assert (early, due, again) == (0, 1, 0)
    assert (ticket.alarm, ticket.owner, ticket.lead) == (Alarm.NOT_OPENED, manager, handoff.lead)
    assert ticket.title == f"Not opened in time: {handoff.lead.name}, {handoff.lead.company}"
    assert ticket.url == handoff.get_absolute_url()
    assert ticket.due_at == at(3, 15, 15)


def test_the_hour_is_one_of_working_time(pool):
    """Missed at 17:45: a quarter of an hour is left of Tuesday, three are Wednesday's."""
    offer(ready_lead(now=at(3, 17, 30)), now=at(3, 17, 30))

    assert (sweep(at(3, 22)), sweep(at(4, 10, 44)), sweep(at(4, 10, 45))) == (0, 0, 1)


def test_a_ticket_closes_by_itself_when_the_handoff_is_opened(handoff):
    sweep(at(3, 13, 15))
    record_opened(handoff, by=handoff.owner, now=at(3, 13, 20))

    sweep(at(3, 13, 21))

    assert answers() == [("Opened meanwhile.", None)]
    assert open_tickets() == []


def test_what_somebody_has_answered_is_not_asked_again(handoff, manager):
    sweep(at(3, 13, 15))
    close_ticket(Ticket.objects.get(), answer="She is on it", by=manager, now=at(3, 13, 30))

    assert sweep(at(4, 13)) == 0


def test_withdrawing_the_handoff_closes_its_ticket(handoff, marketing):
    sweep(at(3, 13, 15))
    withdraw_handoff(handoff, reason="Sent by mistake", by=marketing, now=at(3, 13, 20))

    sweep(at(3, 13, 21))

    assert answers() == [("The handoff has ended, or went to somebody else.", None)]


def test_when_an_incident_moves_the_deadline_the_ticket_closes_and_may_come_again(handoff):
    sweep(at(3, 13, 15))
    clock = Clock.objects.filter(handoff_id=handoff.pk, kind=Target.Kind.OPENED)
    clock.update(due_at=at(3, 14), breach_recorded_at=None, next_step_at=None)

    excused, missed_again = sweep(at(3, 13, 30)), sweep(at(3, 15))

    assert answers() == [("It is in time again: its deadline was moved.", None)]
    assert (excused, missed_again) == (0, 1)


def test_nobody_reviews_what_an_incident_has_excused(handoff, manager):
    sweep(at(3, 12, 16))
    open_ticket(
        alarm=Alarm.ESCALATED, subject_key=f"handoff-{handoff.pk}", title="Opened overdue", url="/",
        lead=handoff.lead, team_id=None, now=at(3, 12, 16),
    )  # fmt: skip
    sweep(at(3, 12, 17))
    assert open_tickets() == [Alarm.ESCALATED]

    declare_incident(
        what="E-mail was down", started_at=at(3, 12), ended_at=at(3, 12, 15), by=manager, now=at(3, 12, 18)
    )
    sweep(at(3, 12, 19))

    assert answers() == [("It is in time again: its deadline was moved.", None)]


def test_an_alarm_that_is_switched_off_looks_at_nothing(handoff):
    set_alarm(Alarm.NOT_OPENED, is_active=False)

    assert sweep(at(3, 15)) == 0


def test_without_a_manager_the_next_sweep_tries_again(handoff, manager):
    User.objects.filter(pk=manager.pk).update(is_active=False)
    nobody = sweep(at(3, 13, 15))
    User.objects.filter(pk=manager.pk).update(is_active=True)

    assert (nobody, sweep(at(3, 13, 16))) == (0, 1)


# --- Nothing happens ------------------------------------------------------------------------------


@pytest.fixture
def accepted(handoff, now) -> Handoff:
    """At 12:00 on Tuesday: four working hours later is 16:00."""
    return accept_handoff(handoff, by=handoff.owner, now=now)


def test_what_was_accepted_and_is_not_worked_becomes_a_ticket(accepted, manager):
    early, due, again = (
        raise_alarms(now=at(3, 15, 59)),
        raise_alarms(now=at(3, 16)),
        raise_alarms(now=at(4, 9)),
    )

    assert (early, due, again) == (0, 1, 0)
    assert Ticket.objects.get().title.startswith("Accepted, and nothing happens: ")


def test_an_attempt_is_activity_and_closes_the_ticket(accepted):
    raise_alarms(now=at(3, 16))
    record_attempt(accepted, channel="call", outcome="voicemail", by=accepted.owner, now=at(3, 16, 5))

    raise_alarms(now=at(3, 16, 6))

    assert answers() == [("An attempt was made meanwhile.", None)]
    assert raise_alarms(now=at(9, 12)) == 0


def test_a_plan_is_waited_for_and_then_counts_as_the_beginning_of_silence(accepted):
    plan_contact(accepted, at=at(3, 17), channel="call", by=accepted.owner, now=at(3, 13))

    # An hour of Tuesday is left after it, and three are Wednesday's.
    assert (raise_alarms(now=at(3, 18)), raise_alarms(now=at(4, 12, 59)), raise_alarms(now=at(4, 13))) == (
        0,
        0,
        1,
    )


def test_planning_the_next_contact_closes_the_ticket(accepted):
    raise_alarms(now=at(3, 16))
    plan_contact(accepted, at=at(4, 11), channel="call", by=accepted.owner, now=at(3, 16, 5))

    raise_alarms(now=at(3, 16, 6))

    assert answers() == [("The next contact is planned now.", None)]


def test_after_an_answer_the_same_silence_is_asked_about_again_later(accepted, manager):
    raise_alarms(now=at(3, 16))
    close_ticket(Ticket.objects.get(), answer="He calls tonight", by=manager, now=at(3, 16, 30))

    # One and a half hours of Tuesday, two and a half of Wednesday.
    assert (raise_alarms(now=at(4, 12, 29)), raise_alarms(now=at(4, 12, 30))) == (0, 1)


def test_waiting_on_the_lead_is_no_silence(accepted):
    clock = Clock.objects.get(handoff_id=accepted.pk, kind=Target.Kind.FIRST_CONTACT)
    pause_clock(clock, reason="On holiday until Monday", by=accepted.owner, now=at(3, 13))

    assert (raise_alarms(now=at(3, 16)), raise_alarms(now=at(4, 16))) == (0, 0)


def test_a_new_owner_has_the_whole_time(accepted, bdr, other_bdr, manager):
    raise_alarms(now=at(3, 16))
    other = other_bdr if accepted.owner == bdr else bdr
    reassign_handoff(accepted, to=other, by=manager, now=at(3, 16, 5), reason="Ill")

    raise_alarms(now=at(3, 16, 6))

    assert answers() == [("Somebody else has it now.", None)]
    assert (raise_alarms(now=at(4, 12, 4)), raise_alarms(now=at(4, 12, 5))) == (0, 1)


def test_looking_costs_the_same_for_many_and_what_was_looked_at_waits(
    accepted, bdr, django_assert_num_queries, now
):
    def accepted_ones(number: int) -> None:
        HandoffFactory.create_batch(number, status="accepted", accepted_at=now, accepted_by=bdr, owner=bdr)

    accepted_ones(2)
    with django_assert_num_queries(19):
        raise_alarms(now=at(3, 13))
    accepted_ones(9)
    with django_assert_num_queries(19):
        raise_alarms(now=at(3, 13, 1))

    assert not Handoff.objects.filter(status="accepted", activity_check_at__lte=at(3, 15, 59)).exists()


# --- Attempts given up ----------------------------------------------------------------------------


def test_a_missed_cadence_is_asked_about_and_the_last_attempt_closes_it(accepted, manager, now):
    cadence = ClockFactory(
        handoff_id=accepted.pk, lead=accepted.lead, owner=accepted.owner, kind=Target.Kind.CADENCE,
        attempts_needed=3, started_at=now,
    )  # fmt: skip
    found = sweep(at(3, 13, 1))
    Clock.objects.filter(pk=cadence.pk).update(outcome="done", stopped_at=at(3, 14))

    sweep(at(3, 14, 1))

    assert found == 1
    assert answers() == [("The attempts were made meanwhile.", None)]
