"""What the queue page shows to whom: rows, most urgent first, and a token that says when to redraw."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.aggregates import BitXor
from django.db.models import Count, Exists, Max, OuterRef, Sum

from accounts.models import User
from common.counting import BoundedCount
from handoffs.filters import QueueFilter
from handoffs.models import Handoff, HandoffQuerySet
from handoffs.permissions import Permissions, permissions_for
from handoffs.tabs import Tab, handoffs_in_tab
from scoring.models import LeadScore
from sla.models import Clock, Target

# Nobody works through more rows than this; the page says how many there are and how to narrow them.
MOST_ROWS = 100

# What the countdown of a row counts down to.
DUE_WORDS: dict[str, str] = {
    Target.Kind.OPENED: "open",
    Target.Kind.DECISION: "decide",
    Target.Kind.FIRST_CONTACT: "call",
}


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
    revision: str
    why_now: list[Moment]
    next_due: str
    warmth: str
    may: Permissions


# --- Rows ----------------------------------------------------------------------------------------


def urgent_handoffs(user: User, chosen: QueueFilter) -> HandoffQuerySet:
    """The handoffs of a tab that a page of it may show, in no order.

    One's own are few. Of the others only the most urgent are taken, by walking the clocks in the order in
    which they fall due: it costs the same however many handoffs are open.
    """
    handoffs = chosen.apply(handoffs_in_tab(user, chosen.tab))
    if chosen.tab == Tab.MINE:
        return handoffs
    return Handoff.objects.filter(pk__in=_most_urgent_ids(handoffs))


def _most_urgent_ids(handoffs: HandoffQuerySet) -> list[int]:
    """Ids of the MOST_ROWS most urgent; of those without a running clock, first by category and age."""
    clocks = Clock.objects.ticking().exclude(kind=Target.Kind.CRM_TRANSFER)
    due = clocks.filter(handoff_id__in=handoffs.values("pk")).order_by("due_at", "id")
    # A handoff has one clock of a kind at most, so this many clocks are of enough handoffs.
    walked = due.values_list("handoff_id", flat=True)[: MOST_ROWS * len(Target.Kind.values)]
    ids = list(dict.fromkeys(walked))[:MOST_ROWS]
    if len(ids) < MOST_ROWS:
        undated = handoffs.filter(~Exists(clocks.filter(handoff_id=OuterRef("pk"))))
        in_order = undated.order_by("category", "created_at", "id").values_list("pk", flat=True)
        ids += in_order[: MOST_ROWS - len(ids)]
    return ids


def show_rows(user: User, handoffs: HandoffQuerySet) -> list[QueueRow]:
    """The rows of these handoffs, most urgent first, in one query."""
    in_order = (
        handoffs.with_next_due()
        .most_urgent_first()
        .select_related("lead__company", "lead__score", "owner")[:MOST_ROWS]
    )
    return [_row(user, handoff, handoff.next_due_kind) for handoff in in_order]


def _row(user: User, handoff: Handoff, next_due_kind: str | None) -> QueueRow:
    return QueueRow(
        handoff=handoff,
        revision=_revision_of(handoff),
        why_now=why_now(handoff),
        next_due=DUE_WORDS.get(next_due_kind or "", ""),
        warmth=LeadScore.Warmth(handoff.warmth).label,
        may=permissions_for(user, handoff),
    )


def _revision_of(handoff: Handoff) -> str:
    """Changes with whatever the row shows: a redraw leaves rows alone in which it is the same."""
    score: LeadScore | None = getattr(handoff.lead, "score", None)
    return f"{handoff.lead.revision}.{score.scored_at.timestamp() if score else 0}"


def why_now(handoff: Handoff) -> list[Moment]:
    """What they did last, at most two things: 'Demo request 6 min ago · Pricing page ×3'."""
    moments = [
        Moment(driver["name"], driver.get("count") or 1, datetime.fromisoformat(driver["last_at"]))
        for driver in handoff.drivers
        if driver.get("last_at")
    ]
    return sorted(moments, key=lambda moment: moment.last_at, reverse=True)[:2]


# --- The next one --------------------------------------------------------------------------------


def next_handoff(user: User, *, after: Handoff | None = None) -> Handoff | None:
    """What to turn to next in the person's own queue: what waits for a decision, then the most urgent."""
    handoffs = handoffs_in_tab(user, Tab.MINE)
    if after is not None:
        handoffs = handoffs.exclude(pk=after.pk)
    for each in (handoffs.offered(), handoffs):
        found = each.with_next_due().most_urgent_first().select_related("lead").first()
        if found is not None:
            return found
    return None


# --- When to redraw ------------------------------------------------------------------------------


def queue_revision(
    user: User, handoffs: HandoffQuerySet, *, tab: str, counts: dict[str, BoundedCount]
) -> str:
    """A token that changes whenever one of the rows or a count of the tabs could look different.

    Every logged change bumps the lead's revision and every changed score is stamped, so neither
    rendering nor reading the rows is needed to know that nothing happened.
    """
    facts: dict[str, Any] = handoffs.aggregate(
        rows=Count("id"),
        which=BitXor("id"),
        revisions=Sum("lead__revision"),
        scored=Max("lead__score__scored_at"),
    )
    scored = facts["scored"].timestamp() if facts["scored"] else 0
    counted = "-".join(str(count.value) for count in counts.values())
    return (
        f"{user.pk}.{tab}.{counted}.{facts['rows']}.{facts['which'] or 0}.{facts['revisions'] or 0}.{scored}"
    )
