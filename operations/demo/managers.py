"""Plays the manager: the weekly look back at breaches, answers to tickets, cover for a colleague."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime, timedelta

from accounts.models import User
from handoffs.models import Handoff
from handoffs.routing.reassignment import reassign_handoff
from sla.breaches import review_breach
from sla.models import Clock, Ticket
from sla.tickets import close_ticket

WEEK = timedelta(days=7)
REVIEWED_SHARE = 0.7

CAUSES = (
    (Clock.Cause.CAPACITY, 4, "Webinar week: more leads than the team has hours."),
    (Clock.Cause.PRIORITISATION, 3, "Older leads were worked first."),
    (Clock.Cause.LEAD_QUALITY, 2, "Left lying because it looked weak; the score said otherwise."),
    (Clock.Cause.ROUTING, 1, "Went to a rep who was on the road all week."),
)

# How old a ticket is before anybody looks, and how many are answered at a look.
A_LOOK, ANSWERED_SHARE = timedelta(hours=1), 0.7
_OF_ESCALATIONS = (
    "Spoke with the rep: two webinars in one week. It is dealt with this afternoon.",
    "Was waiting for a colleague's advice on the account. Settled now.",
    "Overlooked behind older leads. We went through the whole queue together.",
)
ANSWERS: Mapping[Ticket.Alarm, tuple[str, ...]] = {
    Ticket.Alarm.NOT_OPENED: ("On the phone all morning; looks at it next.", "Saw it by e-mail, not here."),
    Ticket.Alarm.NO_ACTIVITY: ("Calls today.", "Had it on paper only. The plan is in the portal now."),
    Ticket.Alarm.UNEXPLAINED_RETURN: ("Asked for the reason; it is in the notes.",),
    Ticket.Alarm.CRM_FAILING: ("The connection is back.",),
    Ticket.Alarm.CADENCE_ABANDONED: (
        "The person is on leave until the 15th; one more call after that.",
        "Two more calls are planned this week.",
    ),
    Ticket.Alarm.ESCALATED: _OF_ESCALATIONS,
}


def review_last_week(rng: random.Random, *, by: User, now: datetime) -> None:
    """Review most of the breaches of the week before; what is newer waits for next time."""
    missed = Clock.objects.filter(
        breach_recorded_at__gte=now - 2 * WEEK, breach_recorded_at__lt=now - WEEK, reviewed_at=None
    )
    for clock in missed.order_by("pk"):
        if rng.random() < REVIEWED_SHARE:
            cause, _, note = rng.choices(CAUSES, [weight for _, weight, _ in CAUSES])[0]
            review_breach(clock, cause=cause, note=note, by=by, now=now)


def pass_on_an_offer(to: User, *, by: User, now: datetime) -> Handoff | None:
    """Give `to` the newest undecided offer of somebody else in their pools; None while there is none."""
    pools = to.memberships.values("pool")
    offers = Handoff.objects.offered().filter(pool__in=pools, owner__isnull=False).exclude(owner=to)
    offer = offers.order_by("-created_at", "-pk").first()
    if offer is None:
        return None
    return reassign_handoff(
        offer, to=to, by=by, now=now, reason="Covers while a colleague is at the trade fair."
    )


def answer_tickets(rng: random.Random, now: datetime) -> None:
    """Answer most of what is open: each look, some of it is left for the next."""
    for ticket in Ticket.objects.open().select_related("owner").order_by("pk"):
        if now - ticket.opened_at > A_LOOK and rng.random() < ANSWERED_SHARE:
            answer = rng.choice(ANSWERS[Ticket.Alarm(ticket.alarm)])
            close_ticket(ticket, answer=answer, by=ticket.owner, now=now)
