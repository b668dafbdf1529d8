"""Adding, trying out and removing ways out of the portal; and trying again what could not be delivered."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import transaction

from accounts.models import User
from common.errors import DomainError, NotAllowed
from notifications.addresses import ending_of, read_address
from notifications.by_email import MailBag
from notifications.delivering import LEASE, send
from notifications.models import Channel, Delivery, Notification
from notifications.models.channels import MAY_KEEP_SHARED_ONES
from notifications.outcomes import NotDelivered
from notifications.sealing import reseal, seal
from notifications.templates import Templates
from notifications.wording import Words

# More is a slip, or somebody who uses the portal as a relay.
MOST_OF_ONE_PERSON = 10


def may_see_all(user: User) -> bool:
    """Read the whole log, send again what was given up, and keep the shared channels."""
    return user.role in MAY_KEEP_SHARED_ONES or user.is_superuser


class TooManyChannels(DomainError):
    """A person has as many channels as one may have."""


class NotGivenUp(DomainError):
    """Only what was given up can be tried again."""


@transaction.atomic
def add_channel(person: User | None, *, name: str, address: str, by: User, now: datetime) -> Channel:
    """Give a person a channel of their own, or (None) the portal a shared one for pools.

    Raises InvalidInput for an address that cannot be used, NotAllowed, and TooManyChannels.
    """
    _refuse_others(person, by)
    if person and Channel.objects.kept().filter(person=person).count() >= MOST_OF_ONE_PERSON:
        raise TooManyChannels(f"{MOST_OF_ONE_PERSON} channels are enough. Remove one first.")
    service = read_address(address)
    return Channel.objects.create(
        name=name,
        person=person,
        service=service.name,
        sealed_address=seal(address),
        ending=ending_of(address),
        created_at=now,
    )


def change_address(channel: Channel, *, address: str, by: User) -> None:
    """Point a channel somewhere else; what was wrong with the old address is forgotten.

    Raises InvalidInput for an address that cannot be used, and NotAllowed.
    """
    _refuse_others(channel.person, by)
    channel.service = read_address(address).name
    channel.sealed_address = seal(address)
    channel.ending = ending_of(address)
    channel.failing_since, channel.last_error = None, ""
    channel.save(update_fields=["service", "sealed_address", "ending", "failing_since", "last_error"])


@transaction.atomic
def remove_channel(channel: Channel, *, by: User, now: datetime) -> None:
    """Forget the address for good; the log keeps the name. What waits for it falls back to e-mail."""
    _refuse_others(channel.person, by)
    Channel.objects.kept().filter(pk=channel.pk).update(
        removed_at=now, is_active=False, sealed_address=b"", failing_since=None, last_error=""
    )


def reseal_channels() -> int:
    """Seal all addresses with the first of the keys, so that the others can go; say how many there were.

    Raises CannotUnseal at the first that none of the keys opens.
    """
    channels = list(Channel.objects.kept())
    for channel in channels:
        Channel.objects.kept().filter(pk=channel.pk).update(sealed_address=reseal(channel.sealed_address))
    return len(channels)


def send_test(channel: Channel, *, by: User, now: datetime) -> None:
    """Send a test message at once, one try only. Raises NotDelivered with the reason."""
    _refuse_others(channel.person, by)
    words = Words(
        "Test from the Handoff Portal",
        f"If you can read this, “{channel.name}” works. {by} asked for this test.",
    )
    _send_at_once(channel.person, channel, Notification.Kind.DELIVERY, words, now=now)
    Channel.objects.failing().filter(pk=channel.pk).update(failing_since=None, last_error="")


def send_sample(kind: str, words: Words, *, by: User, now: datetime) -> None:
    """Send an invented message in these words to whoever edits them. Raises NotDelivered with the reason."""
    _send_at_once(by, None, kind, words, now=now)


def retry_delivery(delivery: Delivery, *, by: User, now: datetime) -> None:
    """Give a delivery all its tries again. Raises NotAllowed, and NotGivenUp when it is not over."""
    if not may_see_all(by):
        raise NotAllowed("Only operators and managers send messages again.")
    queued = Delivery.objects.given_up().filter(pk=delivery.pk)
    if not queued.update(status=Delivery.Status.QUEUED, attempts=0, next_try_at=now):
        raise NotGivenUp("This message is not given up, so there is nothing to try again.")


def _send_at_once(
    recipient: User | None, channel: Channel | None, kind: str, words: Words, *, now: datetime
) -> None:
    """Claim, send, record as the workers do, but for somebody who waits for the answer."""
    delivery = Delivery.objects.create(
        recipient=recipient,
        channel=channel,
        kind=kind,
        dedupe_key=f"test-{uuid.uuid4()}",
        title=words.subject[:200],
        subject=words.subject,
        text=words.text,
        status=Delivery.Status.SENDING,
        queued_at=now,
        claimed_at=now,
        next_try_at=now + LEASE,
        attempts=1,
    )
    bag = MailBag()
    row = Delivery.objects.filter(pk=delivery.pk)
    try:
        send(delivery, bag, Templates.of([kind]))
    except NotDelivered as failure:
        row.update(status=Delivery.Status.GIVEN_UP, next_try_at=None, error=failure.reason)
        raise
    finally:
        bag.close()
    row.update(status=Delivery.Status.SENT, next_try_at=None, sent_at=now)


def _refuse_others(person: User | None, by: User) -> None:
    """One's own channels are one's own; shared ones belong to operators and managers."""
    if not (by == person if person else may_see_all(by)):
        raise NotAllowed("Only the person themselves, or an operator for shared channels, may do this.")
