"""Whether a lead that is handed off gets an automatic answer. Called in the transaction of the handoff."""

from __future__ import annotations

from datetime import datetime, timedelta

from handoffs.models import Acknowledgement, AcknowledgementPolicy, Handoff
from leads.models import Lead
from sla.desks import desk_of

# An answer a day after what somebody did is none (see AcknowledgementPolicy.within_minutes).
LATEST = timedelta(days=1)


def promise_acknowledgement(handoff: Handoff, lead: Lead, *, now: datetime) -> None:
    """Have the lead answered if it arrives outside the working hours of its owner, or of the house (SLA-3).

    One that marketing hands off by hand, that a rep passed on, or that the rules of today lift over the
    threshold has not just written to us: it gets none. The caller holds the lead's lock.
    """
    if not _has_just_arrived(handoff, lead, now=now):
        return
    active = AcknowledgementPolicy.objects.filter(is_active=True)
    within = active.values_list("within_minutes", flat=True).first()
    if within is None:
        return
    if desk_of(handoff.owner, around=now).hours.is_after_hours(now):
        due_at = now + timedelta(minutes=within)
        Acknowledgement.objects.create(handoff=handoff, lead=lead, due_at=due_at, next_try_at=now)


def _has_just_arrived(handoff: Handoff, lead: Lead, *, now: datetime) -> bool:
    if handoff.hops or handoff.trigger not in (Handoff.Trigger.INSTANT, Handoff.Trigger.THRESHOLD):
        return False
    return now - max(lead.created_at, lead.last_activity_at or lead.created_at) < LATEST
