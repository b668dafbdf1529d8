"""/queue/: who sees what, most urgent first, and nothing sent when nothing changed (QUEUE-1, QUEUE-5)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from common import counting
from handoffs import queue_state
from handoffs.contact.planning import plan_contact
from handoffs.models import Handoff, Pool
from handoffs.services import accept_handoff
from leads.models import Lead
from scoring.services import score_lead
from sla.models import Clock
from tests.desk import do, offer, ready_lead
from tests.factories import HandoffFactory

FRAGMENT = {"HX-Request": "true"}


@pytest.fixture
def as_owner(client: Client, handoff: Handoff) -> Client:
    client.force_login(handoff.owner)
    return client


def names_in(response) -> list[str]:
    return [row.name for row in response.context["rows"]]


# --- Who -----------------------------------------------------------------------------------------


def test_strangers_are_sent_to_sign_in(client: Client, db: None) -> None:
    assert client.get("/queue/").url == "/login/?next=/queue/"


@pytest.mark.parametrize("cast", ["marketing", "operator", "reader"])
def test_other_roles_have_no_queue(client: Client, cast: str, request: pytest.FixtureRequest) -> None:
    client.force_login(request.getfixturevalue(cast))

    response = client.get("/queue/")

    assert response.status_code == 403
    assert b"Not open to your role" in response.content


def test_a_bdr_sees_only_their_own(client: Client, handoff: Handoff, bdr: User, other_bdr: User) -> None:
    colleague = other_bdr if handoff.owner == bdr else bdr
    client.force_login(colleague)

    assert names_in(client.get("/queue/")) == []


def test_a_bdr_of_another_team_sees_nothing_to_claim(
    client: Client, pool: Pool, lead: Lead, stranger: User, now: datetime
) -> None:
    pool.memberships.update(weekly_capacity=0)
    offer(lead, now=now)
    client.force_login(stranger)

    response = client.get("/queue/?tab=overflow")

    assert names_in(response) == []
    assert b"Nothing to claim" in response.content


def test_a_manager_sees_everybodys(client: Client, handoff: Handoff, manager: User) -> None:
    client.force_login(manager)

    assert names_in(client.get("/queue/")) == [handoff.lead.name]


# --- What ----------------------------------------------------------------------------------------


def test_a_row_says_who_why_now_and_how_long(as_owner: Client, handoff: Handoff) -> None:
    page = as_owner.get("/queue/").content.decode()

    assert "Lea Holm" in page
    assert "VP Sales · " in page
    assert "Demo request <span" in page
    assert 'Demo request <span class="strong">+50</span>' in page
    assert "Hand-raiser" in page
    due_at = Clock.objects.get(handoff_id=handoff.pk, kind="opened").due_at
    assert f'datetime="{due_at.isoformat()}" data-countdown' in page


def test_the_next_step_of_a_row_is_to_decide_and_then_to_call(
    as_owner: Client, handoff: Handoff, now: datetime
) -> None:
    """What a thumb reaches first is what comes next (QUEUE-1)."""
    offered = as_owner.get("/queue/").content.decode()
    accept_handoff(handoff, by=handoff.owner, now=now)
    accepted = as_owner.get("/queue/").content.decode()
    Lead.objects.filter(pk=handoff.lead_id).update(phone="")
    unreachable = as_owner.get("/queue/").content.decode()

    call = '<a class="btn btn-primary btn-sm" href="tel:+49 30 1234">'
    assert call not in offered
    assert call in accepted
    assert accepted.index(call) < accepted.index(">Return<")
    assert 'href="tel:' not in unreachable


def test_the_most_urgent_is_on_top(as_owner: Client, handoff: Handoff, now: datetime) -> None:
    Pool.objects.get().memberships.exclude(user=handoff.owner).update(is_active=False)
    later = offer(ready_lead(now=now, first_name="Later"), now=now + timedelta(minutes=5))
    urgent = offer(ready_lead(now=now, first_name="Urgent"), now=now + timedelta(minutes=9))
    Clock.objects.filter(handoff_id=urgent.pk, kind="opened").update(due_at=now + timedelta(minutes=10))

    assert names_in(as_owner.get("/queue/")) == ["Urgent Holm", "Lea Holm", "Later Holm"]
    assert {handoff.owner, later.owner, urgent.owner} == {handoff.owner}


def test_our_own_transfer_to_salesforce_is_no_deadline_of_the_rep(as_owner: Client, handoff: Handoff) -> None:
    row = as_owner.get("/queue/").context["rows"][0]

    assert row.next_due == "open"
    assert row.facts.next_due_at == handoff.created_at + timedelta(minutes=15)


def test_an_empty_queue_says_what_to_do(client: Client, bdr: User) -> None:
    client.force_login(bdr)

    assert b"All clear" in client.get("/queue/").content


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=lea", True),
        ("q=HOLM+lea", True),
        ("q=nordwind", True),
        ("q=lea+unknown", False),
        ("category=A", True),
        ("category=B", False),
        ("warmth=hand_raiser", True),
        ("status=accepted", False),
        ("tab=overflow", False),
    ],
)
def test_filters_are_in_the_query_string(as_owner: Client, query: str, found: bool) -> None:
    assert bool(names_in(as_owner.get(f"/queue/?{query}"))) is found


@pytest.mark.parametrize(
    "query", ["category=Z", "q=" + "x" * 101, "q=%00", "tab=none", "status=won", "q=" + "%C3%28"]
)
def test_a_filter_that_makes_no_sense_is_named_and_left_out(as_owner: Client, query: str) -> None:
    response = as_owner.get(f"/queue/?{query}")

    assert response.status_code in (200, 422)
    assert response.status_code == 200 or "That filter was left out" in response.content.decode()


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/queue/?category=Z", "“Z” is no category. Choose one of A — ready to engage, B — interested"),
        ("/queue/?status=won", "“won” is no status. Choose one of Offered, "),
        ("/queue/?tab=none", "The queue has no part “none”."),
        ("/queue/?q=" + "x" * 101, "Search for at most 100 characters."),
        ("/leads/?stage=Z", "“Z” is no stage. Choose one of Lead, MQL, "),
    ],
)
def test_a_filter_that_makes_no_sense_is_called_by_its_name(
    as_owner: Client, path: str, sentence: str
) -> None:
    response = as_owner.get(path)

    assert response.status_code == 422
    assert sentence in response.content.decode()


def test_a_filtered_list_says_how_many_match_and_offers_to_clear(as_owner: Client, handoff: Handoff) -> None:
    plain = as_owner.get("/queue/?tab=mine").content.decode()
    page = as_owner.get("/queue/?tab=mine&category=A&q=holm").content.decode()
    fragment = as_owner.get("/queue/?warmth=cold", headers={"HX-Request": "true"}).content.decode()

    assert "filters on" not in plain
    assert "1 of 1 match</p>" in page
    assert "2 filters on" in page
    assert 'id="clear-filters" href="?tab=mine"' in page
    assert "0 of 1 match</p>" in fragment
    assert "1 filter on" in fragment


@pytest.mark.parametrize("pk", ["0", "-1", "9" * 30, "x", "١"])
def test_an_address_that_selects_nothing_still_opens(as_owner: Client, pk: str) -> None:
    response = as_owner.get("/queue/", {"selected": pk})

    assert response.status_code == 200
    assert "Choose a lead" in response.content.decode()


def test_a_reload_shows_the_selected_handoff_without_opening_it(as_owner: Client, handoff: Handoff) -> None:
    page = as_owner.get(f"/queue/?selected={handoff.pk}").content.decode()

    assert f'<article class="stack" id="handoff-{handoff.pk}"' in page
    handoff.refresh_from_db()
    assert handoff.opened_at is None


# --- Tabs ----------------------------------------------------------------------------------------


def tabs_in(response) -> dict[str, int]:
    return {tab["label"]: tab["count"].value for tab in response.context["tabs"]}


def test_a_bdr_looks_at_the_team_but_not_at_everybody(
    client: Client, handoff: Handoff, bdr: User, other_bdr: User
) -> None:
    colleague = other_bdr if handoff.owner == bdr else bdr
    client.force_login(colleague)

    team = client.get("/queue/?tab=team")

    assert tabs_in(team) == {"Mine": 0, "Team": 1, "Overflow": 0}
    assert names_in(team) == ["Lea Holm"]
    assert str(handoff.owner) in team.content.decode()
    assert "data-accept " not in team.content.decode()
    everybody = client.get("/queue/?tab=all")
    assert (everybody.status_code, names_in(everybody)) == (422, [])


def test_the_team_of_a_manager_is_their_own(
    client: Client, handoff: Handoff, manager: User, stranger: User, now: datetime
) -> None:
    elsewhere = HandoffFactory(owner=stranger)
    client.force_login(manager)

    assert names_in(client.get("/queue/?tab=team")) == ["Lea Holm"]
    assert tabs_in(client.get("/queue/")) == {"Mine": 0, "Team": 1, "All": 2, "Overflow": 0}
    assert elsewhere.lead.name in names_in(client.get("/queue/"))


def test_everybodys_most_urgent_come_first_and_those_without_a_deadline_last(
    client: Client, pool: Pool, manager: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_state, "PAGE_ROWS", 4)
    undated = [HandoffFactory(category=category) for category in "CAB"]
    dated = [offer(ready_lead(now=now, first_name=f"N{n}"), now=now) for n in range(2)]
    Clock.objects.filter(handoff_id=dated[1].pk, kind="opened").update(due_at=now)
    client.force_login(manager)

    response = client.get("/queue/")

    in_order = [dated[1], dated[0], undated[1], undated[2]]
    assert [row.facts.pk for row in response.context["rows"]] == [each.pk for each in in_order]
    assert "The 4 most urgent of 5" in response.content.decode()


def test_a_filter_that_finds_more_than_a_page_says_so(
    client: Client, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_state, "PAGE_ROWS", 2)
    HandoffFactory.create_batch(2, category="A")
    HandoffFactory(category="B")
    HandoffFactory(category="A")
    client.force_login(manager)

    assert "The 2 most urgent that match" in client.get("/queue/?category=A").content.decode()
    assert "most urgent that match" not in client.get("/queue/?category=B").content.decode()


def test_a_page_that_is_full_offers_the_rest(
    client: Client, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_state, "PAGE_ROWS", 2)
    HandoffFactory.create_batch(3, category="A")
    client.force_login(manager)

    first = client.get("/queue/?category=A&q=&tab=all")
    all_of_them = client.get("/queue/?category=A&tab=all&more=1")

    assert len(first.context["rows"]) == 2
    assert 'href="?category=A&amp;tab=all&amp;more=1"' in first.content.decode()
    assert len(all_of_them.context["rows"]) == 3
    assert "Show more" not in all_of_them.content.decode()
    assert 'href="?category=A&amp;tab=overflow"' in all_of_them.content.decode()


def test_a_search_costs_the_poll_no_more_than_other_filters(
    as_owner: Client, handoff: Handoff, django_assert_num_queries
) -> None:
    for words in ("le%", "hol lea", "LEA_"):
        found = as_owner.get("/queue/", {"q": words}, headers=FRAGMENT)
        with django_assert_num_queries(3):
            again = as_owner.get("/queue/", {"q": words}, headers=FRAGMENT | {"If-None-Match": found["ETag"]})
        assert (b"Lea Holm" in found.content) == (words == "hol lea")
        assert again.status_code == 304


def test_a_row_without_a_deadline_says_when_the_next_contact_is_planned(
    as_owner: Client, handoff: Handoff, now: datetime
) -> None:
    accept_handoff(handoff, by=handoff.owner, now=now)
    Clock.objects.filter(handoff_id=handoff.pk).delete()
    plan_contact(handoff, at=now + timedelta(hours=3), channel="call", by=handoff.owner, now=now)

    page = as_owner.get("/queue/").content.decode()

    assert f'Accepted, next <time datetime="{(now + timedelta(hours=3)).isoformat()}"' in page


def test_a_paused_clock_is_no_deadline(as_owner: Client, handoff: Handoff, now: datetime) -> None:
    Clock.objects.filter(handoff_id=handoff.pk).update(paused_at=now, pause_reason="On holiday")

    assert as_owner.get("/queue/").context["rows"][0].facts.next_due_at is None


def test_counts_stop_where_they_no_longer_help(
    client: Client, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (counting, queue_state):
        monkeypatch.setattr(module, "MOST_COUNTED", 2)
    HandoffFactory.create_batch(4)
    client.force_login(manager)

    assert ">2+</span>" in client.get("/queue/").content.decode()


# --- The next one --------------------------------------------------------------------------------


def test_next_is_what_waits_for_a_decision_before_what_is_due_sooner(
    as_owner: Client, handoff: Handoff, now: datetime
) -> None:
    Pool.objects.get().memberships.exclude(user=handoff.owner).update(is_active=False)
    accepted = accept_handoff(offer(ready_lead(now=now), now=now), by=handoff.owner, now=now)
    Clock.objects.filter(handoff_id=accepted.pk, outcome="running").update(due_at=now)

    assert as_owner.get("/queue/next/").url == f"/handoffs/{handoff.pk}/"
    assert as_owner.get(f"/queue/next/?after={handoff.pk}").url == f"/handoffs/{accepted.pk}/"


def test_next_leads_to_the_queue_when_nothing_else_waits(as_owner: Client, handoff: Handoff) -> None:
    assert as_owner.get(f"/queue/next/?after={handoff.pk}").url == "/queue/"


# --- Keeping itself up to date -------------------------------------------------------------------


def test_nothing_is_sent_while_nothing_changes(as_owner: Client, django_assert_num_queries) -> None:
    first = as_owner.get("/queue/", headers=FRAGMENT)

    with django_assert_num_queries(3):  # session, person, state
        again = as_owner.get("/queue/", headers=FRAGMENT | {"If-None-Match": first["ETag"]})

    assert first.status_code == 200
    assert (again.status_code, again.content) == (304, b"")


def test_the_page_carries_the_token_of_its_rows(as_owner: Client) -> None:
    page = as_owner.get("/queue/").content.decode()
    etag = as_owner.get("/queue/", headers=FRAGMENT)["ETag"]

    assert f'data-etag="{etag.replace(chr(34), "&quot;")}"' in page


@pytest.mark.parametrize("change", ["arrival", "decision", "score", "overflow"])
def test_every_change_of_a_row_is_sent(
    as_owner: Client, handoff: Handoff, pool: Pool, now: datetime, change: str
) -> None:
    etag = as_owner.get("/queue/", headers=FRAGMENT)["ETag"]

    if change == "arrival":
        pool.memberships.exclude(user=handoff.owner).update(is_active=False)
        offer(ready_lead(now=now), now=now)
    elif change == "decision":
        accept_handoff(handoff, by=handoff.owner, now=now)
    elif change == "score":
        do(handoff.lead, "Page Viewed", now=now, path="/pricing")
        score_lead(handoff.lead, now=now + timedelta(seconds=1))
    else:
        pool.memberships.update(weekly_capacity=0)
        offer(ready_lead(now=now), now=now)

    response = as_owner.get("/queue/", headers=FRAGMENT | {"If-None-Match": etag})
    assert response.status_code == 200
    assert b'id="queue-list"' in response.content
    assert b"<html" not in response.content


def test_the_fragment_carries_the_tabs_with_their_counts_and_the_filters(
    as_owner: Client,
) -> None:
    fragment = as_owner.get("/queue/?q=lea", headers=FRAGMENT).content.decode()

    assert 'id="queue-tabs" aria-label="Parts of the queue" hx-swap-oob="true"' in fragment
    assert 'href="?q=lea&amp;tab=overflow"' in fragment
    assert 'id="count-mine">1</span>' in fragment
    assert 'id="count-overflow">0</span>' in fragment
    assert "1 of 1 match<" in fragment


# --- Cost ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("extra", [0, 4])
def test_the_number_of_queries_does_not_grow_with_the_queue(
    as_owner: Client, handoff: Handoff, pool: Pool, now: datetime, extra: int, django_assert_num_queries
) -> None:
    pool.memberships.exclude(user=handoff.owner).update(is_active=False)
    for _ in range(extra):
        offer(ready_lead(now=now), now=now)

    with django_assert_num_queries(6):  # session, person, state, rows, views, unread
        response = as_owner.get("/queue/")

    assert len(response.context["rows"]) == 1 + extra


def test_no_inline_script_or_style_and_a_strict_policy(as_owner: Client) -> None:
    response = as_owner.get("/queue/")
    page = response.content.decode()

    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert " style=" not in page
    assert "<style" not in page
    assert " onclick=" not in page
    assert page.count("<script") == page.count("<script src=")


def test_time_now_is_given_to_the_browser(as_owner: Client) -> None:
    page = as_owner.get("/queue/").content.decode()

    stamp = page.partition('data-server-now="')[2].partition('"')[0]
    assert abs(datetime.fromisoformat(stamp) - timezone.now()) < timedelta(seconds=30)
