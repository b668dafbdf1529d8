"""What a status set in Salesforce means to the handoff: taken up, qualified, or turned down (CRM-3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum, auto

from django.urls import reverse

from accounts.models import User
from crm.mapping import means_rejection
from crm.models import LeadSync
from crm.pull.explaining import ask_for_explanation, drop_request
from crm.pull.news import has_new_status
from crm.pull.rows import RemoteLead
from handoffs.models import Handoff
from handoffs.reported import OwnedByNobody, accept_as_reported
from leads.models import Lead, LeadEvent
from leads.services import log_event
from notifications.models import Notification
from notifications.services import notify_users


class Meaning(Enum):
    NOTHING = auto()
    TAKEN_UP = auto()
    QUALIFIED = auto()
    """And taken up."""
    TURNED_DOWN = auto()


def meaning_of(status: str, *, statuses: Mapping[str, str]) -> Meaning:
    """What sales says with a status. One that stands for several stages says only what all of them share."""
    if means_rejection(status, statuses=statuses):
        return Meaning.TURNED_DOWN
    stages = {stage for stage, mapped in statuses.items() if mapped == status}
    if stages and stages <= {"sql", "opportunity", "customer"}:
        return Meaning.QUALIFIED
    if stages and stages <= {"sal", "sql", "opportunity", "customer"}:
        return Meaning.TAKEN_UP
    return Meaning.NOTHING


def take_status(
    lead: Lead,
    sync: LeadSync,
    remote: RemoteLead,
    *,
    statuses: Mapping[str, str],
    at: datetime,
    now: datetime,
) -> bool:
    """Log a status that somebody set there, and do what it means. `at`: when they did. The caller holds the
    locks. What it comes to is noted on `sync`, unsaved, so that it is not sent back."""
    if not has_new_status(sync, remote):
        return False
    was = sync.remote_status
    log_event(
        lead,
        LeadEvent.Kind.CRM_CHANGED,
        at=now,
        field="Status",
        was=was,
        became=remote.status,
        why=f"{was} → {remote.status}",
    )
    meaning = meaning_of(remote.status, statuses=statuses)
    if meaning is not Meaning.TURNED_DOWN:
        drop_request(lead, now=now)
    handoff = Handoff.objects.open().filter(lead=lead).select_related("owner", "lead__company").first()
    if handoff is not None:
        _follow(handoff, lead, remote, meaning, at=at, now=now)
    lead.refresh_from_db(fields=["stage", "owner", "revision"])
    if statuses.get(lead.stage) == remote.status:
        sync.acknowledged["Status"] = remote.status
    return True


def _follow(
    handoff: Handoff, lead: Lead, remote: RemoteLead, meaning: Meaning, *, at: datetime, now: datetime
) -> None:
    if meaning is Meaning.TURNED_DOWN:
        _ask_for_reason(handoff, lead, remote, now=now)
    if meaning in (Meaning.TAKEN_UP, Meaning.QUALIFIED) and not take_up(handoff, lead, at=at, now=now):
        return
    if meaning is Meaning.QUALIFIED and handoff.qualified_at is None:
        _ask_for_bant(handoff, lead, remote, now=now)


def take_up(handoff: Handoff, lead: Lead, *, at: datetime, now: datetime) -> bool:
    """Make it the work of its owner, if it is not already. False when nobody owns it: then managers hear
    that somebody works it whom the portal does not know."""
    try:
        accept_as_reported(handoff, at=min(at, now))
    except OwnedByNobody as error:
        ask_whose_it_is(handoff, lead, words=str(error), now=now)
        return False
    return True


def ask_whose_it_is(handoff: Handoff, lead: Lead, *, words: str, now: datetime) -> None:
    """Somebody works it there, and nobody owns it here: managers are told, once."""
    key = f"crm-owner-missing-{handoff.pk}"
    if LeadEvent.objects.filter(handoff_id=handoff.pk, detail__missing="owner").exists():
        return
    _flag(lead, handoff, missing="owner", why="worked in Salesforce, by somebody unknown here", now=now)
    managers = User.objects.filter(role=User.Role.MANAGER, is_active=True)
    _tell(managers, handoff, key=key, title="Worked in Salesforce", body=words, now=now)


def _ask_for_bant(handoff: Handoff, lead: Lead, remote: RemoteLead, *, now: datetime) -> None:
    """The gate to SQL is the portal's (QUEUE-4): a status alone does not pass it."""
    _flag(lead, handoff, missing="bant", why=f"{remote.status}, without BANT", now=now)
    _tell(
        filter(None, [handoff.owner]),
        handoff,
        key=f"crm-qualified-{handoff.pk}",
        title="Qualified in Salesforce: record BANT",
        body=f"The status there is “{remote.status}”. It is sales-qualified once BANT is recorded here.",
        now=now,
    )


def _ask_for_reason(handoff: Handoff, lead: Lead, remote: RemoteLead, *, now: datetime) -> None:
    """Somebody turned the lead down in Salesforce, where nobody asks why. A rejection without its reason is
    not one (QUEUE-2): the handoff stays as it is, its owner is asked for the reason, and a manager has a
    ticket to find it out (SLA-6); without one, as the alarm is off, all managers are told."""
    _flag(lead, handoff, missing="reason", why=f"{remote.status}, without a reason", now=now)
    has_ticket = ask_for_explanation(handoff, now=now)
    managers = User.objects.filter(role=User.Role.MANAGER, is_active=True)
    _tell(
        {*([] if has_ticket else managers), *filter(None, [handoff.owner])},
        handoff,
        key=f"crm-rejected-{handoff.pk}-{remote.stamp.isoformat()}",
        title="Turned down in Salesforce without a reason",
        body=f"The status there is “{remote.status}”. Reject the handoff here with a reason, or set it back.",
        now=now,
    )


def _flag(lead: Lead, handoff: Handoff, *, missing: str, why: str, now: datetime) -> None:
    log_event(lead, LeadEvent.Kind.CRM_FLAGGED, at=now, handoff_id=handoff.pk, missing=missing, why=why)


def _tell(
    people: Iterable[User], handoff: Handoff, *, key: str, title: str, body: str, now: datetime
) -> None:
    notify_users(
        people,
        kind=Notification.Kind.CRM,
        dedupe_key=key,
        title=title,
        body=body,
        url=reverse("handoffs:detail", args=[handoff.pk]),
        now=now,
    )
