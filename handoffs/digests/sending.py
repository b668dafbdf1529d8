"""Making the summaries that are due, each once."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import transaction

from handoffs.digests.day import sum_up_day
from handoffs.digests.turns import Turn, turns_at
from handoffs.digests.week import sum_up_week
from notifications.models import Digest, Notification
from notifications.services import Message, send_messages

log = structlog.get_logger(__name__)


def send_due_digests(*, now: datetime) -> int:
    """Make the summaries that are due at `now`; say how many had something to say.

    Any number may run at once. One that fails keeps back no other, and is tried again by the next sweep.
    """
    sent = 0
    for turn in turns_at(now):
        try:
            sent += _make(turn, now=now)
        except Exception as error:
            log.exception(
                "digest_not_made", person=turn.person.pk, kind=turn.kind, error=type(error).__name__
            )
    return sent


@transaction.atomic
def _make(turn: Turn, *, now: datetime) -> bool:
    """Make one, unless somebody else has. Nothing to say is nothing sent, and not asked again that day."""
    _, is_new = Digest.objects.get_or_create(
        person=turn.person, kind=turn.kind, on=turn.on, defaults={"made_at": now}
    )
    if not is_new:
        return False
    summary = (sum_up_day if turn.kind == Digest.Kind.DAILY else sum_up_week)(turn, now=now)
    if summary is None:
        return False
    message = Message(
        kind=Notification.Kind.DIGEST,
        dedupe_key=f"digest-{turn.kind}-{turn.on}",
        title=summary.title,
        body=summary.body,
        url=summary.url,
        facts=summary.facts,
        recipient=turn.person,
    )
    send_messages([message], now=now)
    return True
