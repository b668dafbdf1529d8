"""Reads what people changed in Salesforce: status, owner and conversion of our leads (CRM-3).

The cursor is on Salesforce's clock. Stamps are cut to the second and a row may become visible minutes after
its stamp, so every poll reads an overlap again; applying is idempotent, so that is free.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.urls import reverse

from accounts.models import User
from crm.alarms import ask_for_explanation, drop_request
from crm.client import SalesforceClient
from crm.connection import is_paused, pause_connection, record_contact
from crm.mapping import LEAD_KEY, means_rejection
from crm.models import LeadSync, PullCursor
from crm.problems import SalesforceError
from crm.records import status_of_stage
from crm.unread import forget_failure, note_failure
from handoffs.models import Handoff
from leads.models import Lead, LeadEvent
from leads.services import log_event
from notifications.models import Notification
from notifications.services import notify_users

log = structlog.get_logger("salesforce")

# Rows have been seen to appear five minutes after their stamp.
OVERLAP = timedelta(minutes=10)
FIELDS = f"Id, {LEAD_KEY}, Status, OwnerId, Owner.Name, IsConverted, SystemModstamp"


@dataclass(frozen=True)
class PullResult:
    """Counts of rows: read, those that brought news, and those to be read again."""

    read: int = 0
    changed: int = 0
    postponed: int = 0
    is_paused: bool = False


@dataclass(frozen=True)
class RemoteLead:
    """A Lead as Salesforce has it."""

    salesforce_id: str
    public_id: UUID | None
    status: str
    owner_id: str
    owner_name: str
    is_converted: bool
    stamp: datetime


def pull_changes(client: SalesforceClient, *, now: datetime) -> PullResult:
    """Read the leads changed since the cursor and apply what people did to them. Safe to repeat.

    The cursor moves up to Salesforce's time of asking, but never past a row that could not be applied.
    """
    if is_paused(now):
        return PullResult(is_paused=True)
    cursor = PullCursor.objects.get_or_create(object_name="Lead")[0]
    read = changed = 0
    postponed: list[datetime] = []
    asked_at: datetime | None = None
    try:
        for row in client.query(_changed_since(cursor.cursor)):
            asked_at = asked_at or client.began_at
            read += 1
            applied, wait_for = _apply_or_postpone(row, now=now)
            changed += applied
            postponed += [wait_for] if wait_for else []
    except SalesforceError as error:
        _record_failure(cursor, error, now=now)
        return PullResult(read, changed, len(postponed), is_paused=True)
    cursor.succeeded_at, cursor.error = now, ""
    cursor.save(update_fields=["succeeded_at", "error"])
    # Unless somebody set it back meanwhile, to have rows read again.
    unmoved = PullCursor.objects.filter(pk=cursor.pk, cursor=cursor.cursor)
    unmoved.update(cursor=min([*postponed, asked_at or client.began_at or now]))
    record_contact(client, now=now)
    if changed or postponed:
        log.info("salesforce.pulled", read=read, changed=changed, postponed=len(postponed))
    return PullResult(read, changed, len(postponed))


def _apply_or_postpone(row: Mapping[str, Any], *, now: datetime) -> tuple[bool, datetime | None]:
    """Whether the row brought news, and the stamp that the cursor must not pass if it is to be read again."""
    remote = None
    try:
        remote = _remote_lead(row)
        applied = apply_remote(remote, now=now)
    except Exception as error:
        # One row must not keep the others from coming in, nor the cursor for ever.
        stamp = remote.stamp if remote else None
        return False, note_failure(_id_of(row), error, stamp=stamp, now=now)
    forget_failure(remote.salesforce_id)
    return (False, remote.stamp) if applied is None else (applied, None)


def _id_of(row: Mapping[str, Any]) -> str:
    return str(row.get("Id") or "without an id")[:18]


@transaction.atomic
def apply_remote(remote: RemoteLead, *, now: datetime) -> bool | None:
    """Take over what people changed on one lead. None: not now, read it again.

    A lead on its way out, or in another worker's hands, waits. A row older than our own last write is
    passed over: that write made a newer one, which is read in its turn.
    """
    if remote.public_id is None:
        return False
    leads = Lead.objects.filter(public_id=remote.public_id)
    lead = leads.select_for_update(of=("self",), skip_locked=True, no_key=True).first()
    if lead is None:
        # Either busy, or a lead of another portal on the same org, which is none of our business.
        return None if leads.exists() else False
    sync = LeadSync.objects.select_for_update().get_or_create(lead=lead)[0]
    if sync.in_flight_since is not None:
        return None
    if sync.acknowledged_at is not None and remote.stamp < sync.acknowledged_at.replace(microsecond=0):
        return False
    news = _log_news(lead, sync, remote, now=now)
    _remember(sync, remote)
    return news


def _log_news(lead: Lead, sync: LeadSync, remote: RemoteLead, *, now: datetime) -> bool:
    """Log what differs from what we knew, unless it is our own write coming back."""
    news = False
    if _is_news(sync.remote_status, remote.status, sending=sync.sending.get("Status")):
        news = True
        _log_change(lead, "Status", sync.remote_status, remote.status, now=now)
        _flag_rejection(lead, remote, now=now)
    if _is_news(sync.remote_owner_id, remote.owner_id, sending=sync.sending.get("OwnerId")):
        news = True
        _log_change(lead, "OwnerId", sync.remote_owner_id, remote.owner_id, now=now)
    if remote.is_converted and not sync.is_converted:
        news = True
        _log_change(lead, "IsConverted", "false", "true", now=now)
    return news


def _is_news(was: str, became: str, *, sending: str | None) -> bool:
    """A value read for the first time is no change; one that we sent and saw no answer to is our own."""
    return was not in ("", became) and became != sending


def _log_change(lead: Lead, field: str, was: str, became: str, *, now: datetime) -> None:
    # The log may hold no personal data: the owner's name is read from the standing instead.
    words = {"Status": f"{was} → {became}", "OwnerId": "another owner", "IsConverted": "converted"}
    log_event(lead, LeadEvent.Kind.CRM_CHANGED, at=now, field=field, was=was, became=became, why=words[field])


def _flag_rejection(lead: Lead, remote: RemoteLead, *, now: datetime) -> None:
    """Somebody turned the lead down in Salesforce, where nobody asks why. A rejection without its reason is
    not one (QUEUE-2): the handoff stays as it is, its owner is asked for the reason, and a manager has a
    ticket to find it out (SLA-6); without one, as the alarm is off, all managers are told."""
    if not means_rejection(remote.status, statuses=status_of_stage()):
        drop_request(lead, now=now)
        return
    handoff = Handoff.objects.open().filter(lead=lead).select_related("owner", "lead__company").first()
    if handoff is None:
        return
    log_event(
        lead,
        LeadEvent.Kind.CRM_FLAGGED,
        at=now,
        handoff_id=handoff.pk,
        status=remote.status,
        missing="reason",
        why=f"{remote.status}, without a reason",
    )
    has_ticket = ask_for_explanation(handoff, now=now)
    managers = User.objects.filter(role=User.Role.MANAGER, is_active=True)
    notify_users(
        {*([] if has_ticket else managers), *filter(None, [handoff.owner])},
        kind=Notification.Kind.CRM,
        dedupe_key=f"crm-rejected-{handoff.pk}-{remote.stamp.isoformat()}",
        title="Turned down in Salesforce without a reason",
        body=f"The status there is “{remote.status}”. Reject the handoff here with a reason, or set it back.",
        url=reverse("handoffs:detail", args=[handoff.pk]),
        now=now,
    )


def _remember(sync: LeadSync, remote: RemoteLead) -> None:
    sync.salesforce_id = sync.salesforce_id or remote.salesforce_id
    sync.remote_status, sync.remote_owner_id = remote.status, remote.owner_id
    sync.remote_owner_name, sync.is_converted = remote.owner_name, remote.is_converted
    sync.save(
        update_fields=[
            "salesforce_id",
            "remote_status",
            "remote_owner_id",
            "remote_owner_name",
            "is_converted",
        ]
    )


def _changed_since(cursor: datetime | None) -> str:
    since = ""
    if cursor is not None:
        since = f" AND SystemModstamp >= {(cursor - OVERLAP).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return f"SELECT {FIELDS} FROM Lead WHERE {LEAD_KEY} != null{since} ORDER BY SystemModstamp, Id"


def _remote_lead(row: Mapping[str, Any]) -> RemoteLead:
    return RemoteLead(
        salesforce_id=row["Id"],
        public_id=_uuid(row[LEAD_KEY]),
        status=row["Status"] or "",
        owner_id=row["OwnerId"] or "",
        owner_name=(row.get("Owner") or {}).get("Name") or "",
        is_converted=row["IsConverted"],
        stamp=datetime.fromisoformat(row["SystemModstamp"]),
    )


def _uuid(text: str) -> UUID | None:
    """Anybody with the permission may type into the field over there."""
    try:
        return UUID(text)
    except ValueError:
        return None


def _record_failure(cursor: PullCursor, error: SalesforceError, *, now: datetime) -> None:
    cursor.failed_at, cursor.error = now, error.problem.in_plain_words[:600]
    cursor.save(update_fields=["failed_at", "error"])
    pause_connection(error.problem, now=now)
