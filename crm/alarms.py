"""Alarms about the exchange with Salesforce (SLA-6): it does not answer, it refuses leads, or somebody there
turned a lead down without saying why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Min
from django.urls import reverse

from crm.connection import connection_state
from crm.models import Connection, LeadSync, PullCursor
from crm.standing import LONG_AGO
from handoffs.models import Handoff
from handoffs.summary import name_with_company
from leads.models import Lead
from sla.models import Ticket
from sla.tickets import Finding, alarm_settings, close_needless, open_ticket, open_tickets


@dataclass(frozen=True)
class Failure:
    """Something that fails now. `again_at`: when it failed anew; what was answered later is answered."""

    key: str
    title: str
    since: datetime
    again_at: datetime


@transaction.atomic
def raise_sync_alarms(*, now: datetime) -> int:
    """Open tickets for the operators about what has failed for as long as the alarm's setting says, and
    close those about what works again; say how many are new. Its minutes count around the clock.
    """
    failures = list(_read_failures())
    keys = [failure.key for failure in failures]
    tickets = Ticket.objects.filter(alarm=Ticket.Alarm.CRM_FAILING)
    close_needless(tickets.exclude(subject_key__in=keys), why="It goes through again.", now=now)
    setting = alarm_settings()[Ticket.Alarm.CRM_FAILING]
    long_ago = now - timedelta(minutes=setting.after_minutes or 0)
    closed = tickets.closed().filter(subject_key__in=keys).order_by()
    answered = dict(closed.values_list("subject_key").annotate(Max("closed_at")))
    findings = [
        Finding(Ticket.Alarm.CRM_FAILING, each.key, each.title, reverse("crm:overview"), None, None)
        for each in failures
        if each.since <= long_ago and each.again_at > answered.get(each.key, LONG_AGO)
    ]
    return len(open_tickets(findings, now=now))


def _read_failures() -> Iterator[Failure]:
    if not settings.SALESFORCE_URL:
        return
    state = connection_state()
    if state.failures and state.failed_at:
        since = _last_contact(state) or state.failed_at
        yield Failure("connection", f"Salesforce does not answer: {state.error}", since, since)
    causes = LeadSync.objects.parked().values("error_code").order_by("error_code")
    for row in causes.annotate(words=Max("error"), first=Min("parked_at"), last=Max("parked_at")):
        title = f"Salesforce refuses leads: {row['words']}"
        yield Failure(f"cause-{row['error_code']}", title, row["first"], row["last"])


def _last_contact(state: Connection) -> datetime | None:
    """When a call last went through: the poll makes one every minute or so."""
    heard_at = PullCursor.objects.aggregate(at=Max("succeeded_at"))["at"]
    return max((at for at in (heard_at, state.last_pushed_at) if at), default=None)


# --- Returned without an explanation --------------------------------------------------------------


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
