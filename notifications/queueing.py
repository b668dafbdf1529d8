"""Putting messages where they will be seen: in the portal at once, on the other ways as deliveries.

One statement writes both, for any number of messages, so whoever has no way besides the portal costs nothing
more. Quiet hours are looked at when a delivery is about to be sent, so that a change of them counts at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from accounts.models import User
from common.bulk import insert_rows
from common.prepared import execute_prepared
from notifications.by_email import is_set_up
from notifications.models import Channel, Delivery, Notification
from notifications.models.preferences import usual_channel_kinds, usual_email_kinds
from notifications.wording import Fact

_GIVEN = """
    given AS (
        SELECT * FROM json_to_recordset(%(messages)s::json) AS message (
            recipient_id bigint, kind varchar, dedupe_key varchar, title varchar, body varchar, url varchar,
            facts jsonb, calendar text, calendar_method varchar
        )
    )"""

# Only what is new is delivered: a message told before is in `given` but not in `told`.
_TELL = f"""
    WITH {_GIVEN},
    told AS (
        INSERT INTO notifications_notification (recipient_id, kind, dedupe_key, title, body, url, created_at)
        SELECT recipient_id, kind, dedupe_key, title, body, url, %(now)s::timestamptz FROM given
        ON CONFLICT DO NOTHING
        RETURNING recipient_id, dedupe_key
    )
    INSERT INTO notifications_delivery (
        recipient_id, channel_id, kind, dedupe_key, title, body, url, facts, calendar, calendar_method,
        subject, text, status, queued_at, next_try_at, attempts, error
    )
    SELECT given.recipient_id, way.channel_id, given.kind, given.dedupe_key, given.title, given.body,
        given.url, given.facts, given.calendar, given.calendar_method,
        '', '', 'queued', %(now)s::timestamptz, %(now)s::timestamptz, 0, ''
    FROM told
    JOIN given USING (recipient_id, dedupe_key)
    JOIN accounts_user person ON person.id = told.recipient_id AND person.is_active
    LEFT JOIN notifications_preference own ON own.person_id = person.id
    LEFT JOIN notifications_preference house ON house.person_id IS NULL
    CROSS JOIN LATERAL (
        SELECT NULL::bigint AS channel_id
        WHERE %(has_mail)s::boolean AND person.email <> '' AND (
            -- Whoever wants invitations gets them with the message they belong to, wanted or not.
            given.calendar <> ''
            OR given.kind = ANY(COALESCE(own.email_kinds, house.email_kinds, %(email_kinds)s::varchar[]))
        )
        UNION ALL
        SELECT channel.id FROM notifications_channel channel
        WHERE channel.person_id = person.id AND channel.is_active
            AND given.kind = ANY(
                COALESCE(own.channel_kinds, house.channel_kinds, %(channel_kinds)s::varchar[])
            )
    ) way
    ON CONFLICT DO NOTHING"""


@dataclass(frozen=True)
class Invitation:
    """An iCalendar file that goes with a message: REQUEST to make or change an appointment, or CANCEL."""

    calendar: str
    method: str = "REQUEST"


@dataclass(frozen=True)
class Post:
    """What is said, to whomever. Facts and invitation are for the ways out of the portal."""

    kind: Notification.Kind
    dedupe_key: str
    title: str
    body: str = ""
    url: str = ""
    facts: Sequence[Fact] = ()
    invitation: Invitation | None = None


@dataclass(frozen=True)
class Message(Post):
    """A post to one person. Sending another with the same dedupe key changes nothing."""

    recipient: User = field(kw_only=True)


def tell(messages: Iterable[Message], *, now: datetime) -> None:
    """Write messages and their deliveries. What was told before is told no more, over no way."""
    rows = [_row(message) | {"recipient_id": message.recipient.pk} for message in messages]
    if not rows:
        return
    parameters: dict[str, Any] = {
        "messages": json.dumps(rows),
        "now": now,
        "has_mail": is_set_up(),
        "email_kinds": [str(kind) for kind in usual_email_kinds()],
        "channel_kinds": [str(kind) for kind in usual_channel_kinds()],
    }
    with connection.cursor() as cursor:
        # Prepared: to read and plan it takes longer than to tell one person.
        execute_prepared(cursor, _TELL, parameters)


def queue_by_email(messages: Iterable[Message], *, now: datetime) -> None:
    """Have messages delivered by e-mail alone, not even shown in the portal; each once."""
    if not is_set_up():
        return
    common = {"queued_at": now, "next_try_at": now}
    rows = [
        _row(message) | common | {"recipient_id": message.recipient.pk}
        for message in messages
        if message.recipient.is_active and message.recipient.email
    ]
    insert_rows(Delivery, rows, ignore_conflicts=True)


def queue_for_channels(channels: Iterable[Channel], post: Post, *, now: datetime) -> None:
    """Have a post delivered to shared channels; to none of them twice."""
    common = _row(post) | {"queued_at": now, "next_try_at": now}
    usable = [channel for channel in channels if channel.is_active]
    insert_rows(Delivery, [common | {"channel_id": channel.pk} for channel in usable], ignore_conflicts=True)


def _row(post: Post) -> dict[str, Any]:
    invitation = post.invitation
    return {
        "kind": str(post.kind),
        "dedupe_key": post.dedupe_key,
        "title": post.title[:200],
        "body": post.body[:500],
        "url": post.url,
        "facts": [fact._asdict() for fact in post.facts],
        "calendar": invitation.calendar if invitation else "",
        "calendar_method": invitation.method if invitation else "",
    }
