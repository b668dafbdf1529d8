"""What the queue page shows to whom: tabs, filters, rows, and a token that says when to redraw."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.aggregates import BitXor
from django.db.models import Count, Max, Q, Sum

from accounts.models import User
from handoffs.models import Handoff, HandoffQuerySet
from handoffs.permissions import Permissions, permissions_for
from handoffs.search import lead_matches
from scoring.models import LeadScore
from sla.models import Target

# Nobody works through more rows than this; the page says how many there are and how to narrow them.
MOST_ROWS = 100

# What the countdown of a row counts down to.
DUE_WORDS: dict[str, str] = {
    Target.Kind.OPENED: "open",
    Target.Kind.DECISION: "decide",
    Target.Kind.FIRST_CONTACT: "call",
}

MINE = "mine"
OVERFLOW = "overflow"


@dataclass(frozen=True)
class QueueFilter:
    """What the query string asks for. Blank means any."""

    tab: str = MINE
    q: str = ""
    category: str = ""
    warmth: str = ""
    status: str = ""

    @property
    def narrows(self) -> bool:
        return bool(self.q or self.category or self.warmth or self.status)

    def apply(self, handoffs: HandoffQuerySet) -> HandoffQuerySet:
        if self.q:
            handoffs = handoffs.filter(lead_matches(self.q, at="lead__"))
        if self.category:
            handoffs = handoffs.filter(category=self.category)
        if self.warmth:
            handoffs = handoffs.filter(warmth=self.warmth)
        if self.status:
            handoffs = handoffs.filter(status=self.status)
        return handoffs


def handoffs_in_tab(user: User, tab: str) -> HandoffQuerySet:
    """A BDR works their own; a manager looks over everybody's. Overflow belongs to whoever claims it."""
    visible = Handoff.objects.visible_to(user)
    if tab == OVERFLOW:
        return visible.overflow()
    return visible.open().owned_by(user) if user.role == User.Role.BDR else visible.open().exclude(owner=None)


def count_tabs(user: User) -> dict[str, int]:
    """How many handoffs stand in each tab, in one query."""
    mine = Q(owner=user) if user.role == User.Role.BDR else Q(owner__isnull=False)
    return (
        Handoff.objects.visible_to(user)
        .open()
        .aggregate(mine=Count("id", filter=mine), overflow=Count("id", filter=Q(owner=None)))
    )


@dataclass(frozen=True)
class Moment:
    """One part of why-now: what they did, how often, and when last."""

    name: str
    count: int
    last_at: datetime


@dataclass(frozen=True)
class QueueRow:
    """One line of the queue, ready to be shown."""

    handoff: Handoff
    why_now: list[Moment]
    next_due: str
    warmth: str
    may: Permissions


def urgent_rows(user: User, chosen: QueueFilter) -> list[QueueRow]:
    """The rows of a tab, most urgent first, in one query."""
    handoffs = (
        chosen.apply(handoffs_in_tab(user, chosen.tab))
        .with_next_due()
        .most_urgent_first()
        .select_related("lead__company", "lead__score", "owner")
    )
    return [_row(user, handoff, handoff.next_due_kind) for handoff in handoffs[:MOST_ROWS]]


def _row(user: User, handoff: Handoff, next_due_kind: str | None) -> QueueRow:
    return QueueRow(
        handoff=handoff,
        why_now=why_now(handoff),
        next_due=DUE_WORDS.get(next_due_kind or "", ""),
        warmth=LeadScore.Warmth(handoff.warmth).label,
        may=permissions_for(user, handoff),
    )


def why_now(handoff: Handoff) -> list[Moment]:
    """What they did last, at most two things: 'Demo request 6 min ago · Pricing page ×3'."""
    moments = [
        Moment(driver["name"], driver.get("count") or 1, datetime.fromisoformat(driver["last_at"]))
        for driver in handoff.drivers
        if driver.get("last_at")
    ]
    return sorted(moments, key=lambda moment: moment.last_at, reverse=True)[:2]


def next_handoff(user: User, *, after: Handoff | None = None) -> Handoff | None:
    """The most urgent handoff of the person's own queue, other than the one just dealt with."""
    handoffs = handoffs_in_tab(user, MINE)
    if after is not None:
        handoffs = handoffs.exclude(pk=after.pk)
    return handoffs.with_next_due().most_urgent_first().select_related("lead").first()


def queue_revision(user: User) -> str:
    """A token that changes whenever a row of the person's queue could look different.

    Every logged change bumps the lead's revision and every changed score is stamped, so neither
    rendering nor reading the rows is needed to know that nothing happened.
    """
    facts: dict[str, Any] = (
        Handoff.objects.visible_to(user)
        .open()
        .filter(*([Q(owner=user) | Q(owner=None)] if user.role == User.Role.BDR else []))
        .aggregate(
            rows=Count("id"),
            which=BitXor("id"),
            revisions=Sum("lead__revision"),
            scored=Max("lead__score__scored_at"),
        )
    )
    scored = facts["scored"].timestamp() if facts["scored"] else 0
    return f"{user.pk}.{facts['rows']}.{facts['which'] or 0}.{facts['revisions'] or 0}.{scored}"
