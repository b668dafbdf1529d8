"""How much work is waiting, mark by mark (ARCHITECTURE.md, Marks). One table feeds the page and /metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, QuerySet

from common.parking import retry_parked
from crm.models import LeadChange, LeadSync, PullFailure
from crm.unread import read_again
from feedback.models import Recycling
from handoffs.models import Acknowledgement, Handoff
from handoffs.pipeline import retry_parked_leads
from leads.models import Company, Lead, QuarantinedItem
from notifications.models import Channel, Delivery
from scoring.lifecycle.rescoring import parked_chunks, retry_parked_chunks, unfinished_chunks
from sla.models import Clock, Incident

Rows = Callable[[datetime], QuerySet[Any]]


@dataclass(frozen=True)
class Mark:
    """Rows that wait for someone: for a sweep, or for a person."""

    name: str
    label: str
    waiting: Rows
    since: str
    # A sweep runs at least every minute, so older work than this means that nothing flows.
    patience_seconds: int = 300
    url_name: str = ""
    # Tries again what was parked, once its cause is repaired; answers how many rows there were.
    retry: Callable[[datetime], int] | None = None

    @property
    def can_be_retried(self) -> bool:
        return self.retry is not None


@dataclass(frozen=True)
class Backlog:
    mark: Mark
    count: int
    oldest_at: datetime | None

    def is_late(self, now: datetime) -> bool:
        if self.oldest_at is None:
            return False
        return (now - self.oldest_at).total_seconds() > self.mark.patience_seconds


FOR_SWEEPS = (
    Mark("leads_to_advance", "Leads to look at again", Lead.objects.due, "advance_at"),
    Mark(
        "companies_to_spread",
        "Companies whose leads must be told",
        Company.objects.due_to_spread,
        "spread_at",
    ),
    Mark(
        "leads_to_rescore",
        "Chunks of leads to score by new rules",
        lambda now: unfinished_chunks(),
        "rescoring__started_at",
    ),
    Mark("breaches_to_record", "Deadlines passed, not yet recorded", Clock.objects.due, "due_at"),
    Mark("warnings_to_give", "Warnings due, not yet given", Clock.objects.warning_due, "warn_at"),
    Mark(
        "incidents_to_settle",
        "Declared incidents with clocks still to be settled",
        lambda now: Incident.objects.pending(),
        "pending_at",
        patience_seconds=900,
    ),
    Mark(
        "recyclings_to_wake",
        "Recycled leads to wake",
        Recycling.objects.due,
        "wake_at",
        patience_seconds=900,
    ),
    Mark("answers_to_send", "Automatic answers to leads", Acknowledgement.objects.due, "next_try_at"),
    Mark("messages_to_send", "E-mails and messages to send", Delivery.objects.due, "next_try_at"),
    Mark(
        "salesforce_to_push",
        "Leads to push to Salesforce",
        LeadSync.objects.claimable,
        "send_at",
        # No connection is no failure, and a failing one has an alarm of its own.
        patience_seconds=10**9,
    ),
    Mark("lead_changes", "Changes to note for Salesforce", lambda now: LeadChange.objects.all(), "at"),
)

FOR_PEOPLE = (
    Mark(
        "quarantined",
        "Inbound items in quarantine",
        lambda now: QuarantinedItem.objects.filter(replayed_at=None, dismissed_at=None),
        "received_at",
        url_name="leads:quarantine",
    ),
    Mark(
        "leads_parked",
        "Leads that could not be processed",
        lambda now: Lead.objects.filter(advance_parked_at__isnull=False),
        "advance_parked_at",
        retry=lambda now: retry_parked_leads(now=now),
    ),
    Mark(
        "rescoring_parked",
        "Chunks of leads that could not be scored by new rules",
        lambda now: parked_chunks(),
        "parked_at",
        retry=lambda now: retry_parked_chunks(now=now),
    ),
    Mark(
        "companies_parked",
        "Companies whose leads could not be told",
        lambda now: Company.objects.filter(parked_at__isnull=False),
        "parked_at",
        retry=lambda now: retry_parked(Company.objects.all()),
    ),
    Mark(
        "recyclings_parked",
        "Recycled leads that could not be woken",
        lambda now: Recycling.objects.filter(parked_at__isnull=False),
        "parked_at",
        retry=lambda now: retry_parked(Recycling.objects.all()),
    ),
    Mark(
        "clocks_parked",
        "Clocks whose warning or breach could not be recorded",
        lambda now: Clock.objects.filter(parked_at__isnull=False),
        "parked_at",
        retry=lambda now: retry_parked(Clock.objects.all()),
    ),
    Mark(
        "incidents_parked",
        "Declared incidents whose clocks could not be settled",
        lambda now: Incident.objects.filter(parked_at__isnull=False),
        "parked_at",
        retry=lambda now: retry_parked(Incident.objects.all()),
    ),
    Mark(
        "answers_parked",
        "Automatic answers to leads that could not be sent",
        lambda now: Acknowledgement.objects.filter(parked_at__isnull=False),
        "parked_at",
        retry=lambda now: retry_parked(Acknowledgement.objects.all()),
    ),
    Mark(
        "salesforce_unread",
        "Changes in Salesforce that could not be taken over",
        lambda now: PullFailure.objects.filter(parked_at__isnull=False),
        "parked_at",
        retry=lambda now: read_again(now=now),
    ),
    Mark(
        "channels_failing",
        "Channels that take no messages",
        lambda now: Channel.objects.failing(),
        "failing_since",
        url_name="notifications:deliveries",
    ),
    Mark(
        "salesforce_parked",
        "Leads that Salesforce refuses",
        lambda now: LeadSync.objects.parked(),
        "parked_at",
        url_name="crm:overview",
    ),
    Mark(
        "overflow", "Handoffs that no rep has room for", lambda now: Handoff.objects.overflow(), "created_at"
    ),
)


def measure(marks: tuple[Mark, ...], *, now: datetime) -> list[Backlog]:
    """Return the backlog of each mark, with one query each."""
    backlogs = []
    for mark in marks:
        found = mark.waiting(now).order_by().aggregate(count=Count("pk"), oldest_at=Min(mark.since))
        backlogs.append(Backlog(mark, found["count"], found["oldest_at"]))
    return backlogs
