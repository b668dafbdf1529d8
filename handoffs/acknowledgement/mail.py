"""The e-mail to a lead: from whom, with which headers."""

from __future__ import annotations

import uuid
from datetime import datetime
from email.utils import formataddr, parseaddr
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse

from accounts.models import User
from common.errors import NotAllowed
from handoffs.acknowledgement.words import Arrival, word_answer
from handoffs.models import AcknowledgementPolicy
from notifications.by_email import MailBag
from sla.business_hours import WorkingCalendar
from sla.timeline import CalendarError


def compose(
    policy: AcknowledgementPolicy, arrival: Arrival, *, to: str, unsubscribe: str, reference: str
) -> EmailMessage:
    """The e-mail as it leaves. The same reference at every try, so that mail programs can tell a copy."""
    answer = word_answer(policy.subject, policy.body, arrival, unsubscribe=unsubscribe)
    return EmailMessage(
        subject=answer.subject,
        body=answer.text,
        from_email=_sender(policy),
        to=[to],
        reply_to=[policy.reply_to] if policy.reply_to else None,
        headers={
            "Message-ID": f"<{reference}@{urlsplit(settings.PORTAL_URL).hostname}>",
            # Other machines that answer by themselves leave ours alone (RFC 3834).
            "Auto-Submitted": "auto-replied",
            "X-Auto-Response-Suppress": "All",
            # The button that mail programs show, and what it posts (RFC 2369, RFC 8058).
            "List-Unsubscribe": f"<{unsubscribe}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )


def opening_after(hours: WorkingCalendar, at: datetime) -> datetime:
    """When somebody is at work again; `at` itself by a calendar that knows no such hour."""
    try:
        return hours.next_open(at)
    except CalendarError:
        return at


def sample_link() -> str:
    """Stands where the link to unsubscribe will be; it leads to the page that says it does not work."""
    return f"{settings.PORTAL_URL}{reverse('unsubscribe', args=['sample'])}"


def send_sample(policy: AcknowledgementPolicy, arrival: Arrival, *, by: User) -> None:
    """Send what an invented lead would get to whoever words it, one try only.

    Raises NotDelivered with the reason, and NotAllowed for somebody without an address.
    """
    if not by.email:
        raise NotAllowed("You have no e-mail address here. Add one to your profile.")
    bag = MailBag()
    reference = f"acknowledgement-sample-{uuid.uuid4()}"
    try:
        bag.post(compose(policy, arrival, to=by.email, unsubscribe=sample_link(), reference=reference))
    finally:
        bag.close()


def _sender(policy: AcknowledgementPolicy) -> str:
    """The address of the portal's mail, under the name that the policy gives it."""
    name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return formataddr((policy.sender_name or name, address))
