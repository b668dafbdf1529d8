"""The rows of the queue, most urgent first, and what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.models import User
from handoffs.models import Handoff
from handoffs.permissions import Permissions, permissions_for
from handoffs.queue.tabs import Tab, handoffs_in_tab
from handoffs.queue_state import MOST_ROWS
from handoffs.rows import root_of
from scoring.models import LeadScore
from sla.models import Target

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
    address: str
    revision: str
    why_now: list[Moment]
    next_due: str
    warmth: str
    may: Permissions


# --- Rows ----------------------------------------------------------------------------------------


def show_rows(user: User, ids: Sequence[int]) -> list[QueueRow]:
    """The rows of these handoffs, most urgent first, in one query."""
    in_order = (
        Handoff.objects.filter(pk__in=ids)
        .with_next_due()
        .most_urgent_first()
        .select_related("lead__company", "lead__score", "owner")[:MOST_ROWS]
    )
    root = root_of("handoffs:detail")
    return [_row(user, handoff, root) for handoff in in_order]


def _row(user: User, handoff: Handoff, root: str) -> QueueRow:
    return QueueRow(
        handoff=handoff,
        address=f"{root}{handoff.pk}/",
        revision=_revision_of(handoff),
        why_now=why_now(handoff),
        next_due=DUE_WORDS.get(handoff.next_due_kind or "", ""),
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
