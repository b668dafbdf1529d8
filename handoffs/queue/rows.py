"""The rows of the queue, most urgent first, and what comes next."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, NamedTuple

from accounts.models import User
from common.jinja import root_of
from common.prepared import any_of_ids, ask_prepared, composed
from handoffs.models import Handoff
from handoffs.permissions import Permissions, permissions_in
from handoffs.queue.tabs import Tab, handoffs_in_tab
from handoffs.rows import name_of
from scoring.models import LeadScore
from sla.models import Target

# What the countdown of a row counts down to.
DUE_WORDS: dict[str, str] = {
    Target.Kind.OPENED: "open",
    Target.Kind.DECISION: "decide",
    Target.Kind.FIRST_CONTACT: "call",
    Target.Kind.CADENCE: "keep trying",
    Target.Kind.QUALITY_CHECK: "check",
}

# Asking the model for the words of a choice looks through all its choices.
_STATUS_WORDS: dict[str, str] = dict(Handoff.Status.choices)
_WARMTH_WORDS: dict[str, str] = dict(LeadScore.Warmth.choices)


@dataclass(frozen=True)
class Moment:
    """One part of why-now: what they did, how often, and when last."""

    name: str
    count: int
    last_at: datetime


class Facts(NamedTuple):
    """What a row shows, as it is read: one field per entry of _COLUMNS."""

    pk: int
    status: str
    owner_id: int | None
    category: str
    warmth: str
    handed_over_score: int
    drivers: str
    is_returning: bool
    created_at: datetime
    opened_at: datetime | None
    planned_contact_at: datetime | None
    next_due_at: datetime | None
    next_due_kind: str | None
    next_warn_at: datetime | None
    first_name: str
    last_name: str
    email: str
    external_id: str
    title: str
    phone: str
    revision: int
    company: str | None
    total: int | None
    fit: int | None
    engagement: int | None
    scored_at: datetime | None
    owner_first_name: str | None
    owner_last_name: str | None
    owner_username: str | None


_COLUMNS = (
    *("pk", "status", "owner_id", "category", "warmth", "score", "drivers", "is_returning", "created_at"),
    *("opened_at", "planned_contact_at", "next_due_at", "next_due_kind", "next_warn_at"),
    *("lead__first_name", "lead__last_name", "lead__email", "lead__external_id", "lead__title"),
    *("lead__phone", "lead__revision", "lead__company__name"),
    *("lead__score__total", "lead__score__fit", "lead__score__engagement", "lead__score__scored_at"),
    *("owner__first_name", "owner__last_name", "owner__username"),
)


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One line of the queue, ready to be shown."""

    facts: Facts
    name: str
    owner: str
    address: str
    revision: str
    status: str
    drivers: list[dict[str, Any]]
    why_now: list[Moment]
    next_due: str
    warmth: str
    may: Permissions


# --- Rows ----------------------------------------------------------------------------------------


def show_rows(user: User, ids: Sequence[int], *, most: int) -> list[QueueRow]:
    """The rows of these handoffs, most urgent first, in one query."""
    root = root_of("handoffs:detail")
    permissions = lru_cache(partial(permissions_in, user))
    facts = map(Facts._make, ask_prepared(_statement(most), {"ids": ids}))
    return [_row(each, root, permissions(status=each.status, owner_id=each.owner_id)) for each in facts]


@lru_cache
def _statement(most: int) -> str:
    """Only what a row shows, and no objects: making them took longer than reading their columns."""
    handoffs = Handoff.objects.filter(pk__in=any_of_ids()).with_next_due().most_urgent_first()
    return composed(handoffs.values_list(*_COLUMNS)[:most])


def _row(facts: Facts, root: str, may: Permissions) -> QueueRow:
    drivers = json.loads(facts.drivers)
    return QueueRow(
        facts=facts,
        name=name_of(facts.first_name, facts.last_name, facts.email, facts.external_id),
        owner=name_of(facts.owner_first_name, facts.owner_last_name, facts.owner_username),
        address=f"{root}{facts.pk}/",
        revision=f"{facts.revision}.{facts.scored_at.timestamp() if facts.scored_at else 0}",
        status=_STATUS_WORDS[facts.status],
        drivers=drivers,
        why_now=why_now(drivers),
        next_due=DUE_WORDS.get(facts.next_due_kind or "", ""),
        warmth=_WARMTH_WORDS[facts.warmth],
        may=may,
    )


def why_now(drivers: Sequence[dict[str, Any]]) -> list[Moment]:
    """What they did last, at most two things: 'Demo request 6 min ago · Pricing page ×3'."""
    moments = [
        Moment(driver["name"], driver.get("count") or 1, datetime.fromisoformat(driver["last_at"]))
        for driver in drivers
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
