"""Sending what is queued: claim, send, record.

The mark is `Delivery.next_try_at`. Any number of workers may run at once: each claims rows nobody else holds,
in a short transaction that counts the try. While a delivery is on its way the mark is when its worker counts
as dead; only a worker that died after the receiver said yes, and before it wrote that down, sends twice.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction

from common.bulk import update_rows
from notifications.by_apprise import post_to_address
from notifications.by_email import MailBag
from notifications.failing import give_up, note_success
from notifications.merging import merge_held
from notifications.models import Channel, Delivery
from notifications.outcomes import NotDelivered
from notifications.preferences import Quietness
from notifications.sealing import CannotUnseal, unseal
from notifications.templates import Templates
from notifications.wording import Fact, Letter, Words, lead_text, word_message

log = structlog.get_logger(__name__)

# So few that a round ends in time even if each has a receiver that does not answer for some ten seconds.
BATCH = 5
# Longer than any task may run, so that nobody who still works is taken for dead.
LEASE = timedelta(minutes=5)
BACK_OFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
MAX_ATTEMPTS = len(BACK_OFF) + 1
_DIED = NotDelivered("The worker stopped each time this was tried.", is_final=True)
_LEFT = NotDelivered("The person has no account in use any more.", is_final=True)


def deliver_due(*, now: datetime, limit: int = BATCH) -> int:
    """Send some of what is due at `now`, oldest first, and say how many were looked at; 0: nothing is due."""
    claims = claim_deliveries(now=now, limit=limit)
    send_claimed(claims.to_send, now=now)
    for delivery, reason in claims.hopeless:
        give_up(delivery, reason, now=now)
    return claims.looked_at


class Claims:
    """What one worker took: to be sent, to be given up, or put off until somebody's quiet hours end."""

    def __init__(self) -> None:
        self.to_send: list[Delivery] = []
        self.hopeless: list[tuple[Delivery, NotDelivered]] = []
        self.put_off: list[Delivery] = []

    @property
    def deliveries(self) -> list[Delivery]:
        return [*self.to_send, *(delivery for delivery, _ in self.hopeless), *self.put_off]

    @property
    def looked_at(self) -> int:
        return len(self.deliveries)


@transaction.atomic
def claim_deliveries(*, now: datetime, limit: int = BATCH) -> Claims:
    """Take what is due and in nobody's hands. A try counts from here on, whatever becomes of it."""
    due = (
        Delivery.objects.due(now)
        .foremost(now)
        .select_related("recipient", "channel")
        .select_for_update(skip_locked=True, no_key=True, of=("self",))
        .order_by("next_try_at", "pk")[:limit]
    )
    deliveries = list(due)
    claims = Claims()
    if not deliveries:
        return claims
    quietness = Quietness.of(each.recipient for each in deliveries)
    for delivery in deliveries:
        _claim(delivery, claims, quietness, now=now)
    changed = ["status", "next_try_at", "held_at", "claimed_at", "attempts"]
    Delivery.objects.bulk_update(claims.deliveries, changed)
    return claims


def _claim(delivery: Delivery, claims: Claims, quietness: Quietness, *, now: datetime) -> None:
    if delivery.status == Delivery.Status.SENDING:
        log.warning("delivery_claim_expired", delivery=delivery.pk, attempts=delivery.attempts)
    quiet_until = quietness.end(delivery.recipient, now)
    if quiet_until:
        delivery.status = Delivery.Status.QUEUED
        delivery.next_try_at = quiet_until
        delivery.held_at = delivery.held_at or now
        claims.put_off.append(delivery)
        return
    delivery = merge_held(delivery, now=now) or delivery
    delivery.status = Delivery.Status.SENDING
    delivery.claimed_at = now
    delivery.next_try_at = now + LEASE
    if delivery.recipient and not delivery.recipient.is_active:
        claims.hopeless.append((delivery, _LEFT))
    elif delivery.attempts >= MAX_ATTEMPTS:
        claims.hopeless.append((delivery, _DIED))
    else:
        delivery.attempts += 1
        claims.to_send.append(delivery)


def send_claimed(deliveries: Sequence[Delivery], *, now: datetime) -> None:
    """Send what this worker claimed, outside of any transaction, and record each as it went."""
    bag = MailBag()
    templates = Templates.of(each.kind for each in deliveries)
    # A way that was down a moment ago is not asked again in the same round: its silence takes seconds.
    down: dict[int | None, NotDelivered] = {}
    try:
        for delivery in deliveries:
            failure = down.get(delivery.channel_id) or _try_to_send(delivery, bag, templates)
            if failure is None:
                _record_sent(delivery, now=now)
            else:
                record_failure(delivery, failure, now=now)
                if failure.is_everywhere:
                    down[delivery.channel_id] = failure
    finally:
        bag.close()


