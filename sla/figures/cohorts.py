"""Which promises the figures count, and as what: one definition for all pages, files and answers (SLA-9).

A promise belongs to the period in which it was made: that moment never moves, a deadline may. It was kept or
missed, or it is not decided yet (running and not due), or it fell away in time because the handoff was closed
or passed on. Only kept and missed ones count; who had the promise when the clock ran answers for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum

from django.db.models import Case, DateField, F, Value, When
from django.db.models.functions import Cast, Coalesce, TruncWeek

from accounts.models import Team, User
from scoring.language.terms import Category
from sla.models import Clock, ClockQuerySet, Target

NOT_KNOWN = "Not known"


class Verdict(StrEnum):
    """What became of a promise."""

    KEPT = "kept"
    MISSED = "missed"
    UNDECIDED = "undecided"
    FELL_AWAY = "fell_away"


class Grouping(StrEnum):
    """What is counted by."""

    KIND = "target"
    REP = "rep"
    TEAM = "team"
    CATEGORY = "category"
    SOURCE = "source"
    WEEK = "week"


_COLUMNS = {
    Grouping.KIND: "kind",
    Grouping.REP: "owner_id",
    Grouping.TEAM: "team_id",
    Grouping.CATEGORY: "category",
    Grouping.SOURCE: "source",
    Grouping.WEEK: "week",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which promises are asked about: those made from `since` to before `until`, of these people and kinds.

    With `counts_incidents` a promise is judged as if no declared incident had excused it (SLA-7).
    """

    since: datetime
    until: datetime
    team: Team | None = None
    owner: User | None = None
    category: str | None = None
    source: str = ""
    kind: str = ""
    counts_incidents: bool = False

    def narrow(self, clocks: ClockQuerySet) -> ClockQuerySet:
        """Those of the clocks that are asked about; a category of "" is one that nobody knows."""
        found = clocks.filter(started_at__gte=self.since, started_at__lt=self.until)
        if self.team:
            found = found.filter(team=self.team)
        if self.owner:
            found = found.filter(owner=self.owner)
        if self.category is not None:
            found = found.filter(category=self.category)
        if self.source:
            found = found.filter(source__iexact=self.source)
        return found.filter(kind=self.kind) if self.kind else found


def judge(clocks: ClockQuerySet, question: Question, *, now: datetime) -> ClockQuerySet:
    """The clocks asked about, each with its `verdict` at this moment, as `Clock.is_late` has it."""
    due = Coalesce("due_before_incident", "due_at") if question.counts_incidents else F("due_at")
    return (
        question.narrow(clocks)
        .annotate(judged_due=due, judged_at=Coalesce("stopped_at", "paused_at", Value(now)))
        .annotate(
            verdict=Case(
                When(judged_at__gt=F("judged_due"), then=Value(Verdict.MISSED)),
                When(outcome=Clock.Outcome.DONE, then=Value(Verdict.KEPT)),
                When(outcome=Clock.Outcome.RUNNING, then=Value(Verdict.UNDECIDED)),
                default=Value(Verdict.FELL_AWAY),
            )
        )
    )


def column_of(grouping: Grouping) -> str:
    """The column that the clocks of `with_week` are grouped by."""
    return _COLUMNS[grouping]


def with_week(clocks: ClockQuerySet, zone: tzinfo) -> ClockQuerySet:
    """With the Monday of the week in which each promise was made, in that zone."""
    return clocks.annotate(week=Cast(TruncWeek("started_at", tzinfo=zone), DateField()))


def labels_of(grouping: Grouping, keys: list[object]) -> dict[object, str]:
    """What the groups with these keys are called; keys are ids, codes, texts or days as columns hold them."""
    match grouping:
        case Grouping.REP:
            people = User.objects.in_bulk([key for key in keys if key is not None])
            return {key: str(people.get(key, "Overflow queue")) for key in keys}
        case Grouping.TEAM:
            teams = Team.objects.in_bulk([key for key in keys if key is not None])
            return {key: str(teams.get(key, "No team")) for key in keys}
        case Grouping.KIND:
            return {key: Target.Kind(str(key)).label for key in keys}
        case Grouping.WEEK:
            return {key: f"{key.day} {key:%b %Y}" for key in keys if isinstance(key, date)}
        case _:
            return {key: str(key) or NOT_KNOWN for key in keys}


def in_order(grouping: Grouping, key: object) -> tuple[object, ...] | None:
    """Where a group stands among the others if it has a place of its own; None: the worst come first."""
    match grouping:
        case Grouping.KIND:
            return (Target.Kind.values.index(str(key)),)
        case Grouping.CATEGORY:
            letters = [*Category, ""]
            return (letters.index(str(key)) if key in letters else len(letters), str(key))
        case Grouping.WEEK:
            return (key,)
        case _:
            return None


def weeks_between(since: datetime, until: datetime, zone: tzinfo) -> list[date]:
    """The Mondays of all weeks of a period in that zone, also those in which nothing was promised."""
    first, last = (moment.astimezone(zone).date() for moment in (since, until - timedelta(microseconds=1)))
    monday = first - timedelta(days=first.weekday())
    return [monday + timedelta(weeks=week) for week in range((last - monday).days // 7 + 1)]
