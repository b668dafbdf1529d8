"""What people are told about handoffs. Titles name the lead; nothing here goes to logs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from accounts.models import User
from handoffs.models import Handoff
from notifications.models import Notification
from notifications.services import notify_users


def tell_new_owner(handoff: Handoff, *, now: datetime) -> None:
    """Tell the owner of a new offer: who, why now, and what to do first."""
    if handoff.owner is None:
        return
    notify_users(
        [handoff.owner],
        kind=Notification.Kind.HANDOFF,
        dedupe_key=f"handoff-{handoff.pk}-offered-{now.isoformat()}",
        title=f"New lead: {name_with_company(handoff)}",
        body=_why_now(handoff),
        url=handoff.get_absolute_url(),
        now=now,
    )


def tell_overflow(handoff: Handoff, managers: Iterable[User], *, now: datetime) -> None:
    """Tell the managers that nobody could take a lead (HAND-4)."""
    notify_users(
        managers,
        kind=Notification.Kind.OVERFLOW,
        dedupe_key=f"handoff-{handoff.pk}-overflow",
        title=f"Nobody available for {name_with_company(handoff)}",
        body=f"It waits in the overflow queue of {handoff.pool}.",
        url=handoff.get_absolute_url(),
        now=now,
    )


def tell_old_owner(handoff: Handoff, old_owner: User, *, now: datetime) -> None:
    """Tell a rep that a handoff went to somebody else."""
    to = str(handoff.owner) if handoff.owner else "the overflow queue"
    notify_users(
        [old_owner],
        kind=Notification.Kind.HANDOFF,
        dedupe_key=f"handoff-{handoff.pk}-moved-{now.isoformat()}",
        title=f"{name_with_company(handoff)} was reassigned",
        body=f"It is now with {to}.",
        url="",
        now=now,
    )


def name_with_company(handoff: Handoff) -> str:
    lead = handoff.lead
    return f"{lead.name}, {lead.company}" if lead.company else lead.name


def _why_now(handoff: Handoff) -> str:
    parts = [f"Category {handoff.category}, {handoff.score} points"]
    parts += [driver["name"] for driver in handoff.drivers]
    first_contact = handoff.package.content["first_contact"] if hasattr(handoff, "package") else None
    if first_contact:
        parts.append(f"First: {first_contact['channel'].lower()}, {first_contact['timing']}")
    return " · ".join(parts)
