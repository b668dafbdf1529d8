"""Alarms about the exchange with Salesforce (SLA-6): it does not answer, nothing is read from it, or it
refuses leads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Min
from django.urls import reverse

from crm.client import org_url
from crm.connection import connection_state
from crm.models import Connection, LeadSync, PullCursor
from crm.standing import LONG_AGO, read_silence
from sla.models import Ticket
from sla.tickets import Finding, alarm_settings, close_needless, open_tickets


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
    failures = list(_read_failures(now))
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


def _read_failures(now: datetime) -> Iterator[Failure]:
    if not org_url():
        return
    state = connection_state()
    if state.failures and state.failed_at:
        since = _last_contact(state) or state.failed_at
        yield Failure("connection", f"Salesforce does not answer: {state.error}", since, since)
    elif silence := read_silence(now=now):
        yield Failure("silence", silence.words, silence.since, silence.since)
    causes = LeadSync.objects.parked().values("error_code").order_by("error_code")
    for row in causes.annotate(words=Max("error"), first=Min("parked_at"), last=Max("parked_at")):
        title = f"Salesforce refuses leads: {row['words']}"
        yield Failure(f"cause-{row['error_code']}", title, row["first"], row["last"])


def _last_contact(state: Connection) -> datetime | None:
    """When a call last went through: the poll makes one every minute or so."""
    heard_at = PullCursor.objects.aggregate(at=Max("succeeded_at"))["at"]
    return max((at for at in (heard_at, state.last_pushed_at) if at), default=None)
