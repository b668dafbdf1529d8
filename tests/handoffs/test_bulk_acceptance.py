"""Accepting several at once: each for itself, and who was quicker is said (QUEUE-2, QUEUE-5)."""

from __future__ import annotations

import re
from datetime import datetime
from html import unescape

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from accounts.models import User
from handoffs.contact.services import record_attempt
from handoffs.models import Handoff, Pool
from handoffs.services import accept_handoff
from leads.models import LeadEvent
from tests.desk import offer, ready_lead

FRAGMENT = {"HX-Request": "true"}


@pytest.fixture
def offers(pool: Pool, bdr: User, other_bdr: User, now: datetime) -> list[Handoff]:
    pool.memberships.filter(user=other_bdr).update(is_active=False)
    return [offer(ready_lead(now=now, first_name=name), now=now) for name in ("Ana", "Ben", "Cleo")]


def post(client: Client, offers: list[Handoff], **headers: str):
    return client.post("/queue/accept/", {"handoff": [each.pk for each in offers]}, headers=headers)


def statuses(offers: list[Handoff]) -> list[str]:
    return [Handoff.objects.get(pk=each.pk).status for each in offers]


def test_all_that_are_ticked_are_accepted(client: Client, bdr: User, offers: list[Handoff]) -> None:
    client.force_login(bdr)

    response = post(client, offers[:2], **FRAGMENT)

    assert "2 accepted." in response.content.decode()
    assert "portal:refresh" in response["HX-Trigger"]
    assert statuses(offers) == ["accepted", "accepted", "offered"]


def test_one_that_a_colleague_took_holds_up_no_other_and_says_who(
    client: Client, bdr: User, manager: User, offers: list[Handoff], now: datetime
) -> None:
    accept_handoff(offers[0], by=manager, now=now)
    client.force_login(bdr)

    said = post(client, offers, **FRAGMENT).content.decode()

    assert "2 accepted. Ana Holm: Nia Berg accepted this" in said
    assert "data-keep" in said
    assert Handoff.objects.get(pk=offers[0].pk).accepted_by == manager


def test_twice_is_as_good_as_once(client: Client, bdr: User, offers: list[Handoff]) -> None:
    client.force_login(bdr)
    post(client, offers)

    response = post(client, offers)

    assert [str(message) for message in get_messages(response.wsgi_request)][-1] == "3 accepted."


def test_what_one_may_not_see_is_not_accepted(client: Client, offers: list[Handoff], stranger: User) -> None:
    client.force_login(stranger)

    said = post(client, offers, **FRAGMENT).content.decode()

    assert "3 are no longer open to you." in said
    assert statuses(offers) == ["offered"] * 3


def test_a_colleagues_is_refused_by_name(client: Client, other_bdr: User, offers: list[Handoff]) -> None:
    client.force_login(other_bdr)

    said = post(client, offers[:1], **FRAGMENT).content.decode()

    assert "Ana Holm: This handoff is with Mara Lind." in said
    assert statuses(offers[:1]) == ["offered"]


@pytest.mark.parametrize("ticked", [[], ["x"], ["0"], ["9" * 30], [str(n) for n in range(1, 102)]])
def test_a_list_that_makes_no_sense_is_refused_with_a_sentence(
    client: Client, bdr: User, ticked: list[str]
) -> None:
    client.force_login(bdr)

    response = client.post("/queue/accept/", {"handoff": ticked})

    assert response.status_code == 422


def test_only_sales_accepts(client: Client, marketing: User, offers: list[Handoff]) -> None:
    client.force_login(marketing)

    assert post(client, offers).status_code == 403


# --- Taking it back -----------------------------------------------------------------------------


def undo_address(html: str) -> str:
    found = re.search(r'hx-post="(/queue/accept/undo/[^"]*)"', html)
    assert found
    return unescape(found[1])


def test_one_button_gives_all_of_them_back(client: Client, bdr: User, offers: list[Handoff]) -> None:
    client.force_login(bdr)
    accepted = post(client, offers[:2], **FRAGMENT).content.decode()

    response = client.post(undo_address(accepted), headers=FRAGMENT)

    assert "Undone: 2 wait for a decision again." in response.content.decode()
    assert "portal:refresh" in response["HX-Trigger"]
    assert statuses(offers) == ["offered"] * 3
    undone = LeadEvent.objects.filter(kind=LeadEvent.Kind.UNDONE, by=bdr)
    assert {event.handoff_id for event in undone} == {offer.pk for offer in offers[:2]}


def test_what_has_been_worked_on_since_stands_and_is_named(
    client: Client, bdr: User, offers: list[Handoff]
) -> None:
    client.force_login(bdr)
    accepted = post(client, offers[:2], **FRAGMENT).content.decode()
    called = Handoff.objects.get(pk=offers[0].pk)
    record_attempt(called, channel="call", outcome="connected", by=bdr, now=timezone.now())

    said = client.post(undo_address(accepted), headers=FRAGMENT).content.decode()

    assert "Undone: 1 waits for a decision again. Ana Holm: Contact attempt by Mara Lind" in said
    assert "data-keep" in said
    assert statuses(offers) == ["contacted", "offered", "offered"]


def test_nothing_is_offered_back_of_which_nothing_was_accepted_just_now(
    client: Client, bdr: User, offers: list[Handoff]
) -> None:
    client.force_login(bdr)
    post(client, offers)

    assert "data-undo-form" not in post(client, offers, **FRAGMENT).content.decode()


def test_a_colleague_takes_nothing_back(
    client: Client, bdr: User, other_bdr: User, offers: list[Handoff]
) -> None:
    client.force_login(bdr)
    accepted = post(client, offers, **FRAGMENT).content.decode()
    client.force_login(other_bdr)

    said = client.post(undo_address(accepted), headers=FRAGMENT).content.decode()

    assert "This handoff is with Mara Lind." in said
    assert statuses(offers) == ["accepted"] * 3
