"""How promises about time were kept, all together and group by group (SLA-9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import Aggregate, Avg, Count, FloatField, IntegerField, OuterRef, Q, Subquery

from leads.models import LeadEvent
from scoring.conversion import Share
from sla.figures.cohorts import (
    DECIDED,
    MISSED,
    Grouping,
    Question,
    Verdict,
    column_of,
    in_order,
    judge,
    labels_of,
    with_week,
)
from sla.models import Clock, ClockQuerySet, Target

# The targets whose time is told, not only whether they were kept.
TIMED = (Target.Kind.OPENED, Target.Kind.DECISION, Target.Kind.FIRST_CONTACT)


@dataclass(frozen=True, slots=True)
class Span:
    """Seconds that half of the promises took at most, and nine in ten. None: nothing was done yet."""

    median: float | None = None
    p90: float | None = None


@dataclass(frozen=True, slots=True)
class Speed:
    """How long what was promised took, of the `done` ones, without pauses."""

    done: int
    business: Span
    wall: Span

    def by(self, hours: str) -> Span:
        """In "business" hours or by the "wall" clock."""
        return self.wall if hours == "wall" else self.business


@dataclass(frozen=True, slots=True)
class Figures:
    """How the promises asked about went.

    `kept` are promises, of those decided. `breached` are handoffs with at least one missed promise, of those
    with a decided one. `attempts` is the mean number of contact attempts of a handoff that was contacted.
    """

    kept: Share
    breached: Share
    undecided: int
    fell_away: int
    speeds: Mapping[Target.Kind, Speed]
    attempts: float | None

    @property
    def missed(self) -> int:
        return self.kept.n - self.kept.yes


@dataclass(frozen=True, slots=True)
class Group:
    """The promises that have something in common; `key` as its column holds it."""

    key: Any
    label: str
    figures: Figures


class Quantiles(Aggregate):
    """Median and ninth decile, in one sort."""

    function = "percentile_cont"
    template = "%(function)s(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = ArrayField(FloatField())


def measure_compliance(clocks: ClockQuerySet, question: Question, *, now: datetime) -> Figures:
    """All promises asked about, of the clocks a person may see, in one statement."""
    return _figures(judge(clocks, question, now=now).order_by().aggregate(**_aggregates()))


def measure_groups(
    clocks: ClockQuerySet, question: Question, *, by: Grouping, zone: tzinfo, now: datetime
) -> list[Group]:
    """The same group by group: people, teams and sources with most missed first, all else in its own order.

    Weeks are those of the zone; one in which nothing was promised is left out.
    """
    column = column_of(by)
    rows = list(
        with_week(judge(clocks, question, now=now), zone).order_by().values(column).annotate(**_aggregates())
    )
    labels = labels_of(by, [row[column] for row in rows])
    groups = [Group(row[column], labels[row[column]], _figures(row)) for row in rows]
    return sorted(groups, key=lambda group: _place(by, group))


def _place(by: Grouping, group: Group) -> tuple[Any, ...]:
    figures = group.figures
    return in_order(by, group.key) or (-figures.missed, -figures.kept.n, group.label.casefold())


def _aggregates() -> dict[str, Aggregate]:
    found: dict[str, Aggregate] = {
        verdict.value: Count("pk", filter=Q(verdict=verdict)) for verdict in Verdict
    }
    found["handoffs"] = Count("handoff_id", filter=DECIDED, distinct=True)
    found["breached"] = Count("handoff_id", filter=MISSED, distinct=True)
    for kind in TIMED:
        done = Q(kind=kind, outcome=Clock.Outcome.DONE)
        found[f"{kind}_done"] = Count("pk", filter=done)
        found[f"{kind}_business"] = Quantiles("business_seconds", filter=done)
        found[f"{kind}_wall"] = Quantiles("wall_seconds", filter=done)
    contacted = Q(kind=Target.Kind.FIRST_CONTACT, outcome=Clock.Outcome.DONE)
    found["attempts"] = Avg(_attempts(), filter=contacted)
    return found


def _attempts() -> Subquery:
    """How often the lead of a handoff was tried, by its log: attempts themselves lie above the clocks."""
    tried = LeadEvent.objects.filter(handoff_id=OuterRef("handoff_id"), kind=LeadEvent.Kind.ATTEMPTED)
    counted = tried.order_by().values("handoff_id").annotate(times=Count("pk")).values("times")
    return Subquery(counted, output_field=IntegerField())


def _figures(row: Mapping[str, Any]) -> Figures:
    kept, missed = row[Verdict.KEPT], row[Verdict.MISSED]
    return Figures(
        kept=Share(kept, kept + missed),
        breached=Share(row["breached"], row["handoffs"]),
        undecided=row[Verdict.UNDECIDED],
        fell_away=row[Verdict.FELL_AWAY],
        speeds={
            kind: Speed(
                row[f"{kind}_done"],
                Span(*(row[f"{kind}_business"] or ())),
                Span(*(row[f"{kind}_wall"] or ())),
            )
            for kind in TIMED
        },
        attempts=None if row["attempts"] is None else float(row["attempts"]),
    )
