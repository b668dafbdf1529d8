"""What the live board shows, in a handful of queries whose cost follows what is late, not what is open."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, Q

from accounts.models import Team, User
from sla.models import Clock, ClockQuerySet
from sla.ticket_list import TicketCounts

ROWS = 30  # of each list; a manager works from the top, the breach list has the rest
RECENT = timedelta(days=7)
MOST_COUNTED = 1000  # beyond it the board says "999+" instead of counting a year of neglect every time


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


@dataclass(frozen=True)
class Board:
    now: datetime
    late: Sequence[Clock]
    at_risk: Sequence[Clock]
    people: Sequence[Tally]
    teams: Sequence[Tally]
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
    urgent = clocks.for_display()
    people, teams, totals = _tallies(clocks, now)
    return Board(
        now=now,
        late=list(urgent.late(now).order_by("due_at", "id")[:ROWS]),
        at_risk=list(urgent.at_risk(now).order_by("due_at", "id")[:ROWS]),
        people=people,
        teams=teams,
        totals=totals,
        is_anything_running=clocks.ticking().exists(),
        missed_recently=sum(
            missed.filter(due_at__gt=now - RECENT)[:MOST_COUNTED].count()
            for missed in (clocks.breached(), clocks.due(now))
        ),
        to_review=clocks.to_review()[:MOST_COUNTED].count(),
        tickets=tickets,
    )


def _tallies(clocks: ClockQuerySet, now: datetime) -> tuple[list[Tally], list[Tally], Tally]:
    urgent = Q(due_at__lt=now) | Q(risk_at__lte=now)
    counts = (
        clocks.ticking()
        .filter(urgent)
        .values_list("owner_id", "team_id")
        .annotate(late=Count("id", filter=Q(due_at__lt=now)), at_risk=Count("id", filter=Q(due_at__gte=now)))
    )
    rows = list(counts)
    owners = User.objects.select_related("team").in_bulk({row[0] for row in rows if row[0]})
    teams = Team.objects.in_bulk({row[1] for row in rows if row[1]})
    by_owner: dict[int | None, Tally] = defaultdict(lambda: Tally("Nobody yet"))
    by_team: dict[int | None, Tally] = defaultdict(lambda: Tally("No team"))
    totals = Tally("All")
    for owner_id, team_id, late, at_risk in rows:
        for tally in (by_owner[owner_id], by_team[team_id], totals):
            tally.late += late
            tally.at_risk += at_risk
    for owner_id, owner in owners.items():
        tally = by_owner[owner_id]
        tally.name, tally.pk, tally.team = str(owner), owner_id, str(owner.team or "")
    for team_id, team in teams.items():
        by_team[team_id].name, by_team[team_id].pk = str(team), team_id
    return _worst_first(by_owner.values()), _worst_first(by_team.values()), totals


def _worst_first(tallies: Iterable[Tally]) -> list[Tally]:
    return sorted(tallies, key=lambda tally: (-tally.late, -tally.at_risk, tally.name))
