"""What became of the leads that were handed over, read from the log in the leads layer.

Scoring lies below the handoffs, so it learns of them as everybody below does: from the entries that their
verbs leave. One outcome is one handoff; a lead that came back has several. The figures are as known now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Max, Min, Q, QuerySet, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce

from leads.models import LeadEvent

Kind = LeadEvent.Kind

# What each entry of the log tells. The first of its kind counts: a deal corrected later opened when it did.
MOMENTS = {
    "handed_at": Kind.HANDED_OFF,
    "accepted_at": Kind.ACCEPTED,
    "contacted_at": Kind.CONTACTED,
    "rejected_at": Kind.REJECTED,
    "withdrawn_at": Kind.WITHDRAWN,
    "qualified_at": Kind.QUALIFIED,
    "opportunity_at": Kind.OPPORTUNITY,
    "won_at": Kind.WON,
    "lost_at": Kind.LOST,
}
DETAILS = {
    "trigger": (Kind.HANDED_OFF, "trigger"),
    "reason": (Kind.REJECTED, "reason"),
    "reason_type": (Kind.REJECTED, "type"),
}
CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far one handoff came. `reason` is the code of a rejection and `reason_type` its type, both blank
    without one; the type is blank too in entries that were written before the log held it."""

    lead_id: int
    handoff_id: int
    handed_at: datetime
    trigger: str = ""
    accepted_at: datetime | None = None
    contacted_at: datetime | None = None
    rejected_at: datetime | None = None
    reason: str = ""
    reason_type: str = ""
    withdrawn_at: datetime | None = None
    qualified_at: datetime | None = None
    opportunity_at: datetime | None = None
    won_at: datetime | None = None
    lost_at: datetime | None = None

    @property
    def finished_at(self) -> datetime | None:
        """When sales or marketing was through with it; None while it is under way."""
        return self.won_at or self.lost_at or self.rejected_at or self.withdrawn_at

    @property
    def is_finished(self) -> bool:
        return self.finished_at is not None

    @property
    def is_decided(self) -> bool:
        """Sales has said yes or no."""
        return self.accepted_at is not None or self.rejected_at is not None

    @property
    def is_accepted(self) -> bool:
        """Accepted, and not returned since."""
        return self.accepted_at is not None and self.rejected_at is None

    @property
    def is_passed_on(self) -> bool:
        """Refused because it was another rep's: that says nothing about the lead (FEED-1)."""
        return self.reason_type == "procedural"

    @property
    def status(self) -> str:
        """The kind of the last step that the log knows, as a handoff names its status."""
        steps = (
            (self.won_at, "won"),
            (self.lost_at, "lost"),
            (self.rejected_at, "rejected"),
            (self.withdrawn_at, "withdrawn"),
            (self.opportunity_at, "opportunity"),
            (self.qualified_at, "qualified"),
            (self.contacted_at, "contacted"),
            (self.accepted_at, "accepted"),
        )
        return next((name for at, name in steps if at is not None), "offered")


def outcomes_between(since: datetime, until: datetime) -> Iterator[Outcome]:
    """Of all handoffs begun in [since, until), by id; some thousands at a time, each in one query.

    Not one streamed query: a cursor that is to begin early makes PostgreSQL walk through the whole log.
    """
    begun = LeadEvent.objects.filter(kind=Kind.HANDED_OFF, at__gte=since, at__lt=until)
    ids = sorted({pk for pk in begun.values_list("handoff_id", flat=True) if pk is not None})
    for first in range(0, len(ids), CHUNK):
        chunk = ids[first : first + CHUNK]
        yield from _outcomes(LeadEvent.objects.filter(handoff_id__in=chunk))


def outcomes_after(handoff_id: int, *, since: datetime, until: datetime, limit: int) -> list[Outcome]:
    """The next `limit` of outcomes_between, by id, after that handoff."""
    begun = LeadEvent.objects.filter(
        kind=Kind.HANDED_OFF, at__gte=since, at__lt=until, handoff_id__gt=handoff_id
    )
    following = begun.order_by("handoff_id").values_list("handoff_id", flat=True)[:limit]
    return _outcomes(LeadEvent.objects.filter(handoff_id__in=list(following)))


def outcomes_of(lead_ids: Sequence[int]) -> list[Outcome]:
    """Of all handoffs these leads ever had, by id, in one query."""
    if not lead_ids:
        return []
    return _outcomes(LeadEvent.objects.filter(lead_id__in=lead_ids))


def by_lead(outcomes: Iterable[Outcome]) -> dict[int, list[Outcome]]:
    """The outcomes of each lead, in the order in which they came."""
    found: dict[int, list[Outcome]] = {}
    for outcome in outcomes:
        found.setdefault(outcome.lead_id, []).append(outcome)
    return found


def _outcomes(events: QuerySet[LeadEvent]) -> list[Outcome]:
    """What these entries tell, by handoff. Entries that were undone tell nothing; they are rare, so only
    where an undoing is met are the entries of its handoff read again without them."""
    outcomes, taken_back = _read(events)
    if not taken_back:
        return outcomes
    kept = [outcome for outcome in outcomes if outcome.handoff_id not in taken_back]
    of_these = events.filter(handoff_id__in=taken_back)
    undone = of_these.filter(kind=Kind.UNDONE).values_list("detail__entry", flat=True)
    again, _ = _read(of_these.exclude(pk__in=list(undone)))
    return sorted(kept + again, key=lambda outcome: outcome.handoff_id)


def _read(events: QuerySet[LeadEvent]) -> tuple[list[Outcome], set[int]]:
    """The outcomes as the entries stand, and the handoffs of which something was undone."""
    columns: dict[str, Any] = {name: Min("at", filter=Q(kind=kind)) for name, kind in MOMENTS.items()} | {
        name: Coalesce(
            Max(KeyTextTransform(key, "detail"), filter=Q(kind=kind)), Value(""), output_field=TextField()
        )
        for name, (kind, key) in DETAILS.items()
    }
    rows = (
        events.filter(kind__in=[*MOMENTS.values(), Kind.UNDONE], handoff_id__isnull=False)
        .values("lead_id", "handoff_id")
        .annotate(**columns, undoings=Count("id", filter=Q(kind=Kind.UNDONE)))
        .filter(Q(handed_at__isnull=False))
        .order_by(F("handoff_id"))
        .values_list(*(field.name for field in fields(Outcome)), "undoings")
    )
    outcomes, taken_back = [], set()
    for *values, undoings in rows:
        outcome = Outcome(*values)
        outcomes.append(outcome)
        if undoings:
            taken_back.add(outcome.handoff_id)
    return outcomes, taken_back
