"""Alarms about the exchange with Salesforce (SLA-6): it does not answer, nothing is read from it, or it
refuses leads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Min
from django.urls import reverse

from crm.budget import calls_left
from crm.client import org_url
from crm.connection import connection_state
from crm.models import Connection, Lane, LeadSync, PullCursor
from crm.pull.cursors import LEADS
from crm.standing import LONG_AGO, SILENCE
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
    elif (read_at := _last_read()) and now - read_at > SILENCE:
        yield Failure("silence", _why_silent(now), read_at, read_at)
    causes = LeadSync.objects.parked().values("error_code").order_by("error_code")
    for row in causes.annotate(words=Max("error"), first=Min("parked_at"), last=Max("parked_at")):
        title = f"Salesforce refuses leads: {row['words']}"
        yield Failure(f"cause-{row['error_code']}", title, row["first"], row["last"])


def _last_read() -> datetime | None:
    """When the leads were last read, whatever else went through; None before the first time."""
    return PullCursor.objects.filter(object_name=LEADS).values_list("succeeded_at", flat=True).first()


def _why_silent(now: datetime) -> str:
    """Without an error there are two causes: our share of the calls is spent, or nobody asks."""
    if calls_left(Lane.HANDOFF, now=now) == 0:
        return "Nothing is read from Salesforce: our share of its calls is spent"
    return "Nothing is read from Salesforce. Is the worker running?"


def _last_contact(state: Connection) -> datetime | None:
    """When a call last went through: the poll makes one every minute or so."""
    heard_at = PullCursor.objects.aggregate(at=Max("succeeded_at"))["at"]
    return max((at for at in (heard_at, state.last_pushed_at) if at), default=None)
