"""The org's daily API calls, and how many of them are ours (CRM-4).

Salesforce tells its figures with every answer (Sforce-Limit-Info) and lets the allocation run over the last
24 hours. We take a share of it and keep the end of that share for handoffs; without figures all is allowed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, Q, Sum

from crm.client import SalesforceClient
from crm.models import CallCount, Connection, Lane

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# Figures this old say little about a rolling day: one call is let through to learn new ones.
STALE_AFTER = {Lane.HANDOFF: timedelta(minutes=15), Lane.LATER: HOUR}
# The pace of late is that of so many hours.
OF_LATE = 3
COUNTS_KEPT = timedelta(days=8)


@dataclass(frozen=True)
class Budget:
    """The calls of the running day: the org's, our share of them, and what was used."""

    allowed: int
    used: int
    share: int
    used_by_us: int
    kept_for_handoffs: int
    told_at: datetime | None

    def left(self, lane: Lane) -> int:
        """How many calls a lane may still make. An org that is spent stops everything."""
        ours = self.share - self.used_by_us
        if lane != Lane.HANDOFF:
            ours -= self.kept_for_handoffs
        return max(0, min(ours, self.allowed - self.used))


@dataclass(frozen=True)
class Forecast:
    """How long our share lasts if it goes on as of late; None: for the coming day at least."""

    calls_per_hour: float
    spent_at: datetime | None


def read_budget(*, now: datetime) -> Budget | None:
    """The figures as last told; None as long as Salesforce has told none."""
    state = Connection.objects.first()
    if state is None or state.calls_used is None or state.calls_allowed is None:
        return None
    share = state.calls_allowed * (settings.SALESFORCE_DAILY_SHARE or state.daily_share) // 100
    return Budget(
        allowed=state.calls_allowed,
        used=state.calls_used,
        share=share,
        used_by_us=_used_by_us(state, now=now),
        kept_for_handoffs=share * state.kept_for_handoffs // 100,
        told_at=state.usage_at,
    )


def may_spend(lane: Lane, *, now: datetime) -> bool:
    """Whether a lane may make a call now.

    Where the share looks spent by figures of long ago, one caller may go: its answer brings new ones.
    """
    budget = read_budget(now=now)
    if budget is None or budget.left(lane) > 0:
        return True
    return _claim_probe(budget, stale=now - STALE_AFTER[lane], now=now)


def read_forecast(budget: Budget, *, now: datetime) -> Forecast:
    """When our share will be spent, by the calls of the last hours: new ones come at their pace, and those
    of a day ago drop out hour by hour."""
    counts = {
        count.hour: count.calls for count in CallCount.objects.filter(hour__gt=_hour_of(now) - DAY - HOUR)
    }
    recent = sum(calls for hour, calls in counts.items() if hour > now - OF_LATE * HOUR)
    pace = recent / OF_LATE
    used: float = budget.used_by_us
    for ahead in range(24):
        hour = _hour_of(now) + ahead * HOUR
        if used >= budget.share:
            return Forecast(pace, max(now, hour))
        used += pace - counts.get(hour - DAY, 0)
    return Forecast(pace, None)


def record_usage(client: SalesforceClient, *, now: datetime) -> None:
    """Note what the client's answers said about the allocation, and how many calls it made."""
    calls = client.take_count()
    usage = client.usage
    if not calls or usage is None:
        return
    Connection.objects.update(
        calls_used=usage.used,
        calls_allowed=usage.allowed,
        app_calls_used=usage.app_used,
        app_calls_allowed=usage.app_allowed,
        usage_at=now,
    )
    _add_calls(calls, hour=_hour_of(now))


def _used_by_us(state: Connection, *, now: datetime) -> int:
    """What Salesforce tells of our app; our own count where it tells nothing. Calls that others made are
    theirs: they bring the org's end nearer, but not that of our share."""
    if state.app_calls_used is not None:
        return state.app_calls_used
    counts = CallCount.objects.filter(hour__gt=now - DAY)
    total: dict[str, Any] = counts.aggregate(calls=Sum("calls"))
    return total["calls"] or 0


def _claim_probe(budget: Budget, *, stale: datetime, now: datetime) -> bool:
    if budget.told_at is not None and budget.told_at > stale:
        return False
    nobody_asks = Q(probed_at=None) | Q(probed_at__lte=stale)
    return bool(Connection.objects.filter(nobody_asks).update(probed_at=now))


def _add_calls(calls: int, *, hour: datetime) -> None:
    row = CallCount.objects.filter(hour=hour)
    if row.update(calls=F("calls") + calls):
        return
    CallCount.objects.bulk_create([CallCount(hour=hour, calls=0)], ignore_conflicts=True)
    row.update(calls=F("calls") + calls)
    CallCount.objects.filter(hour__lt=hour - COUNTS_KEPT).delete()


def _hour_of(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
