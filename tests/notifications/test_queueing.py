"""Who gets which message over which way; decided with the message, in its own statement."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from notifications.models import Channel, Delivery, Notification, Preference
from notifications.services import Message, send_messages
from tests.factories import NOON, UserFactory

Kind = Notification.Kind


def tell(*people: User, kind: str = Kind.HANDOFF, key: str = "one") -> None:
    send_messages(
        [Message(Kind(kind), key, "News", "", "/queue/", recipient=each) for each in people], now=NOON
    )


def ways() -> list[tuple[int | None, int | None]]:
    return sorted(Delivery.objects.values_list("recipient", "channel"), key=repr)


@pytest.fixture
def slack(bdr: User) -> Channel:
    return Channel.objects.create(
        name="Slack", person=bdr, service="Slack", sealed_address=b"x", created_at=NOON
    )


@pytest.mark.parametrize(
    ("kind", "by_email", "by_channel"),
    [
        (Kind.HANDOFF, True, True),
        (Kind.BREACH, True, True),
        (Kind.WARNING, False, True),  # the queue counts down by itself
        (Kind.REJECTION, False, False),
        (Kind.SCORING, False, False),
        (Kind.DELIVERY, False, False),
    ],
)
def test_the_usual_ways_of_a_kind(
    bdr: User, slack: Channel, kind: str, by_email: bool, by_channel: bool
) -> None:
    tell(bdr, kind=kind)

    expected = [(bdr.pk, None)] * by_email + [(bdr.pk, slack.pk)] * by_channel
    assert ways() == sorted(expected, key=repr)
    assert bdr.notifications.count() == 1


def test_ones_own_choice_goes_before_the_houses_and_that_before_the_usual(
    bdr: User, other_bdr: User, stranger: User
) -> None:
    Preference.objects.create(person=None, email_kinds=[Kind.REJECTION])
    Preference.objects.create(person=other_bdr, email_kinds=[Kind.HANDOFF])

    tell(bdr, other_bdr, stranger)
    assert ways() == [(other_bdr.pk, None)]

    tell(bdr, other_bdr, stranger, kind=Kind.REJECTION, key="two")
    assert ways() == sorted([(bdr.pk, None), (other_bdr.pk, None), (stranger.pk, None)], key=repr)


def test_no_way_leads_to_somebody_without_one(bdr: User, slack: Channel) -> None:
    Channel.objects.update(is_active=False)
    nowhere = UserFactory(email="")
    gone = UserFactory(is_active=False)

    tell(bdr, nowhere, gone)

    assert ways() == [(bdr.pk, None)]
    assert Notification.objects.count() == 3


def test_without_a_mail_server_no_email_is_queued(bdr: User, slack: Channel, settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

    tell(bdr)

    assert ways() == [(bdr.pk, slack.pk)]


def test_a_channel_of_nobody_gets_no_personal_messages(bdr: User, slack: Channel) -> None:
    Channel.objects.update(person=None)

    tell(bdr)

    assert ways() == [(bdr.pk, None)]


def test_the_same_key_twice_in_one_go_is_one_message(bdr: User) -> None:
    tell(bdr, bdr)

    assert (Notification.objects.count(), Delivery.objects.count()) == (1, 1)


def test_500_people_are_one_statement(bdr: User) -> None:
    tell(bdr)  # the first of a connection prepares it
    people = [User(username=f"p{n}", email=f"p{n}@portal.example") for n in range(500)]
    User.objects.bulk_create(people)

    with CaptureQueriesContext(connection) as queries:
        tell(*people)

    assert len(queries) == 1
    assert (Notification.objects.count(), Delivery.objects.count()) == (501, 501)
