"""What waited for the end of somebody's quiet hours leaves as one message instead of ten."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.urls import reverse

from notifications.models import Delivery, Notification
from notifications.wording import Fact

# Two messages are read one after the other; from here on one that lists them is.
FROM = 3
MOST_LISTED = 30


def merge_held(delivery: Delivery, *, now: datetime) -> Delivery | None:
    """Put one summary in the place of this delivery and all others that were held for the same person over
    the same way; None when they are too few, or it was not held.

    The caller holds the lock of the delivery, in the transaction that claims it.
    """
    if delivery.held_at is None or delivery.attempts or delivery.calendar:
        return None
    same_way = Delivery.objects.held().due(now).filter(recipient=delivery.recipient, channel=delivery.channel)
    others = same_way.exclude(pk=delivery.pk).select_for_update(skip_locked=True, no_key=True, of=("self",))
    held = [delivery, *others.order_by("pk")]
    if len(held) < FROM:
        return None
    summary = Delivery.objects.create(
        recipient=delivery.recipient,
        channel=delivery.channel,
        kind=Notification.Kind.DIGEST,
        dedupe_key=f"held-{delivery.pk}",
        title=f"{len(held)} messages from your quiet hours",
        url=reverse("notifications:list"),
        facts=[fact._asdict() for fact in _lines(held)],
        queued_at=now,
        next_try_at=now,
    )
    Delivery.objects.filter(pk__in=[each.pk for each in held]).update(
        status=Delivery.Status.MERGED, next_try_at=None, merged_into=summary
    )
    return summary


def _lines(held: Sequence[Delivery]) -> list[Fact]:
    """Each with what it is and where it is."""
    lines = [
        Fact("message", each.get_kind_display(), f"{each.title} {_link(each)}".strip())
        for each in held[:MOST_LISTED]
    ]
    if more := len(held) - len(lines):
        lines.append(Fact("message", "And", f"{more} more, in the portal"))
    return lines


def _link(delivery: Delivery) -> str:
    return f"{settings.PORTAL_URL}{delivery.url}" if delivery.url else ""
