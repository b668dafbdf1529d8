"""How the exchange with Salesforce stands: the figures of the operators' page and of the API."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Min, Q

from crm.budget import Budget, Forecast, read_budget, read_forecast
from crm.client import org_url
from crm.connection import connection_state
from crm.mending import Mending, mending_of
from crm.models import BulkJob, Connection, Drift, Lane, LeadSync, PullCursor, PullFailure, Reconciliation
from crm.pull.cursors import DEALS, LEADS, REMOVALS

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
# The poll runs every minute or so; a longer silence is an alarm of its own (CRM-3).
SILENCE = timedelta(minutes=15)
# What is read at every poll, or every few. Of anything else a cursor tells only what went wrong.
POLLED = (LEADS, DEALS, REMOVALS)
# Jobs that ended are shown for a while, so that one sees what became of them.
JOBS_SHOWN = 5
UNREAD_SHOWN = 10


@dataclass(frozen=True)
class LaneStanding:
    """What waits in one lane. `waiting` counts those to be tried again, too."""

    lane: Lane
    waiting: int
    retrying: int
    oldest_at: datetime | None


@dataclass(frozen=True)
class Cause:
    """Leads parked for one cause, and how to mend it."""

    code: str
    count: int
    since: datetime
    words: str
    mending: Mending


@dataclass(frozen=True)
class Reading:
    """How far one object of Salesforce was read."""

    cursor: PullCursor
    is_polled: bool
    is_silent: bool


@dataclass(frozen=True)
class Silence:
    """The leads were not read for a while, although nothing fails; `since` they were read last, or could be
    read at all. The page and the alarm say it in the same words."""

    since: datetime
    words: str


@dataclass(frozen=True)
class Unread:
    """Rows of Salesforce that could not be taken over: how many, and the latest of them."""

    count: int
    rows: list[PullFailure]


@dataclass(frozen=True)
class Comparison:
    """The last comparison of both sides, and what it left, by kind."""

    run: Reconciliation
    left: dict[str, int]

    @property
    def is_running(self) -> bool:
        return self.run.finished_at is None and self.run.parked_at is None

    @property
    def left_in_words(self) -> list[tuple[str, int]]:
        return [(str(kind.label), self.left[kind]) for kind in Drift.Kind if kind in self.left]


@dataclass(frozen=True)
class Standing:
    is_connected: bool
    connection: Connection
    is_paused: bool
    lanes: list[LaneStanding]
    in_flight: int
    in_bulk: int
    parked: int
    jobs: list[BulkJob]
    readings: list[Reading]
    silence: Silence | None
    unread: Unread
    budget: Budget | None
    forecast: Forecast | None
    causes: list[Cause]
    comparison: Comparison | None

    @property
    def waiting(self) -> int:
        return sum(lane.waiting for lane in self.lanes)

    @property
    def retrying(self) -> int:
        return sum(lane.retrying for lane in self.lanes)

    @property
    def need_a_person(self) -> int:
        """Leads, and records of Salesforce."""
        return self.parked + self.unread.count

    @property
    def oldest_waiting_at(self) -> datetime | None:
        """The first change that Salesforce has not been told of."""
        return min((lane.oldest_at for lane in self.lanes if lane.oldest_at), default=None)

    @property
    def is_silent(self) -> bool:
        return self.silence is not None

    @property
    def heard_at(self) -> datetime | None:
        """When the leads were last read, whatever else went through; None before the first time."""
        return _read_at(one.cursor for one in self.readings)


def read_standing(*, now: datetime) -> Standing:
    """The figures at this moment, in a fixed number of queries."""
    connection = connection_state()
    claimed = LeadSync.objects.in_flight().aggregate(all=Count("pk"), in_bulk=Count("job"))
    causes = read_causes()
    budget = read_budget(now=now)
    cursors = list(PullCursor.objects.order_by("object_name"))
    return Standing(
        is_connected=bool(org_url()),
        connection=connection,
        is_paused=connection.paused_until is not None and connection.paused_until > now,
        lanes=_read_lanes(now),
        in_flight=claimed["all"],
        in_bulk=claimed["in_bulk"],
        parked=sum(cause.count for cause in causes),
        jobs=list(BulkJob.objects.order_by("-pk")[:JOBS_SHOWN]),
        readings=[_reading(each, now) for each in cursors if each.object_name in POLLED or each.error],
        silence=_silence(_read_at(cursors), connection, budget, now=now),
        unread=_read_unread(),
        budget=budget,
        forecast=read_forecast(budget, now=now) if budget else None,
        causes=causes,
        comparison=_read_comparison(),
    )


def read_silence(*, now: datetime) -> Silence | None:
    """Whether nothing is heard from Salesforce, and since when."""
    read_at = _read_at(PullCursor.objects.filter(object_name=LEADS))
    return _silence(read_at, connection_state(), read_budget(now=now), now=now)


def read_causes() -> list[Cause]:
    """Why leads are parked, the most frequent cause first. Leads that differ in the words, such as in the
    field that is too long, are one cause: the words are then an example."""
    rows = LeadSync.objects.parked().values("error_code")
    found = rows.annotate(count=Count("pk"), since=Min("parked_at"), words=Max("error"))
    return [
        Cause(row["error_code"], row["count"], row["since"], row["words"], mending_of(row["error_code"]))
        for row in found.order_by("-count", "error_code")
    ]


def _read_lanes(now: datetime) -> list[LaneStanding]:
    marked = LeadSync.objects.filter(send_at__isnull=False, parked_at=None).values("lane")
    found = marked.annotate(
        waiting=Count("pk"), retrying=Count("pk", filter=Q(send_at__gt=now)), oldest=Min("waiting_since")
    )
    rows: dict[int, dict[str, Any]] = {row["lane"]: {**row} for row in found}
    lanes = []
    for lane in Lane:
        row = rows.get(lane.value, {"waiting": 0, "retrying": 0, "oldest": None})
        lanes.append(LaneStanding(lane, row["waiting"], row["retrying"], row["oldest"]))
    return lanes


def _reading(cursor: PullCursor, now: datetime) -> Reading:
    is_polled, heard_at = cursor.object_name in POLLED, cursor.succeeded_at
    is_silent = is_polled and (heard_at is None or now - heard_at > SILENCE)
    return Reading(cursor, is_polled, is_silent)


def _read_at(cursors: Iterable[PullCursor]) -> datetime | None:
    return next((each.succeeded_at for each in cursors if each.object_name == LEADS), None)


def _silence(
    read_at: datetime | None, connection: Connection, budget: Budget | None, *, now: datetime
) -> Silence | None:
    since = read_at or connection.changed_at
    if since is None or now - since <= SILENCE:
        return None
    # Without an error there are two causes: our share of the calls is spent, or nobody asks.
    is_spent = budget is not None and not budget.left(Lane.HANDOFF)
    why = ": our share of its calls is spent." if is_spent else ". Is a worker running?"
    return Silence(since, f"Nothing is read from Salesforce{why}")


def _read_unread() -> Unread:
    parked = PullFailure.objects.filter(parked_at__isnull=False)
    rows = list(parked.order_by("-parked_at", "-pk")[: UNREAD_SHOWN + 1])
    # One query as long as all of them are shown.
    count = len(rows) if len(rows) <= UNREAD_SHOWN else parked.count()
    return Unread(count, rows[:UNREAD_SHOWN])


def _read_comparison() -> Comparison | None:
    run = Reconciliation.objects.order_by("-pk").first()
    if run is None:
        return None
    left = Drift.objects.filter(reconciliation=run, is_mended=False).values("kind")
    return Comparison(run, {row["kind"]: row["n"] for row in left.annotate(n=Count("pk"))})
