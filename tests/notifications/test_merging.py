"""What waited for the end of quiet hours leaves as one message."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import connection
from django.test import Client

from accounts.models import User
from notifications.delivering import BACK_OFF, deliver_due
from notifications.models import Channel, Delivery, Notification, Preference
from notifications.services import Invitation, retract_messages
from tests.notifications.conftest import Hook, MailServer
from tests.notifications.test_delivering import deliver_all, tell

Status = Delivery.Status
# Quiet hours end at seven; the people of these tests live in UTC.
EVENING = datetime(2026, 3, 3, 22, 0, tzinfo=UTC)
MORNING = datetime(2026, 3, 4, 7, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def hold(*people: User, number: int, **more: object) -> None:
    """So many messages come in the evening, and a worker puts them off."""
    for key in range(number):
        tell(*people, key=f"night {key}", now=EVENING + key * MINUTE, **more)
    deliver_all(now=EVENING + number * MINUTE)


def test_what_came_at_night_is_one_message_in_the_morning(
    mail_server: MailServer, hook: Hook, channel: Channel, bdr: User, other_bdr: User
) -> None:
    hold(bdr, other_bdr, number=4)
    assert (mail_server.taken, hook.taken) == ([], [])

    deliver_all(now=MORNING)

    assert sorted(address for address, _ in mail_server.taken) == [bdr.email, other_bdr.email]
    assert set(mail_server.subjects) == {"4 messages from your quiet hours"}
    assert hook.titles == ["4 messages from your quiet hours"]
    body = mail_server.taken[0][1].get_body().get_content()
    line = "New handoff: New lead: Ada Berger http://localhost:8000/handoffs/7/"
    assert body.count(line) == 4
    assert sorted(Delivery.objects.values_list("status", flat=True)) == 12 * ["merged"] + 3 * ["sent"]
    assert bdr.notifications.count() == 4  # in the portal they are what they were


def test_two_stay_two(mail_server: MailServer, bdr: User) -> None:
    hold(bdr, number=2)

    deliver_all(now=MORNING)

    assert mail_server.subjects == ["New lead: Ada Berger"] * 2


def test_what_comes_by_day_is_not_drawn_in(mail_server: MailServer, bdr: User) -> None:
    hold(bdr, number=3)
    for key in ("a", "b", "c"):
        tell(bdr, key=key, now=MORNING)

    deliver_all(now=MORNING)

    assert sorted(mail_server.subjects) == ["3 messages from your quiet hours"] + ["New lead: Ada Berger"] * 3


def test_an_invitation_stays_a_message_of_its_own(mail_server: MailServer, bdr: User) -> None:
    hold(bdr, number=3, invitation=Invitation("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"))

    deliver_all(now=MORNING)

    assert len(mail_server.taken) == 3


def test_a_long_night_is_cut_short(mail_server: MailServer, bdr: User) -> None:
    hold(bdr, number=33)

    deliver_all(now=MORNING)

    [(_, email)] = mail_server.taken
    assert email.get_body().get_content().count("New handoff:") == 30
    assert "And: 3 more, in the portal" in email.get_body().get_content()


def test_what_was_taken_back_at_night_is_not_in_it(mail_server: MailServer, bdr: User) -> None:
    hold(bdr, number=4)
    retract_messages(["night 1"])

    deliver_all(now=MORNING)

    assert mail_server.subjects == ["3 messages from your quiet hours"]


def test_a_summary_is_tried_again_as_one(mail_server: MailServer, bdr: User) -> None:
    hold(bdr, number=3)
    mail_server.refuses[bdr.email] = "451 Come again"
    deliver_all(now=MORNING)
    mail_server.refuses.clear()

    deliver_all(now=MORNING + BACK_OFF[0])

    assert mail_server.subjects == ["3 messages from your quiet hours"]
    assert Delivery.objects.get(status=Status.SENT).attempts == 2


@pytest.mark.parametrize("email_kinds", [["handoff"], []], ids=["e-mail had it", "e-mail did not"])
def test_when_a_channel_fails_its_summary_comes_by_email_once(
    mail_server: MailServer, hook: Hook, channel: Channel, bdr: User, email_kinds: list[str]
) -> None:
    Preference.objects.create(person=bdr, email_kinds=email_kinds)
    hold(bdr, number=4)
    channel.is_active = False  # for good, so that it is not tried again
    channel.save(update_fields=["is_active"])

    deliver_all(now=MORNING)

    assert mail_server.subjects == ["4 messages from your quiet hours"]
    assert Delivery.objects.get(status=Status.GIVEN_UP).channel == channel
    assert Delivery.objects.filter(fell_back_to__isnull=False).count() == 4


def test_a_night_made_longer_holds_on(mail_server: MailServer, bdr: User) -> None:
    hold(bdr, number=3)
    Preference.objects.create(person=bdr, quiet_from=time(20), quiet_until=time(9))

    deliver_all(now=MORNING)
    assert (mail_server.taken, Delivery.objects.filter(status=Status.QUEUED).count()) == ([], 3)

    deliver_all(now=MORNING + timedelta(hours=2))
    assert len(mail_server.taken) == 1


def test_the_log_says_what_became_of_them(mail_server: MailServer, bdr: User, client: Client) -> None:
    hold(bdr, number=3)
    deliver_all(now=MORNING)
    client.force_login(bdr)

    page = client.get("/notifications/deliveries/").content.decode()

    assert page.count("In a summary</span>") == 3
    assert Notification.Kind.DIGEST.label in page


@pytest.mark.django_db(transaction=True)
def test_several_workers_make_one_summary_of_it(mail_server: MailServer, bdr: User) -> None:
    hold(bdr, number=20)
    start = threading.Barrier(4)

    def work() -> None:
        try:
            start.wait(timeout=30)
            while deliver_due(now=MORNING):
                pass
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as workers:
        for job in [workers.submit(work) for _ in range(4)]:
            job.result()

    assert mail_server.subjects == ["20 messages from your quiet hours"]
