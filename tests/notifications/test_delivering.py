"""Claim, send, record: what real receivers hold afterwards."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, time, timedelta

import pytest
from django.db import connection

from accounts.models import User
from handoff_portal.embedded_postgres import free_port
from notifications.channels import remove_channel
from notifications.delivering import BACK_OFF, LEASE, claim_deliveries, deliver_due, send_claimed
from notifications.models import Channel, Delivery, Notification, Preference
from notifications.services import (
    Fact,
    Invitation,
    Message,
    Post,
    post_to_channels,
    retract_messages,
    send_messages,
)
from tests.factories import NOON, UserFactory
from tests.notifications.conftest import Hook, MailServer

Kind, Status = Notification.Kind, Delivery.Status
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
CALENDAR = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"


def tell(*people: User, key: str = "one", now: datetime = NOON, **more: object) -> None:
    send_messages(
        [
            Message(
                Kind.HANDOFF,
                key,
                "New lead: Ada Berger",
                "Category A",
                "/handoffs/7/",
                recipient=person,
                **more,
            )
            for person in people
        ],
        now=now,
    )


def deliver_all(*, now: datetime) -> None:
    while deliver_due(now=now):
        pass


def until_given_up(*, now: datetime) -> datetime:
    """Let all tries pass; say when the last one was."""
    deliver_all(now=now)
    for pause in BACK_OFF:
        now += pause
        deliver_all(now=now)
    return now


def test_an_email_says_what_it_is_about_and_where_to_look(mail_server: MailServer, bdr: User) -> None:
    tell(bdr, facts=[Fact("company", "Company", "Nordwind"), Fact("score", "Score", "")])

    deliver_all(now=NOON)

    [(address, email)] = mail_server.taken
    body = email.get_body().get_content().replace("\r\n", "\n")
    assert address == bdr.email
    assert email["Subject"] == "New lead: Ada Berger"
    assert body.startswith("Category A\n\nCompany: Nordwind\n\nhttp://localhost:8000/handoffs/7/\n")
    assert "/notifications/preferences/" in body
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.sent_at, delivery.attempts) == (Status.SENT, NOON, 1)
    assert email["Message-ID"] == f"<delivery-{delivery.pk}@localhost>"


def test_an_invitation_goes_along_as_mail_programs_expect(mail_server: MailServer, bdr: User) -> None:
    tell(bdr, invitation=Invitation(CALENDAR, "REQUEST"))

    deliver_all(now=NOON)

    [(_, email)] = mail_server.taken
    text, calendar = email.iter_parts()
    assert (email.get_content_type(), text.get_content_type()) == ("multipart/alternative", "text/plain")
    assert calendar.get_content_type() == "text/calendar"
    assert calendar["Content-Type"].params["method"] == "REQUEST"
    assert calendar.get_content().splitlines()[0] == "BEGIN:VCALENDAR"


def test_the_same_event_reaches_nobody_twice(
    mail_server: MailServer, hook: Hook, channel: Channel, bdr: User, other_bdr: User
) -> None:
    for _ in range(3):
        tell(bdr, other_bdr)
        deliver_all(now=NOON)

    assert sorted(address for address, _ in mail_server.taken) == sorted([bdr.email, other_bdr.email])
    assert hook.titles == ["New lead: Ada Berger"]


def test_a_webhook_gets_plain_text_and_the_same_key_at_every_try(hook: Hook, channel: Channel) -> None:
    tell(channel.person)
    hook.status = 503
    deliver_all(now=NOON)
    hook.status = 200
    deliver_all(now=NOON + BACK_OFF[0])

    first, second = hook.taken
    assert first[0] == "/mara"
    assert first[2]["message"] == "Category A\n\nhttp://localhost:8000/handoffs/7/"
    assert first[1]["Idempotency-Key"] == second[1]["Idempotency-Key"]


def test_at_night_everything_waits_for_the_morning(
    mail_server: MailServer, hook: Hook, channel: Channel, bdr: User
) -> None:
    bdr.time_zone = "Europe/Berlin"
    bdr.save(update_fields=["time_zone"])
    night = datetime.fromisoformat("2026-03-04T03:00+01:00")

    tell(bdr, now=night)
    deliver_all(now=night)
    assert (mail_server.taken, hook.taken) == ([], [])
    assert bdr.notifications.count() == 1  # in the portal it is at once

    deliver_all(now=datetime.fromisoformat("2026-03-04T06:59+01:00"))
    assert (mail_server.taken, hook.taken) == ([], [])

    deliver_all(now=datetime.fromisoformat("2026-03-04T07:00+01:00"))
    assert (len(mail_server.taken), len(hook.taken)) == (1, 1)
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {1}


def test_a_retry_does_not_fall_into_quiet_hours_either(mail_server: MailServer, bdr: User) -> None:
    mail_server.refuses[bdr.email] = "451 Come again"
    Preference.objects.create(person=bdr, quiet_from=time(12, 1), quiet_until=time(14))
    tell(bdr)
    deliver_all(now=NOON)
    mail_server.refuses.clear()

    deliver_all(now=NOON + BACK_OFF[0])

    assert mail_server.taken == []
    assert Delivery.objects.get().next_try_at == NOON + timedelta(hours=2)


def test_tries_grow_apart_and_end(mail_server: MailServer, bdr: User) -> None:
    mail_server.refuses[bdr.email] = "451 Come again"
    tell(bdr)
    now = NOON
    deliver_all(now=now)
    for pause in BACK_OFF:
        assert Delivery.objects.get().next_try_at == now + pause
        deliver_all(now=now + pause - SECOND)
        now += pause
        deliver_all(now=now)

    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts, delivery.next_try_at) == (Status.GIVEN_UP, 5, None)
    assert delivery.error == "The mail server refused the receiver (code 451)."


def test_an_address_that_does_not_exist_is_tried_once_and_told_to_operators(
    mail_server: MailServer, bdr: User, operator: User
) -> None:
    mail_server.refuses[bdr.email] = "550 No such user"
    tell(bdr)
    tell(bdr, key="two")

    deliver_all(now=NOON)

    assert set(Delivery.objects.values_list("status", "attempts")) == {(Status.GIVEN_UP, 1)}
    assert [told.title for told in operator.notifications.all()] == ["E-mail to Mara Lind does not arrive"]


def test_a_mail_server_that_is_down_loses_nothing(mail_server: MailServer, bdr: User, settings) -> None:
    settings.EMAIL_PORT = free_port()
    tell(bdr)
    tell(bdr, key="two")
    deliver_all(now=NOON)
    assert set(Delivery.objects.values_list("status", "attempts")) == {(Status.QUEUED, 1)}

    settings.EMAIL_PORT = mail_server.port
    deliver_all(now=NOON + BACK_OFF[0])

    assert len(mail_server.taken) == 2


def test_a_failing_channel_falls_back_to_email_once_and_is_reported_once(
    mail_server: MailServer, hook: Hook, channel: Channel, bdr: User, operator: User
) -> None:
    Preference.objects.create(person=bdr, email_kinds=[])
    hook.status = 500
    tell(bdr)
    later = until_given_up(now=NOON)
    deliver_all(now=later)

    assert len(hook.taken) == 5
    assert mail_server.subjects == ["New lead: Ada Berger"]
    given_up = channel.deliveries.get()
    assert given_up.status == Status.GIVEN_UP
    assert given_up.fell_back_to.status == Status.SENT
    channel.refresh_from_db()
    assert (channel.failing_since, channel.last_error) == (later, "The service answered with status 500.")

    tell(bdr, key="two", now=later)  # known to fail: one try, then e-mail at once
    deliver_all(now=later)

    assert (len(hook.taken), len(mail_server.taken)) == (6, 2)
    assert [told.title for told in operator.notifications.all()] == [
        "My webhook of Mara Lind does not take messages"
    ]
    assert bdr.notifications.filter(kind=Kind.DELIVERY).count() == 1

    hook.status = 200
    tell(bdr, key="three", now=later)
    deliver_all(now=later)

    channel.refresh_from_db()
    assert (channel.failing_since, channel.last_error) == (None, "")
    assert len(mail_server.taken) == 2


def test_who_has_it_by_email_anyhow_gets_no_second_one(
    mail_server: MailServer, hook: Hook, channel: Channel, bdr: User
) -> None:
    hook.status = 404
    tell(bdr)

    deliver_all(now=NOON)

    assert len(mail_server.taken) == 1
    assert channel.deliveries.get().fell_back_to == Delivery.objects.get(channel=None, recipient=bdr)


def test_what_waits_for_a_removed_channel_goes_by_email(
    mail_server: MailServer, hook: Hook, channel: Channel, bdr: User, operator: User
) -> None:
    Preference.objects.create(person=bdr, email_kinds=[])
    tell(bdr)
    remove_channel(channel, by=bdr, now=NOON)

    deliver_all(now=NOON)

    assert (len(mail_server.taken), hook.taken) == (1, [])
    assert not operator.notifications.exists()


def test_a_shared_channel_gets_a_post_once(hook: Hook, channel: Channel) -> None:
    Channel.objects.update(person=None)
    post = Post(Kind.OVERFLOW, "overflow-7", "Nobody is free", url="/queue/")
    for _ in range(2):
        post_to_channels(Channel.objects.shared(), post, now=NOON)
        deliver_all(now=NOON)

    assert hook.titles == ["Nobody is free"]


def test_what_is_taken_back_in_time_never_leaves(mail_server: MailServer, bdr: User, other_bdr: User) -> None:
    tell(bdr, key="back")
    tell(other_bdr, key="stays")

    retract_messages(["back"])
    deliver_all(now=NOON)

    assert [address for address, _ in mail_server.taken] == [other_bdr.email]


def test_who_has_left_is_told_nothing_more(mail_server: MailServer, bdr: User) -> None:
    tell(bdr)
    User.objects.filter(pk=bdr.pk).update(is_active=False)

    deliver_all(now=NOON)

    assert mail_server.taken == []
    assert Delivery.objects.get().status == Status.GIVEN_UP


def test_what_cannot_be_worded_or_read_keeps_back_nothing_else(
    mail_server: MailServer, hook: Hook, channel: Channel, bdr: User, other_bdr: User, settings
) -> None:
    Preference.objects.create(person=bdr, email_kinds=[])
    tell(bdr, other_bdr)
    tell(other_bdr, key="spoilt")
    Delivery.objects.filter(dedupe_key="spoilt").update(facts=[{"unknown": 1}])
    settings.NOTIFICATION_KEYS = ["another key"]

    deliver_all(now=NOON)

    errors = dict(Delivery.objects.exclude(error="").values_list("dedupe_key", "error"))
    assert errors["spoilt"] == "It could not be sent (TypeError)."
    assert errors["one"] == "It can no longer be read, as NOTIFICATION_KEY was changed. Enter it again."
    assert sorted(address for address, _ in mail_server.taken) == sorted([bdr.email, other_bdr.email])


# --- Crashes and company ------------------------------------------------------------------------


def test_a_worker_that_dies_after_sending_leaves_one_message_that_may_come_twice(
    mail_server: MailServer, bdr: User, other_bdr: User
) -> None:
    """The documented limit: the receiver said yes and nobody wrote it down. Its id tells the copy."""
    tell(bdr, other_bdr)
    claims = claim_deliveries(now=NOON)

    class Killed(BaseException):
        pass

    def die_when_it_records(execute, sql: str, *rest: object) -> object:
        if sql.startswith("UPDATE"):
            raise Killed
        return execute(sql, *rest)

    with connection.execute_wrapper(die_when_it_records), pytest.raises(Killed):
        send_claimed(claims.to_send, now=NOON)
    assert len(mail_server.taken) == 1

    deliver_all(now=NOON + LEASE - SECOND)
    assert len(mail_server.taken) == 1  # nobody takes the dead worker's rows before its time is up

    deliver_all(now=NOON + LEASE)
    ids = [message["Message-ID"] for _, message in mail_server.taken]
    assert len(ids) == 3
    assert len(set(ids)) == 2
    assert set(Delivery.objects.values_list("status", flat=True)) == {Status.SENT}


def test_a_worker_that_dies_before_sending_loses_nothing_and_one_that_always_dies_gives_up(
    mail_server: MailServer, bdr: User
) -> None:
    tell(bdr)
    now = NOON
    for _ in range(5):
        assert len(claim_deliveries(now=now).to_send) == 1  # and the worker is gone
        now += LEASE

    deliver_all(now=now)

    assert mail_server.taken == []
    assert Delivery.objects.get().error == "The worker stopped each time this was tried."


def test_a_worker_thought_dead_does_not_overwrite_what_became_of_it(
    mail_server: MailServer, bdr: User
) -> None:
    tell(bdr)
    slow = claim_deliveries(now=NOON).to_send
    deliver_all(now=NOON + LEASE)

    mail_server.refuses[bdr.email] = "550 No such user"
    send_claimed(slow, now=NOON + LEASE + SECOND)

    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.sent_at) == (Status.SENT, NOON + LEASE)


@pytest.mark.django_db(transaction=True)
def test_several_workers_at_once_send_each_message_once(mail_server: MailServer) -> None:
    people = UserFactory.create_batch(12)
    tell(*people)
    start = threading.Barrier(4)

    def work() -> None:
        try:
            start.wait(timeout=30)
            deliver_all(now=NOON)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as workers:
        for job in [workers.submit(work) for _ in range(4)]:
            job.result()

    assert sorted(address for address, _ in mail_server.taken) == sorted(person.email for person in people)
    assert set(Delivery.objects.values_list("status", "attempts")) == {(Status.SENT, 1)}
