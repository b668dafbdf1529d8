"""What follows when a message cannot be delivered: e-mail instead, and people are told once."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import models, transaction
from django.urls import reverse

from accounts.models import User
from notifications.by_email import is_set_up
from notifications.models import Channel, Delivery, Notification
from notifications.outcomes import NotDelivered
from notifications.services import notify_users

log = structlog.get_logger(__name__)


@transaction.atomic
def give_up(delivery: Delivery, failure: NotDelivered, *, now: datetime) -> None:
    """End a delivery without success. A channel's message to a person goes by e-mail instead, once.

    Changes nothing if somebody else has taken the delivery over, or it is over.
    """
    mine = Delivery.objects.filter(
        pk=delivery.pk, status=Delivery.Status.SENDING, claimed_at=delivery.claimed_at
    )
    if not mine.update(status=Delivery.Status.GIVEN_UP, next_try_at=None, error=failure.reason):
        return
    _fall_back(delivery, now=now)
    log.warning("delivery_given_up", delivery=delivery.pk, attempts=delivery.attempts)
    if delivery.channel is None:
        _report_email(delivery, failure, now=now)
    elif delivery.channel.is_active:
        _report_channel(delivery.channel, failure, now=now)


def note_success(delivery: Delivery) -> None:
    """A message arrived: whatever was wrong with its channel is over."""
    channel = delivery.channel
    if channel is not None and channel.failing_since:
        Channel.objects.failing().filter(pk=channel.pk).update(failing_since=None, last_error="")


def _fall_back(delivery: Delivery, *, now: datetime) -> None:
    """Queue the same by e-mail. If e-mail has it anyhow, that one is what it fell back to.

    Of a summary each message is queued: e-mail may have had some of them, in a summary of its own.
    """
    person = delivery.recipient
    if delivery.channel is None or person is None or not (is_set_up() and person.is_active and person.email):
        return
    copied = ("kind", "title", "body", "url", "facts", "calendar", "calendar_method", "subject", "text")
    for message in list(Delivery.objects.filter(merged_into=delivery).order_by("pk")) or [delivery]:
        fields = {name: getattr(message, name) for name in (*copied, "held_at")}
        instead, _ = Delivery.objects.get_or_create(
            recipient=person,
            channel=None,
            dedupe_key=message.dedupe_key,
            defaults=fields | {"queued_at": now, "next_try_at": now},
        )
        Delivery.objects.filter(pk=message.pk).update(fell_back_to=instead)


def _report_channel(channel: Channel, failure: NotDelivered, *, now: datetime) -> None:
    """Mark the channel, and tell its owner and the operators when that is new."""
    began = Channel.objects.kept().filter(pk=channel.pk, failing_since=None)
    if not began.update(failing_since=now, last_error=failure.reason):
        Channel.objects.kept().filter(pk=channel.pk).update(last_error=failure.reason)
        return
    owner = channel.person
    key = f"channel-{channel.pk}-failing-{now.isoformat()}"
    instead = " What it should have sent goes by e-mail." if owner else ""
    notify_users(
        [operator for operator in _operators() if operator != owner],
        kind=Notification.Kind.DELIVERY,
        dedupe_key=key,
        title=f"{channel.name}{f' of {owner}' if owner else ''} does not take messages",
        body=failure.reason + instead,
        url=f"{reverse('notifications:deliveries')}?status={Delivery.Status.GIVEN_UP}",
        now=now,
    )
    if owner is not None:
        notify_users(
            [owner],
            kind=Notification.Kind.DELIVERY,
            dedupe_key=key,
            title=f"Your channel {channel.name} does not take messages",
            body=failure.reason + instead,
            url=reverse("notifications:preferences"),
            now=now,
        )


def _report_email(delivery: Delivery, failure: NotDelivered, *, now: datetime) -> None:
    """Tell the operators once a day: of the server as a whole, or of each address it refuses."""
    what = f"to {delivery.recipient} " if failure.is_final else ""
    who = f"person-{delivery.recipient_id}" if failure.is_final else "server"
    notify_users(
        _operators(),
        kind=Notification.Kind.DELIVERY,
        dedupe_key=f"email-failing-{who}-{now:%Y-%m-%d}",
        title=f"E-mail {what}does not arrive",
        body=failure.reason,
        url=f"{reverse('notifications:deliveries')}?status={Delivery.Status.GIVEN_UP}",
        now=now,
    )


def _operators() -> models.QuerySet[User]:
    return User.objects.filter(role=User.Role.OPERATOR, is_active=True)
