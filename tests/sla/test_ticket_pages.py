"""SLA-6: the pages and the API of tickets: who sees which, answers, passing on, CSV, and what they cost."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import ApiToken, User
from accounts.tokens import issue_token
from sla.models import AlarmSetting, Ticket
from sla.ticket_list import PAGE_ROWS
from tests.factories import LeadFactory
from tests.sla.alarm_settings import set_alarm
from tests.sla.factories import ClockFactory

URL = "/api/v1/sla/tickets/"
HOUR = timedelta(hours=1)


def ticket_of(owner: User, *, key: str = "handoff-1", late: bool = False, **fields) -> Ticket:
    now = timezone.now()
    due_at = now - HOUR if late else now + HOUR
    given = {
        "alarm": Ticket.Alarm.NO_ACTIVITY,
        "title": f"Nothing happens on {key}",
        "url": "/queue/",
        "opened_at": now - 2 * HOUR,
        "due_at": due_at,
        "told_at": now,
    }
    return Ticket.objects.create(owner=owner, subject_key=key, **(given | fields))


def closed_ticket(owner: User, **fields) -> Ticket:
    now = timezone.now()
    return ticket_of(owner, closed_at=now, closed_by=owner, answer="Called them", **fields)


def names(response) -> list[str]:
    return [ticket.subject_key for ticket in response.context["page"].rows]


# --- The list -------------------------------------------------------------------------------------


def test_tabs_show_what_is_open_late_mine_and_closed(client, manager, bdr):
    ticket_of(bdr, key="later")
    ticket_of(bdr, key="late", late=True)
    ticket_of(manager, key="mine")
    closed_ticket(bdr, key="done")
    client.force_login(manager)

    shown = {tab: names(client.get("/sla/tickets/", {"tab": tab})) for tab in ("", "late", "mine", "closed")}

    assert shown == {"": ["late", "later", "mine"], "late": ["late"], "mine": ["mine"], "closed": ["done"]}


def test_reps_see_their_own_and_others_all(client, bdr, other_bdr, reader):
    ticket_of(bdr, key="own")
    other = ticket_of(other_bdr, key="other")
    client.force_login(bdr)
    own = names(client.get("/sla/tickets/"))
    foreign = client.get(f"/sla/tickets/{other.pk}/").status_code
    client.force_login(reader)

    assert (own, foreign) == (["own"], 404)
    assert names(client.get("/sla/tickets/")) == ["own", "other"]


def test_pages_follow_each_other_without_gap_or_repetition(client, manager):
    for number in range(PAGE_ROWS + 3):
        ticket_of(manager, key=f"{number}")
    client.force_login(manager)

    first = client.get("/sla/tickets/")
    second = client.get("/sla/tickets/", {"after": first.context["page"].next_key})

    assert len(names(first)) == PAGE_ROWS
    assert sorted(names(first) + names(second), key=int) == [str(number) for number in range(PAGE_ROWS + 3)]


@pytest.mark.parametrize("query", ["tab=nothing", "alarm=fire", "after=soon"])
def test_what_cannot_be_shown_is_said(client, manager, query):
    client.force_login(manager)

    assert client.get(f"/sla/tickets/?{query}").status_code == 422


def test_the_list_costs_the_same_whatever_its_length(client, manager, bdr, django_assert_num_queries):
    ticket_of(manager, lead=LeadFactory())
    client.force_login(manager)
    client.get("/sla/tickets/")
    for number in range(5):
        ticket_of(bdr, key=f"{number}", lead=LeadFactory())

    with django_assert_num_queries(5):  # session and person, counts, tickets, team, side bar
        client.get("/sla/tickets/")


def test_the_csv_holds_what_the_tab_shows(client, manager, bdr):
    lead = LeadFactory(first_name="=Eva", last_name="Sum")
    ticket_of(bdr, key="handoff-7", lead=lead)
    closed_ticket(bdr, key="done")
    client.force_login(manager)

    content = b"".join(client.get("/sla/tickets.csv").streaming_content).decode()

    (row,) = csv.DictReader(io.StringIO(content))
    assert (row["alarm"], row["lead"], row["subject"]) == ("No activity", "'=Eva Sum", "handoff-7")


def test_the_side_bar_counts_the_tickets_one_has_to_answer(client, manager, bdr):
    ticket_of(manager, key="one")
    ticket_of(manager, key="two")
    ticket_of(bdr, key="three")
    client.force_login(manager)

    page = client.get("/leads/").content.decode()

    assert '<span class="count count-on">2<span class="visually-hidden"> to answer</span></span>' in page


def test_the_live_board_says_how_many_wait_and_are_late(client, manager, bdr):
    ClockFactory(owner=bdr, started_at=timezone.now())
    ticket_of(bdr, key="one")
    client.force_login(manager)
    before = client.get("/sla/", headers={"HX-Request": "true"})
    ticket_of(bdr, key="two", late=True)
    after = client.get("/sla/", headers={"HX-Request": "true"})

    assert (after.context["board"].tickets.open, after.context["board"].tickets.late) == (2, 1)
    assert before["ETag"] != after["ETag"]


# --- One ticket -----------------------------------------------------------------------------------


def test_answering_closes_it_and_keeps_the_words(client, bdr):
    ticket = ticket_of(bdr)
    client.force_login(bdr)

    response = client.post(f"/sla/tickets/{ticket.pk}/", {"answer": "Called them, <b>they</b> wait"})

    ticket.refresh_from_db()
    assert response.status_code == 302
    assert (ticket.closed_by, ticket.answer) == (bdr, "Called them, <b>they</b> wait")
    assert "&lt;b&gt;they" in client.get(f"/sla/tickets/{ticket.pk}/").content.decode()


def test_an_answer_without_words_is_asked_for_again(client, bdr):
    ticket = ticket_of(bdr)
    client.force_login(bdr)

    response = client.post(f"/sla/tickets/{ticket.pk}/", {"answer": " "})

    assert response.status_code == 422
    assert "Say in a few words what came of it." in response.content.decode()


def test_who_comes_too_late_reads_who_was_quicker(client, bdr, manager):
    ticket = closed_ticket(bdr)
    client.force_login(manager)

    response = client.post(f"/sla/tickets/{ticket.pk}/", {"answer": "I did"})

    assert response.status_code == 409
    assert "Mara Lind has closed this: Called them" in response.content.decode()


def test_readers_look_but_do_not_answer(client, bdr, reader):
    ticket = ticket_of(bdr)
    client.force_login(reader)

    page = client.get(f"/sla/tickets/{ticket.pk}/").content.decode()

    assert "Mara Lind and managers answer this." in page
    assert client.post(f"/sla/tickets/{ticket.pk}/", {"answer": "x"}).status_code == 403
    assert Ticket.objects.open().count() == 1


def test_a_manager_passes_it_on_only_to_who_can_answer(client, bdr, other_bdr, manager, reader):
    ticket = ticket_of(bdr)
    client.force_login(manager)

    refused = client.post(f"/sla/tickets/{ticket.pk}/pass-on/", {"to": reader.pk})
    passed = client.post(f"/sla/tickets/{ticket.pk}/pass-on/", {"to": other_bdr.pk})

    ticket.refresh_from_db()
    assert (refused.status_code, passed.status_code) == (422, 302)
    assert ticket.owner == other_bdr


# --- The API --------------------------------------------------------------------------------------


def api(person: User) -> APIClient:
    scopes = [ApiToken.Scope.READ, ApiToken.Scope.WORK]
    issued = issue_token(person, name="test", scopes=scopes, now=timezone.now())
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {issued.secret}")
    return client


def test_the_api_lists_what_one_may_see_and_filters(bdr, other_bdr):
    ticket_of(bdr, key="open")
    ticket_of(bdr, key="late", late=True)
    closed_ticket(bdr, key="closed")
    ticket_of(other_bdr, key="foreign")

    caller = api(bdr)

    def keys(query: str) -> set[str]:
        return {row["subject_key"] for row in caller.get(f"{URL}{query}").json()["results"]}

    assert keys("") == {"open", "late", "closed"}
    assert keys("?open=true") == {"open", "late"}
    assert keys("?late=true") == {"late"}
    assert keys("?alarm=crm_failing") == set()


def test_the_api_closes_once_and_says_who_was_quicker(bdr, manager):
    address = f"{URL}{ticket_of(bdr).pk}/close/"
    body = {"answer": "Called them"}

    closed, again = (api(bdr).post(address, body, format="json") for _ in range(2))
    other = api(manager).post(address, body, format="json")

    assert (closed.status_code, again.status_code, other.status_code) == (200, 200, 409)
    assert closed.json()["closed_by"] == "mara"
    assert other.json()["code"] == "ticket_closed"


# --- The admin ------------------------------------------------------------------------------------


def test_managers_set_when_an_alarm_asks(client, manager):
    setting = set_alarm(Ticket.Alarm.NOT_OPENED)
    address = f"/admin/sla/alarmsetting/{setting.pk}/change/"
    client.force_login(manager)

    client.post(address, {"is_active": "on", "after_minutes": "30", "answer_minutes": "90"})
    refused = client.post(address, {"is_active": "on", "after_minutes": "30", "answer_minutes": "0"})

    setting.refresh_from_db()
    assert (setting.after_minutes, setting.answer_minutes) == (30, 90)
    assert "Give 1 minute or more." in refused.content.decode()


def test_silence_needs_a_number_and_what_is_told_at_once_has_none_to_set(client, manager):
    silence = set_alarm(Ticket.Alarm.NO_ACTIVITY, after_minutes=60)
    at_once = set_alarm(Ticket.Alarm.ESCALATED)
    client.force_login(manager)

    refused = client.post(
        f"/admin/sla/alarmsetting/{silence.pk}/change/", {"is_active": "on", "answer_minutes": "90"}
    )
    page = client.get(f"/admin/sla/alarmsetting/{at_once.pk}/change/").content.decode()

    assert "Say after how many minutes of silence" in refused.content.decode()
    assert AlarmSetting.objects.get(pk=silence.pk).after_minutes == 60
    assert 'name="after_minutes"' not in page
