"""Leads who want no automatic e-mail any more: by the link in the e-mail itself, or on somebody's word."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.urls import reverse

from accounts.models import User
from common.errors import NotAllowed
from leads.facts import ActivityFacts
from leads.intake import record_activity
from leads.models import AttributeChange, Lead, LeadEvent
from leads.services import log_event

# Who takes down what a lead said on the telephone.
MAY_RECORD = (User.Role.MARKETING, User.Role.MANAGER, User.Role.OPERATOR)
FIELD = "unsubscribed_at"
# The name that tracking stacks give it, so that the rules that count it count ours too.
EVENT = "Email Unsubscribed"

_signer = Signer(sep=".", salt="leads.unsubscribing")


def unsubscribe_link(lead: Lead) -> str:
    """Where whoever holds the link unsubscribes this lead. It names nobody, and never runs out."""
    path = reverse("unsubscribe", args=[_signer.sign(lead.public_id.hex)])
    return f"{settings.PORTAL_URL}{path}"


def find_by_token(token: str) -> Lead | None:
    """The lead whose link this is; None for anything that we did not sign."""
    try:
        public_id = _signer.unsign(token)
    except BadSignature:
        return None
    return Lead.objects.filter(public_id=public_id).first()


@transaction.atomic
def record_unsubscribed(lead: Lead, *, by: User | None, at: datetime, via: str, is_news: bool = True) -> bool:
    """Send this lead no automatic e-mail from now on; False when that was so already.

    `by` is nobody when the lead did it. Not `is_news`: what the lead did is among its activities already.
    Raises NotAllowed.
    """
    _require_recorder(by)
    lead = Lead.objects.lock(lead.pk)
    if lead.unsubscribed_at is not None:
        return False
    _keep(lead, at, by=by, at=at, via=via)
    if is_news:
        # A fact that counts towards the score, if the rules say so.
        message_id = f"unsubscribed-{lead.public_id}-{at.isoformat()}"
        facts = ActivityFacts(event=EVENT, occurred_at=at, message_id=message_id)
        record_activity(lead, facts, via=via, now=at)
    return True


@transaction.atomic
def record_subscribed_again(lead: Lead, *, by: User, at: datetime) -> bool:
    """Take it back: it was a mistake, or the lead asks for it. False when there is nothing to take back.

    What the lead did stays on record and in the score. Raises NotAllowed.
    """
    _require_recorder(by)
    lead = Lead.objects.lock(lead.pk)
    if lead.unsubscribed_at is None:
        return False
    _keep(lead, None, by=by, at=at, via="portal")
    return True


def subscribed_again_at(lead: Lead) -> datetime | None:
    """When somebody last took an unsubscription back: what the lead said before that no longer holds."""
    taken_back = AttributeChange.objects.filter(lead=lead, field=FIELD, new_value="")
    return taken_back.order_by("-changed_at").values_list("changed_at", flat=True).first()


def _require_recorder(by: User | None) -> None:
    if by is not None and by.role not in MAY_RECORD and not by.is_superuser:
        raise NotAllowed("Only marketing, managers and operators record who wants no automatic e-mail.")


def _keep(lead: Lead, value: datetime | None, *, by: User | None, at: datetime, via: str) -> None:
    AttributeChange.objects.create(
        lead=lead,
        field=FIELD,
        old_value=_in_words(lead.unsubscribed_at),
        new_value=_in_words(value),
        changed_at=at,
        source=via,
        by=by,
    )
    lead.unsubscribed_at = value
    lead.save(update_fields=[FIELD])
    log_event(lead, LeadEvent.Kind.ATTRIBUTES_CHANGED, at=at, by=by, fields=[FIELD], via=via)


def _in_words(at: datetime | None) -> str:
    """As the history keeps it, for people to read."""
    return f"{at:%Y-%m-%d %H:%M %Z}" if at else ""
