"""Telling people, once per event."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import transaction

from accounts.models import User
from notifications.models import Channel, Delivery, Notification
from notifications.queueing import (
    Invitation,
    Message,
    Post,
    queue_by_email,
    queue_for_channels,
    tell,
)
from notifications.wording import Fact

__all__ = [
    "Fact",
    "Invitation",
    "Message",
    "Post",
    "mark_one_read",
    "mark_read",
    "notify_users",
    "post_to_channels",
    "retract_messages",
    "send_invitations",
    "send_messages",
]


def notify_users(
    recipients: Iterable[User],
    *,
    kind: Notification.Kind,
    dedupe_key: str,
    title: str,
    body: str = "",
    url: str = "",
    now: datetime,
) -> None:
    """Queue a message for each recipient. Repeating it with the same dedupe key changes nothing."""
    send_messages(
        (Message(kind, dedupe_key, title, body, url, recipient=each) for each in recipients), now=now
    )


def send_messages(messages: Iterable[Message], *, now: datetime) -> None:
    """Queue many messages, each to its own recipient, in one statement.

    They are in the portal when the transaction commits. What else each recipient has asked for, e-mail or
    channels of their own, leaves soon after, outside of quiet hours.
    """
    tell(messages, now=now)


def send_invitations(messages: Iterable[Message], *, now: datetime) -> None:
    """Queue changes of appointments: calendars read them out of the mail, so no other way is of use."""
    queue_by_email(messages, now=now)


def post_to_channels(channels: Iterable[Channel], post: Post, *, now: datetime) -> None:
    """Queue a post for shared channels, such as those of a pool. Repeating it changes nothing."""
    queue_for_channels(channels, post, now=now)


@transaction.atomic
def retract_messages(dedupe_keys: Collection[str]) -> list[User]:
    """Take back messages that no longer hold, unless they were read; return who had read one.

    What has not left the portal yet does not leave it any more.
    """
    Delivery.objects.not_begun().filter(recipient__isnull=False, dedupe_key__in=dedupe_keys).delete()
    # The index of keys begins with the recipient, and people are few.
    everybody = list(User.objects.values_list("pk", flat=True))
    messages = Notification.objects.filter(recipient__in=everybody, dedupe_key__in=dedupe_keys)
    messages.unread().delete()
    return list(User.objects.filter(notifications__in=messages).distinct())


def mark_read(user: User, *, now: datetime) -> int:
    """Mark all of a person's unread messages as read; say how many there were."""
    return Notification.objects.visible_to(user).unread().update(read_at=now)


def mark_one_read(notification: Notification, *, now: datetime) -> None:
    """Mark one message as read. Doing it again keeps the first time."""
    Notification.objects.filter(pk=notification.pk).unread().update(read_at=now)
