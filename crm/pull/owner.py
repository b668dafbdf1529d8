"""Who owns a lead in Salesforce becomes whose it is here, where the portal knows them (CRM-3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.urls import reverse

from accounts.models import User
from common.errors import InvalidInput
from crm.models import LeadSync, OwnerMapping
from crm.pull.news import has_new_owner
from crm.pull.rows import RemoteLead
from handoffs.models import Handoff
from handoffs.routing.reassignment import reassign_handoff
from leads.models import Lead, LeadEvent
from leads.services import assign_lead, log_event
from notifications.models import Notification
from notifications.services import notify_users

WHY = "Owner changed in Salesforce"
GIVEN = (LeadEvent.Kind.ASSIGNED, LeadEvent.Kind.CLAIMED, LeadEvent.Kind.OVERFLOWED)


def known_people() -> dict[str, int]:
    """By the id of their user in Salesforce, the people of the portal."""
    return dict(OwnerMapping.objects.values_list("salesforce_user_id", "user_id"))


def take_owner(
    lead: Lead,
    sync: LeadSync,
    remote: RemoteLead,
    *,
    people: Mapping[str, int],
    at: datetime,
    now: datetime,
) -> bool:
    """Give the lead and its handoff to whoever was made the owner there; log it where that is a queue, or
    nobody whom the portal knows. `at`: when they were. The caller holds the locks.

    Where the portal, too, gave it to somebody since, the later one counts. What Salesforce holds is noted on
    `sync`, unsaved, so that it is not sent back.
    """
    if not has_new_owner(sync, remote, people=people):
        return False
    user = User.objects.filter(pk=people.get(remote.owner_id, 0)).first()
    if user is None:
        _log_stranger(lead, sync, remote, now=now)
        return True
    if lead.owner_id == user.pk:
        sync.acknowledged["OwnerId"] = remote.owner_id
        return True
    if _was_given_here(lead, sync, people):
        is_later = _given_here_at(lead) > at
        _log_conflict(lead, stays=is_later, now=now)
        if is_later:
            # Known to differ from ours, so ours is sent.
            sync.acknowledged["OwnerId"] = remote.owner_id
            return True
    if _give(lead, user, at=at, now=now):
        sync.acknowledged["OwnerId"] = remote.owner_id
    return True


def _give(lead: Lead, user: User, *, at: datetime, now: datetime) -> bool:
    """False when the portal gives it to nobody of that role, or who has left: operators hear of it."""
    handoff = Handoff.objects.open().filter(lead=lead).first()
    try:
        if handoff is not None:
            since = max(filter(None, (handoff.created_at, handoff.offered_at, handoff.accepted_at)))
            reassign_handoff(handoff, to=user, by=None, now=min(now, max(at, since)), reason=WHY)
            lead.refresh_from_db(fields=["owner", "team", "revision"])
            return True
        if not (user.is_active and user.role in (User.Role.BDR, User.Role.MANAGER)):
            raise InvalidInput(f"{user} does not work handoffs.", field="owner")
    except InvalidInput as error:
        body = f"They own leads in Salesforce. {error}"
        _tell_operators(key=f"crm-owner-user-{user.pk}", body=body, now=now)
        _log(lead, became="user", why="an owner who does not work handoffs here", now=now)
        return False
    assign_lead(lead, owner=user, team=user.team or lead.team)
    log_event(lead, LeadEvent.Kind.ASSIGNED, at=now, owner_id=user.pk, why=WHY)
    return True


def _log_stranger(lead: Lead, sync: LeadSync, remote: RemoteLead, *, now: datetime) -> None:
    """The lead keeps its owner here. The log may hold no personal data: the name is on the standing."""
    who = "an owner unknown here" if remote.owner_is_person else f"queue {remote.owner_name}"
    _log(lead, was=sync.remote_owner_id, became=remote.owner_id, why=who, now=now)
    if remote.owner_is_person:
        name = remote.owner_name or remote.owner_id
        body = (
            f"{name} owns leads in Salesforce and is nobody here. Map them to a person, or leave it: their "
            "leads keep the owner they have here."
        )
        _tell_operators(key=f"crm-owner-{remote.owner_id}", body=body, now=now)


def _log(lead: Lead, *, became: str, why: str, now: datetime, was: str = "") -> None:
    log_event(lead, LeadEvent.Kind.CRM_CHANGED, at=now, field="OwnerId", was=was, became=became, why=why)


def _tell_operators(*, key: str, body: str, now: datetime) -> None:
    """Once for each person there, however many leads they own."""
    notify_users(
        User.objects.filter(role=User.Role.OPERATOR, is_active=True),
        kind=Notification.Kind.CRM,
        dedupe_key=key,
        title="Salesforce: an owner whom the portal cannot follow",
        body=body,
        url=reverse("admin:crm_ownermapping_changelist"),
        now=now,
    )


# --- Both gave it to somebody ---------------------------------------------------------------------


def _was_given_here(lead: Lead, sync: LeadSync, people: Mapping[str, int]) -> bool:
    """Whether the portal has another owner than the one that Salesforce last confirmed."""
    confirmed = sync.acknowledged.get("OwnerId", "")
    if lead.owner_id is None:
        return confirmed in people
    return lead.owner_id in people.values() and people.get(confirmed) != lead.owner_id


def _given_here_at(lead: Lead) -> datetime:
    given = LeadEvent.objects.filter(lead=lead, kind__in=GIVEN)
    return given.order_by("-at").values_list("at", flat=True).first() or lead.created_at


def _log_conflict(lead: Lead, *, stays: bool, now: datetime) -> None:
    winner, when = ("the portal", "here") if stays else ("Salesforce", "there")
    log_event(
        lead,
        LeadEvent.Kind.CRM_CONFLICT,
        at=now,
        field="owner",
        winner="ours" if stays else "theirs",
        why=f"Owner: {winner} keeps its value, as it was changed {when} last",
    )