def _try_to_send(delivery: Delivery, bag: MailBag, templates: Templates) -> NotDelivered | None:
    try:
        send(delivery, bag, templates)
    except NotDelivered as failure:
        return failure
    except Exception as error:
        # Where it happened, but not its message, which may hold an address.
        last = traceback.extract_tb(error.__traceback__)[-1]
        log.error(
            "delivery_failed",
            delivery=delivery.pk,
            error=type(error).__name__,
            where=f"{last.name}:{last.lineno}",
        )
        return NotDelivered(f"It could not be sent ({type(error).__name__}).")
    return None


def send(delivery: Delivery, bag: MailBag, templates: Templates) -> None:
    """Word a delivery, unless an earlier try did, and hand it over to its way. Raises NotDelivered."""
    letter = letter_of(delivery)
    template = templates.template(delivery.kind)
    if not delivery.subject:
        delivery.subject, delivery.text = word_message(template, letter)
    words = Words(delivery.subject, delivery.text)
    channel = delivery.channel
    if channel is None:
        bag.send(delivery, words)
        return
    try:
        post_to_address(
            _address_of(channel),
            words,
            lead=lead_text(template, letter),
            facts=letter.facts,
            link=letter.link,
            reference=f"delivery-{delivery.pk}",
        )
    except NotDelivered as failure:
        failure.is_everywhere = True
        raise


def _address_of(channel: Channel) -> str:
    if channel.removed_at or not channel.is_active:
        raise NotDelivered("The channel is no longer in use.", is_final=True)
    try:
        return unseal(channel.sealed_address)
    except CannotUnseal as error:
        raise NotDelivered(str(error), is_final=True) from error


def record_past_as_sent(*, now: datetime) -> int:
    """Put down what is queued as sent in its time, without sending it; say how many there were.

    For histories that are made up: nobody wants the e-mails of an invented year. What somebody's quiet hours
    hold back until after `now` stays queued until then.
    """
    due = list(Delivery.objects.due(now).select_related("recipient").defer("body", "facts"))
    quietness = Quietness.of(delivery.recipient for delivery in due)
    rows = []
    for delivery in due:
        quiet_until = quietness.end(delivery.recipient, delivery.queued_at)
        is_sent = quiet_until is None or quiet_until <= now
        rows.append(
            {
                "id": delivery.pk,
                "status": Delivery.Status.SENT if is_sent else Delivery.Status.QUEUED,
                "sent_at": quiet_until or delivery.queued_at if is_sent else None,
                "next_try_at": None if is_sent else quiet_until,
                "held_at": delivery.queued_at if quiet_until else None,
                "attempts": int(is_sent),
            }
        )
    update_rows(Delivery, rows)
    return len(due)


def letter_of(delivery: Delivery) -> Letter:
    return Letter(
        title=delivery.title,
        body=delivery.body,
        link=settings.PORTAL_URL + delivery.url if delivery.url else "",
        facts=[Fact(**fact) for fact in delivery.facts],
        recipient=delivery.recipient.first_name if delivery.recipient else "",
    )


@transaction.atomic
def _record_sent(delivery: Delivery, *, now: datetime) -> None:
    if _finish(delivery, status=Delivery.Status.SENT, sent_at=now, next_try_at=None, error=""):
        note_success(delivery)


@transaction.atomic
def record_failure(delivery: Delivery, failure: NotDelivered, *, now: datetime) -> None:
    """Put the next try off, longer each time; give up when it is of no use, or after the last try.

    A channel that is known to fail gets one try per message, so that its messages fall back at once.
    """
    is_known_to_fail = bool(delivery.channel and delivery.channel.failing_since)
    if failure.is_final or is_known_to_fail or delivery.attempts >= MAX_ATTEMPTS:
        give_up(delivery, failure, now=now)
        return
    _finish(
        delivery,
        status=Delivery.Status.QUEUED,
        next_try_at=now + BACK_OFF[delivery.attempts - 1],
        error=failure.reason,
    )


def _finish(delivery: Delivery, **changes: object) -> bool:
    """Write the outcome, unless somebody else has taken the delivery over in the meantime."""
    mine = Delivery.objects.filter(
        pk=delivery.pk, status=Delivery.Status.SENDING, claimed_at=delivery.claimed_at
    )
    worded = {"subject": delivery.subject, "text": delivery.text}
    return bool(mine.update(**worded, **changes))
