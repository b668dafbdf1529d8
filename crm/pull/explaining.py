"""A lead that was turned down in Salesforce without saying why: somebody here finds out (SLA-6)."""

from __future__ import annotations

from datetime import datetime

from handoffs.models import Handoff
from handoffs.summary import name_with_company
from leads.models import Lead
from sla.models import Ticket
from sla.tickets import close_needless, open_ticket


def ask_for_explanation(handoff: Handoff, *, now: datetime) -> bool:
    """Somebody turned the lead down in Salesforce, where nobody asks why: a manager finds out. False when
    nobody does, as the alarm is switched off."""
    alarm, key = Ticket.Alarm.UNEXPLAINED_RETURN, f"handoff-{handoff.pk}"
    open_ticket(
        alarm=alarm,
        subject_key=key,
        title=f"Turned down in Salesforce without a reason: {name_with_company(handoff)}",
        url=handoff.get_absolute_url(),
        lead=handoff.lead,
        team_id=handoff.owner.team_id if handoff.owner else None,
        now=now,
    )
    return Ticket.objects.open().filter(alarm=alarm, subject_key=key).exists()


def drop_request(lead: Lead, *, now: datetime) -> None:
    """The status over there no longer means a rejection: nothing is left to explain."""
    tickets = Ticket.objects.filter(alarm=Ticket.Alarm.UNEXPLAINED_RETURN, lead=lead)
    close_needless(tickets, why="The status in Salesforce was set back.", now=now)
