"""/leads/: find anybody, see where they stand; pages by key."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client

from accounts.models import User
from handoffs.models import Handoff
from handoffs.queue import views_leads
from leads.models import Lead
from tests.factories import CompanyFactory, LeadFactory


@pytest.fixture
def as_reader(client: Client, reader: User) -> Client:
    client.force_login(reader)
    return client


def found(response) -> list[str]:
    return [row.name for row in response.context["rows"]]


def test_strangers_are_sent_to_sign_in(client: Client, db: None) -> None:
    assert client.get("/leads/").url == "/login/?next=/leads/"


@pytest.mark.parametrize("cast", ["bdr", "marketing", "manager", "operator", "reader"])
def test_every_role_may_look(client: Client, cast: str, request: pytest.FixtureRequest) -> None:
    client.force_login(request.getfixturevalue(cast))

    assert client.get("/leads/").status_code == 200


def test_a_bdr_sees_their_teams_leads_only(client: Client, bdr: User, stranger: User) -> None:
    LeadFactory(first_name="Ours", last_name="", team=bdr.team)
    LeadFactory(first_name="Theirs", last_name="", team=stranger.team)
    LeadFactory(first_name="Nobodys", last_name="")
    client.force_login(bdr)

    assert found(client.get("/leads/")) == ["Ours"]


@pytest.mark.parametrize("text", ["ana", "ANA WEIS", "weis ana", "ana@", "kessel", "ana kess"])
def test_name_address_and_company_are_searched(as_reader: Client, text: str) -> None:
    LeadFactory(
        first_name="Ana",
        last_name="Weisz",
        email="ana@kessel.example",
        company=CompanyFactory(name="Kessel & Sohn"),
    )
    LeadFactory(first_name="Bo", last_name="Lund")

    assert found(as_reader.get("/leads/", {"q": text})) == ["Ana Weisz"]


@pytest.mark.parametrize(
    ("text", "found_by"),
    [
        ("maria anna", "a further word may stand within the name"),
        ("berg van", "and so may the first of two"),
        ("sohn kessel", "in the company as well"),
        ("kessel.ex", "the domain of the company begins so"),
    ],
)
def test_one_word_must_begin_something_and_the_others_occur(
    as_reader: Client, text: str, found_by: str
) -> None:
    company = CompanyFactory(name="Kessel & Sohn", domain="kessel.example")
    LeadFactory(first_name="Anna Maria", last_name="van der Berg", email="amb@mail.example", company=company)

    names = found(as_reader.get("/leads/", {"q": text}))

    assert names == (["Anna Maria van der Berg"] if text != "kessel.ex" else []), found_by


def test_percent_and_underscore_are_letters_not_wildcards(as_reader: Client) -> None:
    LeadFactory()

    assert found(as_reader.get("/leads/", {"q": "%"})) == []
    assert found(as_reader.get("/leads/", {"q": "_ea"})) == []


@pytest.mark.parametrize("query", ["q=%00", "stage=nowhere", "category=Z", "q=" + "x" * 101])
def test_a_filter_that_makes_no_sense_is_named(as_reader: Client, query: str) -> None:
    response = as_reader.get(f"/leads/?{query}")

    assert response.status_code == 422
    assert "That filter was left out" in response.content.decode()


def test_nobody_found_says_what_to_try(as_reader: Client) -> None:
    assert b"Nobody found" in as_reader.get("/leads/?q=zzz").content


def test_no_leads_at_all_says_where_they_come_from(as_reader: Client) -> None:
    assert b"No leads yet" in as_reader.get("/leads/").content


def test_pages_by_key_show_every_lead_once(
    as_reader: Client, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views_leads, "PAGE_SIZE", 3)
    for minutes in (1, 2, 2, 2, 3, 4, 5):  # equal times straddle the edge of a page
        LeadFactory(created_at=now - timedelta(minutes=minutes))
    shown: list[str] = []
    query = ""

    while True:
        response = as_reader.get(f"/leads/{query}")
        shown += found(response)
        next_key = response.context["page"].next_key
        if not next_key:
            break
        assert f"after={next_key.replace(':', '%3A').replace('+', '%2B')}" in response.content.decode()
        query = "?after=" + next_key.replace("+", "%2B")

    newest_first = Lead.objects.order_by("-created_at", "-pk")
    assert shown == [lead.name for lead in newest_first]


@pytest.mark.parametrize(
    "key", ["x", "2026-01-01~1", "2026-01-01T00:00:00+00:00~x", "~", "2026-01-01T00:00:00+00:00~" + "9" * 30]
)
def test_a_key_nobody_gave_out_is_refused_with_a_sentence(as_reader: Client, key: str) -> None:
    response = as_reader.get("/leads/", {"after": key})

    assert response.status_code == 422
    assert b"Start again from the first page" in response.content


def test_the_open_handoff_stands_beside_the_lead(client: Client, handoff: Handoff) -> None:
    client.force_login(handoff.owner)

    assert f'href="/handoffs/{handoff.pk}/"' in client.get("/leads/").content.decode()


@pytest.mark.parametrize("leads", [1, 6])
def test_the_number_of_queries_does_not_grow(
    as_reader: Client, leads: int, django_assert_num_queries
) -> None:
    LeadFactory.create_batch(leads)

    with django_assert_num_queries(6):  # session, person, keys, rows, saved views, unread
        as_reader.get("/leads/")
