"""What the live board shows, in a handful of queries whose cost follows what is late, not what is open."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count

from accounts.models import Team, User
from sla.models import Clock, ClockQuerySet
from sla.ticket_list import TicketCounts

ROWS = 30  # of each list; a manager works from the top, the breach list has the rest
RECENT = timedelta(days=7)
MOST_COUNTED = 1000  # beyond it the board says "999+" instead of counting a year of neglect every time
# What a row shows and the etag looks at: whole rows of four tables took as long to build as to draw.
_SHOWN = (
    "kind", "policy_name", "handoff_id", "due_at", "risk_at", "outcome", "stopped_at", "paused_at",
    "lead__first_name", "lead__last_name", "lead__email", "lead__external_id", "lead__company__name",
    "owner__first_name", "owner__last_name", "owner__username", "team__name",
)  # fmt: skip


@dataclass
class Tally:
    """How much is late and at risk with one person or team."""

    name: str
    late: int = 0
    at_risk: int = 0
    pk: int | None = None
    team: str = ""

    @property
    def total(self) -> int:
        return self.late + self.at_risk


_Tallies = defaultdict[int | None, Tally]


@dataclass(frozen=True)
class Board:
    now: datetime
    late: Sequence[Clock]
    at_risk: Sequence[Clock]
    people: Sequence[Tally]
    more_people: int
    teams: Sequence[Tally]
    more_teams: int
    is_anything_running: bool
    missed_recently: int
    to_review: int
    tickets: TicketCounts
    totals: Tally = field(default_factory=lambda: Tally("All"))

    @property
    def etag(self) -> str:
        """Changes when something on the board does; the ticking of countdowns is the browser's."""
        seen = [
            (clock.pk, clock.due_at, clock.owner_id, clock.state(self.now))
            for clock in (*self.late, *self.at_risk)
        ]
        figures = (
            self.is_anything_running,
            self.missed_recently,
            self.to_review,
            self.tickets,
            self.totals.late,
            self.totals.at_risk,
        )
        return hashlib.sha256(repr((seen, figures)).encode()).hexdigest()[:20]


def read_board(clocks: ClockQuerySet, *, tickets: TicketCounts, now: datetime) -> Board:
    """Read the board from the clocks a person may see, exact at `now`; their tickets are counted already."""
    urgent = clocks.for_display().only(*_SHOWN)
    by_owner, by_team, totals = _tallies(clocks, now)
    people, teams = _name_people(_worst(by_owner)), _name_teams(_worst(by_team))
    return Board(
        now=now,
        late=list(urgent.late(now).order_by("due_at", "id")[:ROWS]),
        at_risk=list(urgent.at_risk(now).order_by("due_at", "id")[:ROWS]),
        people=people,
        more_people=len(by_owner) - len(people),
        teams=teams,
        more_teams=len(by_team) - len(teams),
        totals=totals,
        is_anything_running=clocks.ticking().exists(),
        missed_recently=sum(
            missed.filter(due_at__gt=now - RECENT)[:MOST_COUNTED].count()
            for missed in (clocks.breached(), clocks.due(now))
        ),
        to_review=clocks.to_review()[:MOST_COUNTED].count(),
        tickets=tickets,
    )


def _tallies(clocks: ClockQuerySet, now: datetime) -> tuple[_Tallies, _Tallies, Tally]:
    """By owner, by team and in all, counted from the indexes of what is late and at risk alone."""
    by_owner: _Tallies = defaultdict(lambda: Tally("Overflow queue"))
    by_team: _Tallies = defaultdict(lambda: Tally("No team"))
    totals = Tally("All")
    for state, urgent in (("late", clocks.late(now)), ("at_risk", clocks.at_risk(now))):
        counts = urgent.order_by().values_list("owner_id", "team_id").annotate(clocks=Count("*"))
        for owner_id, team_id, count in counts:
            for tally in (by_owner[owner_id], by_team[team_id], totals):
                setattr(tally, state, getattr(tally, state) + count)
    return by_owner, by_team, totals


def _worst(tallies: _Tallies) -> dict[int | None, Tally]:
    """Those with most late and at risk, by their ids: as many as are shown."""
    worst_first = sorted(tallies.items(), key=lambda item: (-item[1].late, -item[1].at_risk, item[0] or 0))
    return dict(worst_first[:ROWS])


def _name_people(tallies: dict[int | None, Tally]) -> list[Tally]:
    people = User.objects.select_related("team").in_bulk([pk for pk in tallies if pk])
    for pk, person in people.items():
        tally = tallies[pk]
        tally.name, tally.pk, tally.team = str(person), pk, str(person.team or "")
    return _in_order(tallies.values())


def _name_teams(tallies: dict[int | None, Tally]) -> list[Tally]:
    for pk, team in Team.objects.in_bulk([pk for pk in tallies if pk]).items():
        tallies[pk].name, tallies[pk].pk = str(team), pk
    return _in_order(tallies.values())


def _in_order(tallies: Iterable[Tally]) -> list[Tally]:
    return sorted(tallies, key=lambda tally: (-tally.late, -tally.at_risk, tally.name))
