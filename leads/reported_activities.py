"""Activities that name their lead by id or address: finding whom each is about, refusing one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from common.errors import InvalidInput
from leads.activities import clean_event
from leads.addresses import normalise_email
from leads.facts import ActivityFacts, LeadFacts
from leads.intake import record_activities, record_lead
from leads.models import Activity, Lead


@dataclass(frozen=True, slots=True)
class ActivityItem:
    """One item of a batch, about the lead of this id, or of this address."""

    index: int
    facts: ActivityFacts
    lead_id: int | None = None
    email: str = ""


def take_activities(
    items: Sequence[ActivityItem], *, via: str, now: datetime
) -> tuple[list[Activity], list[tuple[int, InvalidInput]]]:
    """Append the events whose lead is known or has an address; an unknown address becomes a lead.

    Answers the activities, those seen before included, and the refused items with their index.
    """
    known, refused = _find_leads(items, via=via, now=now)
    pairs = [(known[item.index], item.facts) for item in items if item.index in known]
    record_activities(pairs, via=via, now=now)
    message_ids = [facts.message_id for _, facts in pairs]
    kept = {activity.message_id: activity for activity in Activity.objects.filter(message_id__in=message_ids)}
    return [kept[message_id] for message_id in message_ids], refused


def _find_leads(
    items: Sequence[ActivityItem], *, via: str, now: datetime
) -> tuple[dict[int, Lead], list[tuple[int, InvalidInput]]]:
    by_id = Lead.objects.in_bulk({item.lead_id for item in items if item.lead_id})
    by_email: dict[str, Lead] = {}
    found, refused = {}, []
    for item in items:
        try:
            clean_event(item.facts)
            found[item.index] = (
                _lead_of_id(item.lead_id, by_id)
                if item.lead_id
                else _lead_of_email(item.email, by_email, via=via, now=now)
            )
        except InvalidInput as error:
            refused.append((item.index, error))
    return found, refused


def _lead_of_id(lead_id: int, known: dict[int, Lead]) -> Lead:
    if lead_id not in known:
        raise InvalidInput(f"There is no lead {lead_id}.", field="lead")
    return known[lead_id]


def _lead_of_email(text: str, known: dict[str, Lead], *, via: str, now: datetime) -> Lead:
    email = normalise_email(text)
    if email not in known:
        lead = Lead.objects.filter(email=email).first()
        known[email] = lead or record_lead(LeadFacts(email=email), via=via, now=now).lead
    return known[email]
