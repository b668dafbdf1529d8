"""How promises about time were kept, all together and group by group (SLA-9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from django.db import connection
from django.db.models import Case, Count, IntegerField, OuterRef, Subquery, When

from leads.models import LeadEvent
from scoring.conversion import Share
from sla.figures.cohorts import (
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


@dataclass(frozen=True, slots=True)
class Compliance:
    """How the promises asked about went, in all and by each of the groupings asked for."""

    total: Figures
    groups: Mapping[Grouping, list[Group]]


def measure_compliance(clocks: ClockQuerySet, question: Question, *, now: datetime) -> Figures:
    """All promises asked about, of the clocks a person may see."""
    return measure_all(clocks, question, by=(), zone=UTC, now=now).total


def measure_groups(
    clocks: ClockQuerySet, question: Question, *, by: Grouping, zone: tzinfo, now: datetime
) -> list[Group]:
    """The same group by group: people, teams and sources with most missed first, all else in its own order.

    Weeks are those of the zone; one in which nothing was promised is left out.
    """
    return measure_all(clocks, question, by=(by,), zone=zone, now=now).groups[by]


def measure_all(
    clocks: ClockQuerySet, question: Question, *, by: Sequence[Grouping], zone: tzinfo, now: datetime
) -> Compliance:
    """Everything at once and by each of the groupings, in one statement: they are of one moment, and each
    promise is looked up and judged once."""
    by = tuple(dict.fromkeys(by))
    judged, parameters = _judged(with_week(judge(clocks, question, now=now), zone), by)
    with connection.cursor() as cursor:
        cursor.execute(_statement(judged, by), parameters)
        names = [column.name for column in cursor.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    [total] = [row for row in rows if all(row[_outside(grouping)] for grouping in by)]
    return Compliance(
        total=_figures(total),
        groups={
            grouping: _groups(grouping, [row for row in rows if not row[_outside(grouping)]])
            for grouping in by
        },
    )


# --- The statement ---------------------------------------------------------------------------------


def _judged(clocks: ClockQuerySet, by: Sequence[Grouping]) -> tuple[str, Sequence[Any]]:
    """The promises asked about with all that is counted, as SQL with its parameters."""
    contacted = When(kind=Target.Kind.FIRST_CONTACT, outcome=Clock.Outcome.DONE, then=_attempts())
    columns = {"kind", "handoff_id", "outcome", "business_seconds", "wall_seconds", "verdict", "tried"}
    columns |= {column_of(grouping) for grouping in by}
    chosen = clocks.annotate(tried=Case(contacted, output_field=IntegerField())).order_by()
    # A filter that nothing can match is still a question, with nothing for an answer.
    compiler = chosen.values(*sorted(columns)).query.get_compiler(connection=connection, elide_empty=False)
    found: tuple[str, Sequence[Any]] = compiler.as_sql()
    return found


def _attempts() -> Subquery:
    """How often the lead of a handoff was tried, by its log: attempts themselves lie above the clocks."""
    tried = LeadEvent.objects.filter(handoff_id=OuterRef("handoff_id"), kind=LeadEvent.Kind.ATTEMPTED)
    counted = tried.order_by().values("handoff_id").annotate(times=Count("pk")).values("times")
    return Subquery(counted, output_field=IntegerField())


_COUNTS = (
    *(f"count(*) FILTER (WHERE verdict = '{verdict}') AS {verdict}" for verdict in Verdict),
    "count(DISTINCT handoff_id) FILTER (WHERE verdict IN ('kept', 'missed')) AS handoffs",
    "count(DISTINCT handoff_id) FILTER (WHERE verdict = 'missed') AS breached",
    "avg(tried) AS attempts",
)


def _times(kind: Target.Kind) -> tuple[str, ...]:
    done = f"FILTER (WHERE kind = '{kind}' AND outcome = '{Clock.Outcome.DONE}')"
    spans = (
        f"percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY {hours}_seconds) {done} AS {kind}_{hours}"
        for hours in ("business", "wall")
    )
    return (f"count(*) {done} AS {kind}_done", *spans)


def _statement(judged: str, by: Sequence[Grouping]) -> str:
    columns = [column_of(grouping) for grouping in by]
    told = [
        *columns,
        *(f"grouping({column_of(grouping)}) AS {_outside(grouping)}" for grouping in by),
        *_COUNTS,
        *(time for kind in TIMED for time in _times(kind)),
    ]
    sets = ", ".join(["()", *(f"({column})" for column in columns)])
    return (
        f"WITH judged AS MATERIALIZED ({judged}) "
        f"SELECT {', '.join(told)} FROM judged GROUP BY GROUPING SETS ({sets})"
    )


def _outside(grouping: Grouping) -> str:
    """The name of the column that is 1 in rows which are no group of it."""
    return f"outside_{grouping.name.lower()}"


# --- The answer ------------------------------------------------------------------------------------


def _groups(by: Grouping, rows: Sequence[Mapping[str, Any]]) -> list[Group]:
    column = column_of(by)
    labels = labels_of(by, [row[column] for row in rows])
    groups = [Group(row[column], labels[row[column]], _figures(row)) for row in rows]
    return sorted(groups, key=lambda group: _place(by, group))


def _place(by: Grouping, group: Group) -> tuple[Any, ...]:
    figures = group.figures
    return in_order(by, group.key) or (-figures.missed, -figures.kept.n, group.label.casefold())


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
