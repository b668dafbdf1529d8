"""Looking at recent activities to write a signal: what it would have matched, and what names there are.

The table holds tens of millions of rows and has no index on time or event. Ids grow with the time of arrival,
so a moment is found by halving the range of ids, and names are counted in a sample of short runs of ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, Min

from accounts.models import User
from common.patience import TookTooLong, at_most
from leads.models import Activity, Lead
from scoring.matching import CONDITIONS_HOLD, NUMBER
from scoring.models import Signal, SignalCondition

SPANS = (timedelta(days=30), timedelta(days=1))
PATIENCE_SECONDS = 3.0
TOO_LONG = "There are too many activities to look through while you wait. Save the signal to match them all."
MOST_EXAMPLES = 5
NAMES_SPAN = timedelta(days=90)
RUNS, RUN_LENGTH = 40, 250  # a sample of 10,000 activities

_MATCHED = f"""
WITH wanted AS (
  SELECT DISTINCT signal.id, lower(event_name) AS event
  FROM scoring_signal signal, unnest(signal.event_names) event_name WHERE signal.id = %(signal)s
), recent AS (
  SELECT activity.id, activity.lead_id, EXISTS (
    SELECT FROM wanted WHERE wanted.event = lower(activity.event) AND {CONDITIONS_HOLD}
  ) AS matches
  FROM leads_activity activity
  WHERE activity.id >= %(first)s AND activity.received_at >= %(since)s AND activity.lead_id IS NOT NULL
)
SELECT count(*), count(*) FILTER (WHERE matches), count(DISTINCT lead_id) FILTER (WHERE matches),
  (array_agg(id ORDER BY id DESC) FILTER (WHERE matches))[:%(examples)s]
FROM recent
"""

_SAMPLE = """
SELECT activity.event, activity.properties
FROM generate_series(%(first)s::bigint, %(last)s::bigint, %(step)s::bigint) AS start(id),
LATERAL (
  SELECT event, properties FROM leads_activity
  WHERE leads_activity.id >= start.id AND leads_activity.id < start.id + %(step)s
  ORDER BY leads_activity.id LIMIT %(run)s
) activity
"""

_NAMES = f"""
WITH sample AS ({_SAMPLE})
SELECT event, count(*) FROM sample GROUP BY event ORDER BY count(*) DESC, event LIMIT 40
"""

_PROPERTIES = f"""
WITH sample AS ({_SAMPLE})
SELECT key FROM sample, jsonb_object_keys(sample.properties) key
GROUP BY key ORDER BY count(*) DESC, key LIMIT 60
"""


@dataclass(frozen=True, slots=True)
class Example:
    """One activity that would have matched, with the properties that the conditions look at."""

    activity: Activity
    lead: Lead
    properties: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Matched:
    """What a signal would have matched of the activities of known leads that arrived within `days`."""

    days: int
    looked_at: int
    matched: int
    leads: int
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Names:
    """Event names with their share of recent activities in per cent, most frequent first, and the names of
    properties. `is_sample` says that rare names may be missing."""

    events: tuple[tuple[str, float], ...]
    properties: tuple[str, ...]
    is_sample: bool


def preview_signal(
    signal: Signal, conditions: Sequence[SignalCondition], *, by: User, now: datetime
) -> Matched:
    """What a signal that is not saved would have matched lately; nothing stays written.

    Looks at a shorter time where there is too much to look at, and raises TookTooLong if that is still so.
    Leads that the person may not see are counted but are no examples.
    """
    with transaction.atomic():
        try:
            signal.save(force_insert=True)
            for condition in conditions:
                condition.signal = signal
                condition.save(force_insert=True)
            return _matched(signal, conditions, by=by, now=now)
        finally:
            transaction.set_rollback(True)


def _matched(signal: Signal, conditions: Sequence[SignalCondition], *, by: User, now: datetime) -> Matched:
    for span in SPANS:
        try:
            with at_most(PATIENCE_SECONDS, otherwise=TOO_LONG), connection.cursor() as cursor:
                since = now - span
                parameters: dict[str, Any] = {
                    "signal": signal.pk,
                    "number": NUMBER,
                    "examples": MOST_EXAMPLES,
                    "since": since,
                    "first": first_id_since(since),
                }
                cursor.execute(_MATCHED, parameters)
                looked_at, matched, leads, ids = cursor.fetchone()
        except TookTooLong:
            if span == SPANS[-1]:
                raise
            continue
        named = dict.fromkeys(condition.property_name for condition in conditions)
        return Matched(span.days, looked_at, matched, leads, _examples(ids or [], list(named), by=by))
    raise AssertionError("the last span returns or raises")


def _examples(ids: list[int], named: list[str], *, by: User) -> tuple[Example, ...]:
    activities = Activity.objects.filter(pk__in=ids, lead__in=Lead.objects.visible_to(by))
    return tuple(
        Example(activity, activity.lead, tuple(_shown(activity, named)))
        for activity in activities.select_related("lead").order_by("-pk")
        if activity.lead
    )


def _shown(activity: Activity, named: list[str]) -> list[tuple[str, str]]:
    """The properties that matter; without conditions the first few."""
    names = named or list(activity.properties)[:3]
    return [(name, str(activity.properties[name])[:120]) for name in names if name in activity.properties]


def recent_names(*, now: datetime) -> Names:
    """What events and properties are called in the activities of the last 90 days. The cost does not grow
    with their number: at most RUNS × RUN_LENGTH rows are read."""
    bounds = Activity.objects.aggregate(last=Max("pk"))
    if bounds["last"] is None:
        return Names((), (), is_sample=False)
    first, last = first_id_since(now - NAMES_SPAN), bounds["last"]
    step = max(RUN_LENGTH, -(-(last - first + 1) // RUNS))
    parameters = {"first": first, "last": last, "step": step, "run": RUN_LENGTH}
    with connection.cursor() as cursor:
        cursor.execute(_NAMES, parameters)
        counts = cursor.fetchall()
        cursor.execute(_PROPERTIES, parameters)
        properties = tuple(name for (name,) in cursor.fetchall())
    total = sum(count for _, count in counts)
    events = tuple((event, round(100 * count / total, 1)) for event, count in counts)
    return Names(events, properties, is_sample=step > RUN_LENGTH)


def first_id_since(since: datetime) -> int:
    """An id that no activity received since then lies below, but for writers that overtook each other."""
    bounds = Activity.objects.aggregate(first=Min("pk"), last=Max("pk"))
    low, high = bounds["first"] or 0, (bounds["last"] or 0) + 1
    while low < high:
        middle = (low + high) // 2
        received_at = (
            Activity.objects.filter(pk__gte=middle)
            .order_by("pk")
            .values_list("received_at", flat=True)
            .first()
        )
        if received_at is None or received_at >= since:
            high = middle
        else:
            low = middle + 1
    return low
