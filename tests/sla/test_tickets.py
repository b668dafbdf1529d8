"""SLA-6: tickets are opened once, heard of in working hours, answered by somebody, reminded of when late."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from accounts.models import Absence, User
from common.errors import InvalidInput, NotAllowed
from notifications.models import Notification
from sla.models import Calendar, Ticket
from sla.ticket_telling import remind_of_late_tickets, tell_owners
from sla.tickets import (
    Finding,
    TicketClosed,
    close_needless,
    close_ticket,
    open_ticket,
    open_tickets,
    reassign_ticket,
)
from tests.factories import LeadFactory, UserFactory
from tests.sla.alarm_settings import set_alarm
from tests.sla.factories import CalendarFactory

HOUR = timedelta(hours=1)
NIGHT = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)
Alarm = Ticket.Alarm


def opened(
    now: datetime, *, alarm: Alarm = Alarm.ESCALATED, key: str = "handoff-1", **facts
) -> Ticket | None:
    given = {"title": "Lea Holm waits", "url": "/handoffs/1/", "lead": None, "team_id": None} | facts
    return open_ticket(alarm=alarm, subject_key=key, now=now, **given)


def told(person: User) -> list[str]:
    return list(Notification.objects.filter(recipient=person).order_by("id").values_list("title", flat=True))


# --- Opening --------------------------------------------------------------------------------------


def test_a_ticket_is_opened_once_while_it_is_open(manager, now):
    first = opened(now)
    again = opened(now + HOUR)
    other = opened(now, key="handoff-2")
    close_ticket(first, answer="Called them", by=manager, now=now + HOUR)
    anew = opened(now + 2 * HOUR)

    assert again is None
    assert list(Ticket.objects.order_by("id")) == [first, other, anew]


def test_an_alarm_that_is_switched_off_opens_nothing(manager, now):
    set_alarm(Alarm.ESCALATED, is_active=False)

    assert opened(now) is None
    assert told(manager) == []


def test_the_owner_is_told_once_and_has_the_time_of_the_setting_in_working_hours(manager, now):
    CalendarFactory(is_default=True)  # 10 to 18 in Berlin: it is 13:00 there
    set_alarm(Alarm.ESCALATED, answer_minutes=8 * 60)

    ticket = opened(now)

    assert ticket.owner == manager
    assert ticket.due_at == datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
    assert told(manager) == ["Lea Holm waits"]


def test_the_manager_of_the_team_with_the_fewest_open_tickets_gets_it(manager, team, now):
    colleague = UserFactory(role=User.Role.MANAGER, team=team)
    UserFactory(role=User.Role.MANAGER)  # of another team
    owners = [opened(now, key=f"handoff-{number}", team_id=team.pk).owner for number in range(4)]

    assert owners == [manager, colleague, manager, colleague]


def test_a_manager_who_is_away_gets_it_only_if_all_are(manager, team, now):
    present = UserFactory(role=User.Role.MANAGER, team=team)
    Absence.objects.create(user=manager, starts_at=now - HOUR, ends_at=now + HOUR)
    first = opened(now, key="one", team_id=team.pk)
    second = opened(now, key="two", team_id=team.pk)
    User.objects.filter(pk=present.pk).update(away_since=now)
    third = opened(now, key="three", team_id=team.pk)

    assert (first.owner, second.owner) == (present, present)
    assert third.owner == manager


def test_what_is_technical_goes_to_an_operator(manager, operator, now):
    assert opened(now, alarm=Alarm.CRM_FAILING).owner == operator
    assert opened(now, alarm=Alarm.ESCALATED).owner == manager


def test_without_anybody_to_give_it_to_nothing_is_opened(bdr, now):
    assert opened(now) is None


def test_many_are_opened_in_as_many_statements_as_few_and_told_in_one_message(
    manager, now, django_assert_num_queries
):
    def findings(kind: str, number: int) -> list[Finding]:
        return [
            Finding(Alarm.NOT_OPENED, f"{kind}-{each}", f"Lead {each} not opened", "/queue/", None, None)
            for each in range(number)
        ]

    with django_assert_num_queries(13):
        few = open_tickets(findings("few", 2), now=now)
    with django_assert_num_queries(13):
        many = open_tickets(findings("many", 40), now=now)

    assert (len(few), len(many)) == (2, 40)
    assert told(manager) == ["Lead 0 not opened", "Lead 1 not opened", "40 tickets to look into"]


@pytest.mark.django_db(transaction=True)
def test_sweeps_that_find_the_same_at_once_open_one_ticket_and_tell_once(now):
    manager = UserFactory(role=User.Role.MANAGER)
    together = threading.Barrier(4)
    results: list[Ticket | None] = []

    def find() -> None:
        together.wait()
        try:
            results.append(opened(now))
        finally:
            connection.close()

    threads = [threading.Thread(target=find) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len([ticket for ticket in results if ticket]) == 1
    assert Ticket.objects.count() == 1
    assert told(manager) == ["Lea Holm waits"]


# --- Telling --------------------------------------------------------------------------------------


@pytest.fixture
def office(db) -> Calendar:
    return CalendarFactory(name="Berlin office", is_default=True)


def test_nobody_hears_of_a_ticket_at_night_but_in_the_morning_and_once(manager, office):
    opened(NIGHT)
    at_night = told(manager)
    before_nine = tell_owners(now=NIGHT + 6 * HOUR)
    in_the_morning = tell_owners(now=NIGHT + 7 * HOUR)  # 10:00 in Berlin
    again = tell_owners(now=NIGHT + 8 * HOUR)

    assert at_night == []
    assert (before_nine, in_the_morning, again) == (0, 1, 0)
    assert told(manager) == ["Lea Holm waits"]


def test_that_salesforce_fails_is_heard_at_night(operator, office):
    opened(NIGHT, alarm=Alarm.CRM_FAILING)

    assert told(operator) == ["Lea Holm waits"]


def test_owner_and_managers_are_reminded_once_of_a_late_ticket(bdr, manager, now):
    ticket = opened(now, owner=bdr)
    in_time = remind_of_late_tickets(now=ticket.due_at)
    late = remind_of_late_tickets(now=ticket.due_at + HOUR)
    again = remind_of_late_tickets(now=ticket.due_at + 2 * HOUR)

    assert (in_time, late, again) == (0, 1, 0)
    assert told(bdr) == ["Lea Holm waits", "Overdue ticket: Lea Holm waits"]
    assert told(manager) == ["Overdue ticket: Lea Holm waits"]


def test_after_downtime_one_reminder_says_how_many_are_late(manager, now):
    for number in range(5):
        opened(now, key=f"handoff-{number}")

    remind_of_late_tickets(now=now + timedelta(days=30))

    assert told(manager)[-1] == "5 tickets are overdue"
    assert len(told(manager)) == 6


# --- Answering ------------------------------------------------------------------------------------


def test_closing_keeps_who_answered_what_and_when(bdr, now):
    ticket = close_ticket(opened(now, owner=bdr), answer=" Called them. ", by=bdr, now=now + HOUR)

    assert (ticket.answer, ticket.closed_by, ticket.closed_at) == ("Called them.", bdr, now + HOUR)


def test_closing_again_in_the_same_words_changes_nothing_in_other_words_is_refused(bdr, manager, now):
    ticket = close_ticket(opened(now, owner=bdr), answer="Called them.", by=bdr, now=now)

    same = close_ticket(ticket, answer="Called them.", by=bdr, now=now + HOUR)
    with pytest.raises(TicketClosed, match="Mara Lind has closed this: Called them"):
        close_ticket(ticket, answer="I did it", by=manager, now=now + HOUR)

    assert same.closed_at == now


@pytest.mark.parametrize("answer", ["", "   ", "x" * 1001], ids=["none", "blank", "too long"])
def test_an_answer_has_words_but_not_too_many(bdr, now, answer):
    ticket = opened(now, owner=bdr)

    with pytest.raises(InvalidInput) as refusal:
        close_ticket(ticket, answer=answer, by=bdr, now=now)

    assert refusal.value.field == "answer"
    assert Ticket.objects.open().count() == 1


def test_only_its_owner_and_managers_answer_and_pass_on(bdr, other_bdr, manager, marketing, now):
    ticket = opened(now, owner=bdr)

    for person in (other_bdr, marketing):
        with pytest.raises(NotAllowed, match="Only Mara Lind and managers"):
            close_ticket(ticket, answer="Done", by=person, now=now)
        with pytest.raises(NotAllowed, match="Only Mara Lind and managers"):
            reassign_ticket(ticket, to=person, by=person, now=now)
    close_ticket(ticket, answer="Done", by=manager, now=now)


def test_an_owner_who_only_reads_by_now_cannot_answer(bdr, now):
    ticket = opened(now, owner=bdr)
    bdr.role = User.Role.READ_ONLY

    with pytest.raises(NotAllowed):
        close_ticket(ticket, answer="Done", by=bdr, now=now)


def test_passing_on_tells_the_next_owner_and_keeps_the_due_time(bdr, other_bdr, manager, now):
    ticket = opened(now, owner=bdr)
    due_at = ticket.due_at

    reassign_ticket(ticket, to=other_bdr, by=manager, now=now + HOUR)
    reassign_ticket(ticket, to=other_bdr, by=manager, now=now + HOUR)

    assert (ticket.owner, ticket.due_at) == (other_bdr, due_at)
    assert told(other_bdr) == ["Lea Holm waits"]


def test_a_ticket_cannot_go_to_who_cannot_answer_it(bdr, reader, manager, now):
    with pytest.raises(InvalidInput, match="Rae Wolf cannot answer tickets"):
        reassign_ticket(opened(now, owner=bdr), to=reader, by=manager, now=now)


def test_what_needs_no_answer_any_more_closes_by_itself_and_is_not_read_as_news(bdr, manager, now):
    ticket = opened(now, owner=bdr)

    closed = close_needless(Ticket.objects.filter(pk=ticket.pk), why="Opened meanwhile.", now=now + HOUR)
    again = close_needless(Ticket.objects.filter(pk=ticket.pk), why="Gone.", now=now + 2 * HOUR)

    ticket.refresh_from_db()
    assert (closed, again) == (1, 0)
    assert (ticket.closed_by, ticket.answer, ticket.closed_at) == (None, "Opened meanwhile.", now + HOUR)
    assert told(bdr) == []
    with pytest.raises(TicketClosed, match="closed by itself: Opened meanwhile"):
        close_ticket(ticket, answer="Done", by=manager, now=now + 2 * HOUR)


def test_a_ticket_about_a_lead_goes_with_the_lead(manager, now):
    lead = LeadFactory()

    assert opened(now, lead=lead).lead == lead
