"""The admin of shared channels, of templates, and of what holds for all."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from accounts.models import User
from notifications.models import Channel, Delivery, MessageTemplate, Preference
from notifications.sealing import unseal
from tests.factories import NOON
from tests.notifications.conftest import Hook, MailServer
from tests.notifications.test_delivering import deliver_all, tell

TEMPLATE = {"kind": "handoff", "subject": "{company}: {title}", "body": "{recipient}, call {lead}.\n{link}"}


@pytest.fixture
def as_operator(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


def test_a_template_words_what_is_sent_from_then_on(
    as_operator: Client, operator: User, bdr: User, mail_server: MailServer
) -> None:
    as_operator.post("/admin/notifications/messagetemplate/add/", TEMPLATE)
    assert MessageTemplate.objects.get().changed_by == operator

    tell(bdr)
    deliver_all(now=NOON)

    [(_, email)] = mail_server.taken
    assert email["Subject"] == "–: New lead: Ada Berger"
    assert email.get_body().get_content().startswith("Mara, call –.")


def test_an_unknown_placeholder_is_refused_with_what_there_is(as_operator: Client) -> None:
    wrong = TEMPLATE | {"body": "{compny}"}

    page = as_operator.post("/admin/notifications/messagetemplate/add/", wrong).content.decode()
    preview = as_operator.post("/admin/notifications/messagetemplate/preview/", wrong).content.decode()

    for said in (page, preview):
        assert "Nothing fills in {compny}. Use {title}, {message}" in said
    assert not MessageTemplate.objects.exists()


def test_the_preview_shows_unsaved_words_and_the_test_sends_them(
    as_operator: Client, operator: User, mail_server: MailServer
) -> None:
    preview = as_operator.post("/admin/notifications/messagetemplate/preview/", TEMPLATE).content.decode()
    assert "Nordwind Ltd: New lead: Ada Berger, Nordwind Ltd" in preview
    assert mail_server.taken == []

    sent = as_operator.post("/admin/notifications/messagetemplate/sample/", TEMPLATE).content.decode()

    assert f"Sent to {operator.email}" in sent
    [(address, email)] = mail_server.taken
    assert (address, email["Subject"]) == (operator.email, "Nordwind Ltd: New lead: Ada Berger, Nordwind Ltd")
    assert Delivery.objects.get().status == Delivery.Status.SENT
    assert not MessageTemplate.objects.exists()


def test_a_test_that_does_not_arrive_says_so(
    as_operator: Client, operator: User, mail_server: MailServer
) -> None:
    mail_server.refuses[operator.email] = "550 No such user"

    said = as_operator.post("/admin/notifications/messagetemplate/sample/", TEMPLATE).content.decode()

    assert "Not sent. The mail server refused the receiver (code 550)." in said


@pytest.mark.parametrize("act", ["preview", "sample"])
def test_only_who_edits_templates_tries_them(client: Client, manager: User, act: str) -> None:
    client.force_login(manager)

    assert client.post(f"/admin/notifications/messagetemplate/{act}/", TEMPLATE).status_code == 403


def test_a_shared_channel_is_made_changed_tried_and_removed(as_operator: Client, hook: Hook) -> None:
    add = "/admin/notifications/channel/add/"
    missing = as_operator.post(add, {"name": "Sales room", "address": "", "is_active": "on"})
    assert "Give the address to post to." in missing.content.decode()

    as_operator.post(add, {"name": "Sales room", "address": f"{hook.url}/s3cret", "is_active": "on"})
    channel = Channel.objects.shared().get()
    change = f"/admin/notifications/channel/{channel.pk}/change/"
    assert "s3cret" not in as_operator.get(change).content.decode()

    as_operator.post(change, {"name": "The sales room", "address": "", "is_active": "on"})
    channel.refresh_from_db()
    assert (channel.name, unseal(channel.sealed_address)) == ("The sales room", f"{hook.url}/s3cret")

    as_operator.post(change, {"name": "The sales room", "address": f"{hook.url}/other", "is_active": "on"})
    act = {"_selected_action": channel.pk}
    as_operator.post("/admin/notifications/channel/", act | {"action": "test"})
    assert [path for path, _, _ in hook.taken] == ["/other"]

    as_operator.post("/admin/notifications/channel/", act | {"action": "remove"})
    assert not Channel.objects.kept().exists()
    assert not [entry for entry in LogEntry.objects.all() if "s3cret" in entry.get_change_message()]


def test_channels_of_people_are_theirs(as_operator: Client, channel: Channel) -> None:
    assert as_operator.get(f"/admin/notifications/channel/{channel.pk}/change/").status_code == 302
    assert "My webhook" not in as_operator.get("/admin/notifications/channel/").content.decode()


def test_the_usual_of_the_house_is_one_row(as_operator: Client, bdr: User, mail_server: MailServer) -> None:
    usual = {"email_kinds": ["breach"], "channel_kinds": [], "quiet_from": "", "quiet_until": ""}
    as_operator.post("/admin/notifications/preference/add/", usual)
    assert as_operator.get("/admin/notifications/preference/add/").status_code == 403

    tell(bdr)
    deliver_all(now=NOON)

    assert mail_server.taken == []
    assert Preference.objects.of(bdr).email_kinds == ["breach"]
