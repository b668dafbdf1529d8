"""A lead that became a contact, and perhaps a deal, in Salesforce: the handoff follows (CRM-3)."""

from __future__ import annotations

from datetime import datetime

from crm.models import Conversion, LeadSync
from crm.pull.rows import RemoteLead
from crm.pull.status import ask_whose_it_is, take_up
from handoffs.models import Handoff
from handoffs.reported import OwnedByNobody, open_deal_as_reported
from leads.models import Lead, LeadEvent
from leads.services import log_event


def take_conversion(lead: Lead, sync: LeadSync, remote: RemoteLead, *, at: datetime, now: datetime) -> bool:
    """Keep what the lead became, and move its handoff on. `at`: when it was converted. The caller holds the
    locks; that it is converted is noted on `sync`, unsaved."""
    if not remote.is_converted:
        return False
    _, is_new = Conversion.objects.update_or_create(
        lead=lead,
        defaults={
            "converted_on": remote.converted_on,
            "account_id": remote.account_id,
            "contact_id": remote.contact_id,
            "opportunity_id": remote.opportunity_id,
        },
    )
    sync.is_converted = True
    if not is_new:
        return False
    log_event(
        lead,
        LeadEvent.Kind.CRM_CHANGED,
        at=now,
        field="IsConverted",
        was="false",
        became="true",
        why="converted, with a deal" if remote.opportunity_id else "converted, without a deal",
    )
    handoff = Handoff.objects.open().filter(lead=lead).first()
    if handoff is not None:
        follow_conversion(handoff, lead, has_deal=bool(remote.opportunity_id), at=at, now=now)
    return True


def follow_conversion(handoff: Handoff, lead: Lead, *, has_deal: bool, at: datetime, now: datetime) -> None:
    """Take an open handoff to where the conversion says that it is. The gate to SQL is not asked: the deal is
    there. One that nobody owns waits for a manager to assign it. Safe to repeat."""
    if not has_deal:
        take_up(handoff, lead, at=at, now=now)
        return
    try:
        open_deal_as_reported(handoff, at=min(at, now))
    except OwnedByNobody as error:
        ask_whose_it_is(handoff, lead, words=str(error), now=now)
