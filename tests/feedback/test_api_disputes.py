"""Disputes over the API: listed, opened by marketing, settled by a manager (FEED-4)."""

from __future__ import annotations

from datetime import datetime

import pytest

from accounts.models import User
from feedback.models import Dispute, Verdict
from feedback.services import reject_handoff
from handoffs.models import Handoff
from tests.desk import reason
from tests.handoffs.test_api import client_of, path

LIST = "/api/v1/disputes/"
GOOD = {"comment": "They have 800 people"}


@pytest.fixture
def rejected(handoff: Handoff, now: datetime) -> Handoff:
    why = reason("wrong-icp")
    reject_handoff(handoff, reason=why, note="Too small", by=handoff.owner, via=Verdict.Via.API, now=now)
    return handoff


def dispute(handoff: Handoff, by: User, body: dict[str, str] = GOOD):
    return client_of(by).post(path(handoff, "dispute/"), body, format="json")


def settle(by: User, **body: str):
    return client_of(by).post(f"{LIST}{Dispute.objects.get().pk}/settle/", body, format="json")


def test_marketing_disputes_and_the_manager_gives_the_lead_back(
    rejected: Handoff, marketing: User, manager: User
) -> None:
    opened = dispute(rejected, marketing)
    settled = settle(manager, outcome="overturned", settlement="I looked them up")

    assert (opened.status_code, settled.status_code) == (200, 200)
    assert (opened.json()["reason"], opened.json()["outcome"]) == ("wrong-icp", "")
    again = Handoff.objects.open().get(lead=rejected.lead)
    answer = settled.json()
    assert (answer["outcome"], answer["settled_by"]) == ("overturned", manager.username)
    assert answer["given_back_as"] == again.pk != rejected.pk
    assert settle(manager, outcome="overturned", settlement="I looked them up").json() == answer


def test_a_rejection_that_stands_gives_nothing_back_and_is_settled_once(
    rejected: Handoff, marketing: User, manager: User
) -> None:
    dispute(rejected, marketing)

    assert settle(manager, outcome="upheld").json()["given_back_as"] is None
    refused = settle(manager, outcome="overturned")
    assert (refused.status_code, refused.json()["code"]) == (409, "dispute_settled")


def test_only_marketing_disputes_and_only_a_manager_settles(
    rejected: Handoff, bdr: User, marketing: User, manager: User, stranger: User
) -> None:
    assert dispute(rejected, bdr).status_code == 403
    assert dispute(rejected, manager).status_code == 403
    assert dispute(rejected, stranger).status_code == 403
    dispute(rejected, marketing)
    assert settle(marketing, outcome="upheld").status_code == 403
    assert settle(bdr, outcome="upheld").status_code == 403
    assert settle(stranger, outcome="upheld").status_code == 404
    assert Dispute.objects.get().settled_at is None


def test_what_nobody_rejected_has_nothing_to_dispute(handoff: Handoff, marketing: User) -> None:
    refused = dispute(handoff, marketing)

    assert (refused.status_code, refused.json()["code"]) == (409, "nothing_to_dispute")


@pytest.mark.parametrize("body", [{}, {"comment": " "}, {"comment": "x" * 1001}, {"why": "Good"}])
def test_a_dispute_says_why(rejected: Handoff, marketing: User, body: dict[str, str]) -> None:
    assert dispute(rejected, marketing, body).status_code in (400, 422)
    assert not Dispute.objects.exists()


def test_the_list_shows_what_is_open_to_whom_it_concerns(
    rejected: Handoff, bdr: User, marketing: User, manager: User, stranger: User, django_assert_num_queries
) -> None:
    dispute(rejected, marketing)
    reader = client_of(bdr)

    with django_assert_num_queries(3):  # the token with its holder, its use, the disputes with all names
        [shown] = reader.get(LIST, {"open": "true"}).json()["results"]

    assert (shown["handoff"], shown["lead"]) == (rejected.pk, rejected.lead_id)
    assert (shown["rejected_by"], shown["by"]) == (bdr.username, marketing.username)
    assert client_of(stranger).get(LIST).json()["results"] == []
    settle(manager, outcome="upheld")
    assert reader.get(LIST, {"open": "true"}).json()["results"] == []
    assert len(reader.get(LIST, {"outcome": "upheld"}).json()["results"]) == 1
