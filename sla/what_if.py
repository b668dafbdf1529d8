"""What if: promises of a past period held to other terms. Nothing is written (SLA-7).

Each promise is worked out anew from the moment at which it was made, by the hours its owner works today and
with the pauses on record, and held against when the work was really done. People would have worked
differently under other terms, so this says what the terms would have found, not what would have happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from accounts.models import User
from common.errors import InvalidInput
from scoring.conversion import Share
from sla.calendars import working_hours_by
from sla.deadlines import set_deadline
from sla.figures.cohorts import Question, Verdict
from sla.models import Clock, ClockQuerySet, Target
from sla.rests import over, rests_of
from sla.timeline import CalendarError
from sla.versions import TargetTerms

MOST_CLOCKS = 10_000


class _Made(NamedTuple):
    """A promise as it was made and kept, by column names."""

    id: int
    kind: str
    owner_id: int | None
    calendar_id: int | None
    outcome: str
    started_at: datetime
    due_at: datetime
    stopped_at: datetime | None
    paused_at: datetime | None

    def verdict(self, due_at: datetime, now: datetime) -> Verdict:
        """What became of it if it had been due then."""
        if (self.stopped_at or self.paused_at or now) > due_at:
            return Verdict.MISSED
        if self.outcome == Clock.Outcome.DONE:
            return Verdict.KEPT
        return Verdict.UNDECIDED if self.outcome == Clock.Outcome.RUNNING else Verdict.FELL_AWAY


@dataclass(slots=True)
class Comparison:
    """The promises of one group: how many were kept of those decided, and how many would have been."""

    label: str
    was: Share = field(default_factory=Share)
    would_be: Share = field(default_factory=Share)

    def add(self, was: Verdict, would_be: Verdict) -> None:
        for share, verdict in ((self.was, was), (self.would_be, would_be)):
            if verdict in (Verdict.KEPT, Verdict.MISSED):
                share.add(verdict is Verdict.KEPT)

    @property
    def missed(self) -> int:
        return self.was.n - self.was.yes

    @property
    def would_miss(self) -> int:
        return self.would_be.n - self.would_be.yes


@dataclass(frozen=True, slots=True)
class Change:
    """A promise that would have been judged differently."""

    clock_id: int
    due_at: datetime
    was: Verdict
    would_be: Verdict


@dataclass(frozen=True, slots=True)
class Trial:
    """The newest promises of a period under other terms; `is_part`: there were more than are looked at.

    `changes` are newest first.
    """

    total: Comparison
    kinds: Sequence[Comparison]
    people: Sequence[Comparison]
    changes: Sequence[Change]
    looked_at: int
    is_part: bool


def try_terms(
    clocks: ClockQuerySet, question: Question, *, targets: Iterable[TargetTerms], now: datetime
) -> Trial:
    """Hold the promises asked about to these targets; kinds without one are left out.

    Raises InvalidInput if a deadline would lie beyond what calendars know.
    """
    # Warnings come to nothing in hindsight, and working them out takes as long as the deadline.
    by_kind = {target.kind: replace(target, warn_percent=()) for target in targets}
    asked = question.narrow(clocks).filter(kind__in=by_kind).order_by("-started_at", "-id")
    made = [_Made(*row) for row in asked.values_list(*_Made._fields)[: MOST_CLOCKS + 1]]
    looked_at = made[:MOST_CLOCKS]
    due_at = _due_under(by_kind, looked_at)
    total = Comparison("All")
    kinds = {kind: Comparison(Target.Kind(kind).label) for kind in Target.Kind.values if kind in by_kind}
    people = _people(looked_at)
    changes = []
    for promise in looked_at:
        would_be_due = due_at(promise)
        was, would_be = promise.verdict(promise.due_at, now), promise.verdict(would_be_due, now)
        for comparison in (total, kinds[promise.kind], people[promise.owner_id]):
            comparison.add(was, would_be)
        if was is not would_be:
            changes.append(Change(promise.id, would_be_due, was, would_be))
    return Trial(
        total=total,
        kinds=list(kinds.values()),
        people=sorted(people.values(), key=_most_changed_first),
        changes=changes,
        looked_at=len(looked_at),
        is_part=len(made) > MOST_CLOCKS,
    )


def changed_clocks(trial: Trial, clocks: ClockQuerySet, *, most: int) -> list[tuple[Clock, Change]]:
    """The newest promises that would have been judged differently, with everything a row names."""
    shown = list(islice(trial.changes, most))
    found = clocks.for_display().in_bulk([change.clock_id for change in shown])
    return [(found[change.clock_id], change) for change in shown if change.clock_id in found]


def _due_under(by_kind: Mapping[str, TargetTerms], made: Sequence[_Made]) -> Callable[[_Made], datetime]:
    """When each of these promises would have been due."""
    if not made:
        return lambda promise: promise.due_at
    # Public holidays are known for some years around a moment; the oldest promise is the last.
    hours = working_hours_by(
        {(promise.calendar_id, promise.owner_id) for promise in made}, around=made[-1].started_at
    )
    rests = rests_of({promise.id for promise in made})

    def due_at(promise: _Made) -> datetime:
        try:
            return set_deadline(
                by_kind[promise.kind],
                hours=hours[promise.calendar_id, promise.owner_id],
                since=promise.started_at,
                pauses=over(rests.get(promise.id, ())),
            ).due_at
        except CalendarError as error:
            words = f"{Target.Kind(promise.kind).label}: {error} Choose a shorter time."
            raise InvalidInput(words, field=f"{promise.kind}_minutes") from error

    return due_at


def _people(made: Sequence[_Made]) -> dict[int | None, Comparison]:
    ids = {promise.owner_id for promise in made}
    people = User.objects.in_bulk([pk for pk in ids if pk])
    return {pk: Comparison(str(people[pk]) if pk in people else "Overflow queue") for pk in ids}


def _most_changed_first(comparison: Comparison) -> tuple[int, str]:
    return -abs(comparison.would_miss - comparison.missed), comparison.label.casefold()
