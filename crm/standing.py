"""How the exchange with Salesforce stands: the figures of the operators' page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import Count, Max, Min, Q

from crm.connection import connection_state
from crm.models import Connection, LeadSync, PullCursor

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
# The poll runs every minute or so; a longer silence is an alarm of its own (CRM-3).
SILENCE = timedelta(minutes=15)


@dataclass(frozen=True)
class Cause:
    """Leads parked for one cause."""

    code: str
    words: str
    count: int


@dataclass(frozen=True)
class Standing:
    is_connected: bool
    connection: Connection
    is_paused: bool
    waiting: int
    in_flight: int
    retrying: int
    parked: int
    oldest_waiting_at: datetime | None
    cursor: PullCursor | None
    is_silent: bool
    causes: list[Cause]


def read_standing(*, now: datetime) -> Standing:
    """The figures at this moment, in a fixed number of queries."""
    connection = connection_state()
    cursor = PullCursor.objects.filter(object_name="Lead").first()
    stale = LeadSync.objects.stale().filter(parked_at=None)
    counts = stale.aggregate(
        waiting=Count("pk"), retrying=Count("pk", filter=Q(send_at__gt=now)), oldest=Min("waiting_since")
    )
    heard_at = cursor.succeeded_at if cursor else None
    return Standing(
        is_connected=bool(settings.SALESFORCE_URL),
        connection=connection,
        is_paused=connection.paused_until is not None and connection.paused_until > now,
        waiting=counts["waiting"],
        in_flight=LeadSync.objects.in_flight().count(),
        retrying=counts["retrying"],
        parked=LeadSync.objects.parked().count(),
        oldest_waiting_at=counts["oldest"],
        cursor=cursor,
        is_silent=heard_at is None or now - heard_at > SILENCE,
        causes=read_causes(),
    )


def read_causes() -> list[Cause]:
    """Why leads are parked, the most frequent cause first."""
    rows = LeadSync.objects.parked().values("error_code").annotate(count=Count("pk"), words=Max("error"))
    return [
        Cause(row["error_code"], row["words"], row["count"]) for row in rows.order_by("-count", "error_code")
    ]
