"""Telling people, once per event."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from accounts.models import User
from notifications.models import Notification


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
    Notification.objects.bulk_create(
        [
            Notification(
                recipient=recipient,
                kind=kind,
                dedupe_key=dedupe_key,
                title=title[:200],
                body=body[:500],
                url=url,
                created_at=now,
            )
            for recipient in recipients
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
