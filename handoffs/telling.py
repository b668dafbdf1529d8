"""What people are told about handoffs. Titles name the lead; nothing here goes to logs."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from django.urls import reverse

from accounts.models import User
from handoffs.invitations.inviting import Window, invite_owners
from handoffs.models import Handoff, Pool
from handoffs.summary import Brief, first_contact_by, name_with_company, read_briefs, summarise
from notifications.models import Notification
from notifications.preferences import zone_of
from notifications.services import Message, Post, notify_users, post_to_channels, send_messages
from sla.calendars import house_zone


def tell_new_owner(handoff: Handoff, *, now: datetime) -> None:
    """Tell the owner of a new offer: who, why now, until when, and what to do first (NOTE-1)."""
    if handoff.owner is not None:
        tell_new_owners([handoff], now=now)


def tell_new_owners(handoffs: Collection[Handoff], *, now: datetime) -> None:
    """`tell_new_owner` for many handoffs that have just got their owners, and their clocks."""
    briefs = read_briefs(handoffs)
    windows = [
        Window(handoff, contact_by)
        for handoff in handoffs
        if handoff.owner and (contact_by := first_contact_by(briefs[handoff.pk].promises))
    ]
    invitations = invite_owners(windows, now=now)
    # The resolver is asked once: for each handoff it would take longer than all the rest of its message.
    before, after = reverse("handoffs:detail", args=[0]).rsplit("0", 1)
    send_messages(
        (
            Message(
                recipient=handoff.owner,
                kind=Notification.Kind.HANDOFF,
                dedupe_key=f"handoff-{handoff.pk}-offered-{now.isoformat()}",
                title=f"New lead: {name_with_company(handoff)}",
                body=_in_short(handoff, briefs[handoff.pk]),
                url=f"{before}{handoff.pk}{after}",
                facts=summarise(handoff, briefs[handoff.pk], zone=zone_of(handoff.owner)),
                invitation=invitations.get(handoff.pk),
            )
            for handoff in handoffs
            if handoff.owner is not None
        ),
        now=now,
    )


def tell_pool(handoff: Handoff, *, now: datetime) -> None:
    """Post a new lead to the shared channels of its pool, once, whoever got it (NOTE-1)."""
    channels = list(handoff.pool.channels.usable())
    if not channels:
        return
    brief = read_briefs([handoff])[handoff.pk]
    post = Post(
        kind=Notification.Kind.HANDOFF if handoff.owner else Notification.Kind.OVERFLOW,
        dedupe_key=f"handoff-{handoff.pk}-new",
        title=f"New lead: {name_with_company(handoff)}",
        body=f"It is with {handoff.owner}."
        if handoff.owner
        else f"It waits in the overflow queue of {handoff.pool}.",
        url=handoff.get_absolute_url(),
        facts=summarise(handoff, brief, zone=house_zone(), names_zone=True),
    )
    post_to_channels(channels, post, now=now)


def tell_catch_all(handoff: Handoff, managers: Iterable[User], *, now: datetime) -> None:
    """Tell the managers that so many reps passed a lead on that it is in the catch-all pool now."""
    with_whom = handoff.owner or "nobody yet"
    _tell_managers(
        handoff,
        managers,
        dedupe_key=f"handoff-{handoff.pk}-catch-all",
        title=f"Nobody kept {name_with_company(handoff)}",
        body=f"{handoff.hops} passed it on, so it is in {handoff.pool} now, with {with_whom}.",
        now=now,
    )


def tell_overflow(handoff: Handoff, managers: Iterable[User], *, now: datetime) -> None:
    """Tell the managers that nobody could take a lead, each time it comes to the queue (HAND-4)."""
    _tell_managers(
        handoff,
        managers,
        dedupe_key=f"handoff-{handoff.pk}-overflow-{now.isoformat()}",
        title=f"Nobody available for {name_with_company(handoff)}",
        body=f"It waits in the overflow queue of {handoff.pool}.",
        now=now,
    )


def _tell_managers(
    handoff: Handoff, managers: Iterable[User], *, dedupe_key: str, title: str, body: str, now: datetime
) -> None:
    brief = read_briefs([handoff])[handoff.pk]
    send_messages(
        (
            Message(
                recipient=manager,
                kind=Notification.Kind.OVERFLOW,
                dedupe_key=dedupe_key,
                title=title,
                body=body,
                url=handoff.get_absolute_url(),
                facts=summarise(handoff, brief, zone=zone_of(manager)),
            )
            for manager in managers
        ),
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


def tell_of_bulk(owner: User, leaver: User, number: int, *, now: datetime) -> None:
    """Tell somebody in one message that leads of somebody else are theirs now."""
    notify_users(
        [owner],
        kind=Notification.Kind.HANDOFF,
        dedupe_key=f"bulk-{leaver.pk}-{now.isoformat()}",
        title=f"{_leads(number)} of {leaver} {'is' if number == 1 else 'are'} yours now",
        body="What was accepted stays accepted; the rest waits for your decision.",
        url=reverse("handoffs:queue"),
        now=now,
    )


def tell_leaver_of_bulk(leaver: User, number: int, *, now: datetime) -> None:
    """Tell whose leads they were, in one message, that they went to others."""
    notify_users(
        [leaver],
        kind=Notification.Kind.HANDOFF,
        dedupe_key=f"bulk-gone-{now.isoformat()}",
        title=f"{_leads(number)} of yours went to others",
        body="A manager reassigned what you had in hand.",
        url=reverse("handoffs:queue"),
        now=now,
    )


def tell_overflow_of_bulk(pool: Pool, managers: Iterable[User], number: int, *, now: datetime) -> None:
    """Tell the managers in one message how many leads found nobody when they were reassigned."""
    notify_users(
        managers,
        kind=Notification.Kind.OVERFLOW,
        dedupe_key=f"bulk-overflow-{pool.pk}-{now.isoformat()}",
        title=f"Nobody available for {_leads(number)} in {pool}",
        body=f"They wait in the overflow queue of {pool}.",
        url=reverse("handoffs:routing"),
        now=now,
    )


def _leads(number: int) -> str:
    return "1 lead" if number == 1 else f"{number} leads"


def _in_short(handoff: Handoff, brief: Brief) -> str:
    """For the line below the title in the portal, where the facts are a click away."""
    parts = [f"Category {handoff.category}, {handoff.score} points"]
    parts += [driver["name"] for driver in handoff.drivers]
    if brief.first_step:
        parts.append(f"First: {brief.first_step[:1].lower()}{brief.first_step[1:]}")
    return " · ".join(parts)
