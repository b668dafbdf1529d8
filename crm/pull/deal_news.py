"""What happens to a deal in Salesforce that its handoff cannot follow by itself: people are told, once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.urls import reverse

from accounts.models import User
from crm.models import Conversion
from handoffs.models import Handoff
from leads.models import Lead, LeadEvent
from leads.services import log_event
from notifications.models import Notification
from notifications.services import notify_users

# What a conversion says instead of the stage of a deal that is in the recycle bin there.
DELETED = "Deleted"


def log_stage(lead: Lead, *, was: str, became: str, now: datetime) -> None:
    log_event(
        lead,
        LeadEvent.Kind.CRM_CHANGED,
        at=now,
        field="StageName",
        was=was,
        became=became,
        why=f"deal: {was} → {became}",
    )


def tell_deleted(lead: Lead, handoff: Handoff | None, deal: Conversion, *, now: datetime) -> None:
    """Operators, and whoever owns the handoff: whether it was lost is for them to say."""
    key = f"crm-deal-deleted-{deal.opportunity_id}-{deal.deal_stamp}"
    title, name = "A deal was deleted in Salesforce", deal.deal_name or deal.opportunity_id
    operators = User.objects.filter(role=User.Role.OPERATOR, is_active=True)
    words = f"“{name}” of {lead.name}. Take it out of the recycle bin there, if that was a mistake."
    _tell(operators, key=key, title=title, body=words, url=reverse("crm:lead", args=[lead.pk]), now=now)
    if handoff is not None and handoff.owner is not None:
        advice = (
            "Close the handoff as lost, if it is."
            if handoff.is_open
            else "The closed handoff stays as it is."
        )
        url = reverse("handoffs:detail", args=[handoff.pk])
        _tell(
            [handoff.owner], key=key, title=title, body=f"“{name}” of {lead.name}. {advice}", url=url, now=now
        )


def tell_disagreement(lead: Lead, handoff: Handoff, deal: Conversion, *, now: datetime) -> None:
    """Its deal was reopened, or ended otherwise, after the handoff was closed, which stays so."""
    ended = handoff.get_status_display().lower()
    words = "ended otherwise in Salesforce" if deal.is_closed else "reopened in Salesforce"
    log_event(
        lead,
        LeadEvent.Kind.CRM_FLAGGED,
        at=now,
        handoff_id=handoff.pk,
        why=f"deal {words}, the handoff stays {ended}",
    )
    if handoff.owner is not None:
        _tell(
            [handoff.owner],
            key=f"crm-deal-otherwise-{deal.opportunity_id}-{deal.deal_stamp}",
            title=f"Deal {words}",
            body=f"“{deal.deal_name}” of {lead.name} is in “{deal.deal_stage}” there. The handoff was closed "
            f"as {ended} and stays so.",
            url=reverse("handoffs:detail", args=[handoff.pk]),
            now=now,
        )


def agrees(handoff: Handoff, deal: Conversion) -> bool:
    """Whether a closed handoff ended as its deal did."""
    is_won, is_lost = deal.is_won, deal.is_closed and not deal.is_won
    return is_won if handoff.status == Handoff.Status.WON else is_lost


def _tell(people: Iterable[User], *, key: str, title: str, body: str, url: str, now: datetime) -> None:
    notify_users(people, kind=Notification.Kind.CRM, dedupe_key=key, title=title, body=body, url=url, now=now)
