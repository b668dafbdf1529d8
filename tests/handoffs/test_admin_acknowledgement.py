"""The automatic answer in the admin: edited, looked at, tried on oneself."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from handoffs.models import Acknowledgement, AcknowledgementPolicy
from tests.factories import NOON, HandoffFactory
from tests.notifications.conftest import MailServer

ADD = "/admin/handoffs/acknowledgementpolicy/add/"
POLICY = {
    "is_active": "on",
    "within_minutes": "15",
    "subject": "Hello {first_name}",
    "body": "We are back on {open_again}.",
    "sender_name": "Sales",
    "reply_to": "",
    "quiet_days": "30",
}


@pytest.fixture
def as_marketing(client: Client, marketing: User) -> Client:
    client.force_login(marketing)
    return client


def test_marketing_words_it_once_for_all(as_marketing: Client) -> None:
    as_marketing.post(ADD, POLICY)

    assert AcknowledgementPolicy.objects.get().subject == "Hello {first_name}"
    assert as_marketing.get(ADD).status_code == 403
    change = f"/admin/handoffs/acknowledgementpolicy/{AcknowledgementPolicy.objects.get().pk}/change/"
    assert "What a lead gets, unsaved edits included" in as_marketing.get(change).content.decode()


@pytest.mark.parametrize("act", ["add", "preview"])
def test_a_placeholder_that_nothing_fills_in_is_refused(as_marketing: Client, act: str) -> None:
    address = f"/admin/handoffs/acknowledgementpolicy/{act}/"

    said = as_marketing.post(address, POLICY | {"body": "Dear {nickname}"}).content.decode()

    assert "Nothing fills in {nickname}. Use {first_name}, {company}, {open_again}." in said
    assert not AcknowledgementPolicy.objects.exists()


def test_the_preview_fills_it_in_and_the_test_sends_it(
    as_marketing: Client, marketing: User, mail_server: MailServer
) -> None:
    page = "/admin/handoffs/acknowledgementpolicy/"
    assert "Hello Ada" in as_marketing.post(f"{page}preview/", POLICY).content.decode()
    assert mail_server.taken == []

    said = as_marketing.post(f"{page}sample/", POLICY).content.decode()

    assert f"Sent to {marketing.email}" in said
    [(address, email)] = mail_server.taken
    assert (address, email["Subject"], email["From"].split("<")[0]) == (
        marketing.email,
        "Hello Ada",
        "Sales ",
    )
    assert not AcknowledgementPolicy.objects.exists()


def test_a_test_that_does_not_arrive_says_so(
    as_marketing: Client, marketing: User, mail_server: MailServer
) -> None:
    mail_server.refuses[marketing.email] = "550 No such user"

    said = as_marketing.post("/admin/handoffs/acknowledgementpolicy/sample/", POLICY).content.decode()

    assert "Not sent. The mail server refused the receiver (code 550)." in said


def test_who_may_not_edit_it_may_not_try_it_but_sees_what_was_sent(
    client: Client, operator: User, db: None
) -> None:
    handoff = HandoffFactory()
    Acknowledgement.objects.create(handoff=handoff, lead=handoff.lead, due_at=NOON, left_out="Unsubscribed.")
    client.force_login(operator)

    assert client.post("/admin/handoffs/acknowledgementpolicy/sample/", POLICY).status_code == 403
    assert "Unsubscribed." in client.get("/admin/handoffs/acknowledgement/").content.decode()
