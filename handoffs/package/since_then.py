"""What happened after the package was frozen: the package stays, this strip tells the news (HAND-5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from handoffs.models import ContextPackage, Handoff
from handoffs.package.engagement import Deed
from leads.models import Activity, AttributeChange, Lead

SHOWN = 4
# What the history keeps as an id, which says nothing to a reader.
_KEPT_AS_ID = "company"
_NUMBERS = ("deal_size", "company_employee_count")


@dataclass(frozen=True, slots=True)
class NewAnswer:
    """A fact that became known or became another one: "Phone", "", "+49 30 1234"."""

    label: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class SinceThen:
    """The news since `since`: how many activities and the latest of them, the score then and now, answers."""

    since: datetime
    activities: int
    latest: tuple[Deed, ...]
    score_then: int
    score_now: int | None
    category_then: str
    category_now: str
    answers: tuple[NewAnswer, ...]

    @property
    def score_moved(self) -> bool:
        return self.score_now is not None and (
            (self.score_now, self.category_now) != (self.score_then, self.category_then)
        )

    def __bool__(self) -> bool:
        return bool(self.activities or self.answers or self.score_moved)


def what_happened_since(package: ContextPackage, handoff: Handoff) -> SinceThen:
    """Read in at most three queries. Expects `handoff.lead` with its company and score."""
    lead = handoff.lead
    news = _activities_since(lead, package.frozen_at)
    number = news.count()
    score = getattr(lead, "score", None)
    return SinceThen(
        since=package.frozen_at,
        activities=number,
        latest=tuple(Deed(*row) for row in news[:SHOWN]) if number else (),
        score_then=handoff.score,
        score_now=score.total if score else None,
        category_then=handoff.category,
        category_now=score.category if score else "",
        answers=tuple(_answers_since(lead, package.frozen_at)),
    )


def _activities_since(lead: Lead, since: datetime) -> QuerySet[Activity, tuple[str, datetime, Any]]:
    """What we learnt of after that moment, even if it happened before; the latest first."""
    known_later = Q(received_at__gt=since) | Q(attributed_at__gt=since)
    activities = Activity.objects.filter(known_later, lead=lead).order_by("-occurred_at", "-id")
    return activities.values_list("event", "occurred_at", "properties")


def _answers_since(lead: Lead, since: datetime) -> list[NewAnswer]:
    """Each fact that changed, once: from what it was in the package to what it is now."""
    of_company = Q(company=lead.company_id) if lead.company_id else Q(pk=None)
    changes = AttributeChange.objects.filter(Q(lead=lead) | of_company, changed_at__gt=since)
    first: dict[str, str] = {}
    last: dict[str, str] = {}
    for change in changes.order_by("changed_at", "id"):
        name = f"company_{change.field}" if change.company_id else change.field
        first.setdefault(name, change.old_value)
        last[name] = change.new_value
    return [_answer(name, first[name], last[name]) for name in last if first[name] != last[name]]


def _answer(name: str, old: str, new: str) -> NewAnswer:
    label = name.replace("_", " ").capitalize()
    if name == _KEPT_AS_ID:
        return NewAnswer(label, "", "")
    return NewAnswer(label, _number(old), _number(new)) if name in _NUMBERS else NewAnswer(label, old, new)


def _number(kept: str) -> str:
    """With its thousands set apart, as everywhere; what is blank stays blank."""
    return f"{int(kept):,}" if kept.isdecimal() else kept
