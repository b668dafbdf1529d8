"""/notifications/preferences/: what I am told besides in the portal, when, and over which channels."""

from __future__ import annotations

import logging
from datetime import time

import pytest
from django.test import Client

from accounts.models import User
from notifications.models import Channel, Delivery, Preference
from notifications.preferences import who_wants_invitations
from tests.notifications.conftest import Hook, MailServer

PAGE = "/notifications/preferences/"
CHOICES = {"email_kinds": ["breach"], "channel_kinds": [], "quiet_from": "19:30", "quiet_until": "08:00"}


@pytest.fixture
def as_bdr(client: Client, bdr: User) -> Client:
    client.force_login(bdr)
    return client


def errors(response) -> str:
    assert response.status_code == 422
    return response.content.decode()


def test_the_page_says_what_holds_for_who_has_not_chosen(as_bdr: Client) -> None:
    page = as_bdr.get(PAGE).content.decode()

    assert "This is the usual" in page
    assert 'value="20:00"' in page
    assert 'value="handoff" aria-label="New handoff by e-mail" checked' in page
    assert 'value="warning" aria-label="Due soon by e-mail">' in page


def test_a_choice_is_kept_and_taken_back(as_bdr: Client, bdr: User) -> None:
    as_bdr.post(PAGE, CHOICES)
    chosen = Preference.objects.get(person=bdr)
    assert (chosen.email_kinds, chosen.channel_kinds) == (["breach"], [])
    assert (chosen.quiet_from, chosen.quiet_until) == (time(19, 30), time(8))

    as_bdr.post(PAGE, CHOICES | {"quiet_from": "", "quiet_until": ""})
    assert Preference.objects.get(person=bdr).quiet_from is None

    as_bdr.post(f"{PAGE}usual/")
    assert not Preference.objects.filter(person=bdr).exists()


def test_calendar_invitations_are_on_unless_switched_off(as_bdr: Client, bdr: User) -> None:
    assert 'name="wants_invitations"' in as_bdr.get(PAGE).content.decode()
    assert who_wants_invitations([bdr]) == {bdr.pk}

    as_bdr.post(PAGE, CHOICES)
    assert who_wants_invitations([bdr]) == set()

    as_bdr.post(PAGE, CHOICES | {"wants_invitations": "on"})
    assert who_wants_invitations([bdr]) == {bdr.pk}


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"quiet_until": ""}, "Quiet hours need both ends"),
        ({"quiet_from": "25:00"}, "Enter a valid time"),
        ({"email_kinds": ["nonsense"]}, "nonsense is not one of the available choices"),
    ],
)
def test_what_cannot_be_meant_is_refused(as_bdr: Client, typed: dict[str, object], words: str) -> None:
    response = as_bdr.post(PAGE, CHOICES | typed)

    assert response.status_code == 422
    assert words in str(response.context["form"].errors)
    assert not Preference.objects.exists()


def test_a_channel_is_added_tried_and_removed_without_showing_its_address(
    as_bdr: Client, bdr: User, hook: Hook
) -> None:
    secret = f"{hook.url}/a-rather-long-secret-1234x4Qz"
    as_bdr.post("/notifications/channels/", {"name": "My hook", "address": secret})
    channel = Channel.objects.get(person=bdr)

    page = as_bdr.post(f"/notifications/channels/{channel.pk}/test/", follow=True).content.decode()
    assert "“My hook” took the test message" in page
    assert "Webhook (JSON), ends in …x4Qz" in page
    assert "a-rather-long-secret" not in page
    assert hook.titles == ["Test from the Handoff Portal"]

    hook.status = 500
    page = as_bdr.post(f"/notifications/channels/{channel.pk}/test/", follow=True).content.decode()
    assert "did not take it. The service answered with status 500." in page
    assert set(Delivery.objects.values_list("status", flat=True)) == {"sent", "given_up"}

    as_bdr.post(f"/notifications/channels/{channel.pk}/remove/")
    channel.refresh_from_db()
    assert (bytes(channel.sealed_address), channel.is_active) == (b"", False)
    assert "None yet" in as_bdr.get(PAGE).content.decode()


def test_a_refused_address_is_explained_and_not_shown_again(as_bdr: Client) -> None:
    page = errors(
        as_bdr.post("/notifications/channels/", {"name": "Mine", "address": "jsons://10.0.0.7/s3cret-path"})
    )

    assert "own network" in page
    assert 'value="Mine"' in page
    assert "s3cret-path" not in page
    assert not Channel.objects.exists()


def test_the_picker_shows_what_an_address_of_a_service_looks_like(as_bdr: Client) -> None:
    assert "twilio://" in as_bdr.get(f"{PAGE}?service=SMS+by+Twilio").content.decode()
    assert "hooks.slack.com" in as_bdr.get(f"{PAGE}?service=nonsense").content.decode()


@pytest.mark.parametrize("act", ["test", "remove"])
def test_channels_of_others_are_not_there(
    client: Client, other_bdr: User, operator: User, channel: Channel, act: str
) -> None:
    for person in (other_bdr, operator):
        client.force_login(person)
        assert client.post(f"/notifications/channels/{channel.pk}/{act}/").status_code == 404


def is_written(name: str) -> bool:
    """Whether what this logger says gets to the one handler there is, on the root."""
    logger: logging.Logger | None = logging.getLogger(name)
    while logger is not None and logger.propagate:
        logger = logger.parent
    return logger is None


def test_secrets_reach_no_log_and_no_error(as_bdr: Client, hook: Hook, caplog) -> None:
    caplog.set_level("DEBUG")
    secret = f"{hook.url.replace('json', 'jsons')}/top-s3cret"  # it speaks no TLS
    as_bdr.post("/notifications/channels/", {"name": "My hook", "address": secret})
    as_bdr.post(f"/notifications/channels/{Channel.objects.get().pk}/test/")

    said = [
        *(record.getMessage() for record in caplog.records if is_written(record.name)),
        Delivery.objects.get().error,
    ]
    assert any("notifications/channels/" in line for line in said)
    assert not [line for line in said if "s3cret" in line or "127.0.0.1" in line]


def test_the_number_of_queries_does_not_grow(
    as_bdr: Client, bdr: User, hook: Hook, channel: Channel, django_assert_num_queries
) -> None:
    with django_assert_num_queries(5):  # session with its person, choices, channels, unread, team
        as_bdr.get(PAGE)


def test_a_person_without_an_address_is_told_where_to_add_one(
    as_bdr: Client, bdr: User, mail_server: MailServer
) -> None:
    User.objects.filter(pk=bdr.pk).update(email="")

    assert "You have no e-mail address here" in as_bdr.get(PAGE).content.decode()


def test_each_role_chooses_among_what_it_can_get(
    as_bdr: Client, bdr: User, manager: User, marketing: User
) -> None:
    as_bdr.post(PAGE, CHOICES | {"daily_digest_at": "08:15", "weekly_digest": "on"})
    kept = Preference.objects.get(person=bdr)
    assert (kept.daily_digest_at, kept.weekly_digest) == (time(8, 15), False)

    offered = {}
    for person in (bdr, manager, marketing):
        as_bdr.force_login(person)
        page = as_bdr.get(PAGE).content.decode()
        offered[person.username] = [name for name in ("daily_digest_at", "weekly_digest") if name in page]

    assert offered == {"mara": ["daily_digest_at"], "nia": ["weekly_digest"], "jo": []}
