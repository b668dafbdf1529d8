"""Leads that nobody reached wait until they show up again (FEED-2). Here they are let go once they do."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from leads.models import Lead
from leads.services import release_lead
from scoring.evidence import came_back


def release_who_shows_up(leads: Iterable[Lead], *, now: datetime) -> None:
    """Release those who wait for new activity and have come back since their return. The caller holds their
    locks and has matched what they did (score_leads does)."""
    waiting = {lead.pk: lead for lead in leads if lead.hold == Lead.Hold.UNTIL_ACTIVITY}
    for lead_id in sorted(came_back(waiting)) if waiting else ():
        release_lead(waiting[lead_id], at=now, nudge=False)
