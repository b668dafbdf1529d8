"""Telling people, once per event."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from accounts.models import User
from common.bulk import insert_rows
from notifications.models import Notification


@dataclass(frozen=True)
class Message:
    """One message to one person. Sending another with the same dedupe key changes nothing."""

    recipient: User
    kind: Notification.Kind
    dedupe_key: str
    title: str
    body: str = ""
    url: str = ""


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
        (Message(recipient, kind, dedupe_key, title, body, url) for recipient in recipients), now=now
    )


def send_messages(messages: Iterable[Message], *, now: datetime) -> None:
    """Queue many messages, each to its own recipient, in one statement."""
    insert_rows(
        Notification,
        [
            {
                "recipient_id": message.recipient.pk,
                "kind": message.kind,
                "dedupe_key": message.dedupe_key,
                "title": message.title[:200],
                "body": message.body[:500],
                "url": message.url,
                "created_at": now,
            }
            for message in messages
        ],
        ignore_conflicts=True,
    )


def retract_messages(dedupe_keys: Collection[str]) -> list[User]:
    """Take back messages that no longer hold, unless they were read; return who had read one."""
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
