"""Which activities are which signals: found by the database, for many leads in one statement.

A signal's definition is data (`Signal`, `SignalCondition`) and so is the statement's input: no SQL is built.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Max

from leads.models import Activity, Lead
from scoring.models import Rule, Signal

# Guards the casts below: what does not look like a plain number never compares.
NUMBER = r"^-?[0-9]{1,15}(\.[0-9]{1,9})?$"

# Whether all conditions of the signal `wanted.id` hold for the row `activity`. Text compares without regard
# to case, as people write events and paths. CASE keeps the casts behind their guard, and a property that is
# missing fails every condition.
CONDITIONS_HOLD = """
NOT EXISTS (
    SELECT FROM scoring_signalcondition condition,
      LATERAL (SELECT activity.properties ->> condition.property_name AS text) property
    WHERE condition.signal_id = wanted.id AND (CASE condition.operator
      WHEN 'at_least' THEN CASE WHEN property.text ~ %(number)s AND condition.values[1] ~ %(number)s
        THEN property.text::numeric >= condition.values[1]::numeric END
      WHEN 'at_most' THEN CASE WHEN property.text ~ %(number)s AND condition.values[1] ~ %(number)s
        THEN property.text::numeric <= condition.values[1]::numeric END
      ELSE EXISTS (SELECT FROM unnest(condition.values) value WHERE CASE condition.operator
        WHEN 'starts_with' THEN starts_with(lower(property.text), lower(value))
        WHEN 'contains' THEN strpos(lower(property.text), lower(value)) > 0
        ELSE lower(property.text) = lower(value) END)
      END) IS NOT TRUE
  )
"""

# A hit is received once the activity is and we know whose it is; GREATEST passes over nulls. The order keeps
# two writers from a deadlock.
_MATCH = """
WITH wanted AS (
  SELECT DISTINCT signal.id, lower(event_name) AS event
  FROM scoring_signal signal, unnest(signal.event_names) event_name WHERE {signals}
)
INSERT INTO scoring_signalhit (lead_id, signal_id, activity_id, occurred_at, received_at)
SELECT activity.lead_id, wanted.id, activity.id, activity.occurred_at,
  greatest(activity.received_at, activity.attributed_at)
FROM {activities}
JOIN wanted ON wanted.event = lower(activity.event)
WHERE {leads} AND {holds}
ORDER BY activity.id, wanted.id
ON CONFLICT DO NOTHING
"""

# New activities: of current signals, and of older revisions that a version still counts.
_MATCH_NEW = _MATCH.format(
    signals="""signal.retired_at IS NULL OR EXISTS (
    SELECT FROM scoring_rule rule JOIN scoring_modelversion version ON version.id = rule.version_id
    WHERE rule.signal_id = signal.id AND version.status <> 'retired')""",
    activities="""leads_lead lead
JOIN leads_activity activity ON activity.lead_id = lead.id AND activity.id >= lead.unmatched_from""",
    leads="lead.id = ANY(%(leads)s)",
    holds=CONDITIONS_HOLD,
)

_MATCH_OLD = _MATCH.format(
    signals="signal.id = ANY(%(signals)s)",
    activities="leads_activity activity",
    leads="activity.lead_id IS NOT NULL AND activity.id BETWEEN %(first)s AND %(last)s",
    holds=CONDITIONS_HOLD,
)

# About a second of work: a signal is locked against edits no longer than that.
ACTIVITIES_PER_CHUNK = 100_000
_MAX_ID = 2**63 - 1

# Any number will do; it must only differ from other advisory locks of the portal.
_MATCHING_LOCK = 7_301_001


@transaction.atomic
def match_activities(lead_ids: Sequence[int]) -> None:
    """Record which signals the leads' new activities are, and clear their marks.

    The caller holds the leads' locks. Repeating it adds nothing.
    """
    marked = Lead.objects.filter(pk__in=lead_ids).exclude(unmatched_from=None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_MATCHING_LOCK])
        cursor.execute(_MATCH_NEW, {"leads": list(lead_ids), "number": NUMBER})
    marked.update(unmatched_from=None)


@transaction.atomic
def backfill_signals(signals: Sequence[Signal], *, now: datetime) -> None:
    """Match all activities there are to signals that missed some: new ones, and old revisions that were not
    matched while no version counted them. Repeating it adds nothing. The caller holds the signals' locks.

    Matching that began before the signal was there is waited for, so that no activity falls between: what
    begins later sees the signal.
    """
    missing = [signal for signal in signals if signal.backfilled_at is None or signal.retired_at]
    if not missing:
        return
    _wait_for_matching()
    missing_ids = [signal.pk for signal in missing]
    _match_old(missing_ids, first=min(_first_missing(signal) for signal in missing), last=_MAX_ID)
    Signal.objects.filter(pk__in=missing_ids).update(backfilled_at=now, backfilled_to=None)


def _first_missing(signal: Signal) -> int:
    """From which activity on the signal may have missed some: an old revision misses any while no version
    counts it."""
    if signal.retired_at or signal.backfilled_to is None:
        return 0
    return signal.backfilled_to + 1


def backfill_drafts_for(seconds: float, *, clock: Callable[[], datetime]) -> bool:
    """As backfill_signals, for every signal that a version still to be published counts and that missed
    activities: chunk by chunk, each in a transaction of its own, so that it may run beside all other work.

    Works for so long at most and says whether all is done; the next run goes on from there. `clock` tells the
    time anew for each chunk.
    """
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        if not backfill_next_chunk(now=clock()):
            return True
    return False


@transaction.atomic
def backfill_next_chunk(*, now: datetime) -> bool:
    """Match the next activities to one signal of a draft; False when no signal misses any.

    An edit of the definition forgets the position with what was matched, so it is begun again with the new
    one; the signal's lock keeps edits, and other workers, out of a chunk.
    """
    counted = Rule.objects.filter(version__retired_at=None).values("signal")
    missing = Signal.objects.filter(backfilled_at=None)
    signal_id = missing.filter(pk__in=counted).order_by("pk").values_list("pk", flat=True).first()
    if signal_id is None:
        return False
    signal = missing.select_for_update(no_key=True).filter(pk=signal_id).first()
    if signal:
        _backfill_chunk(signal, now=now)
    return True


def _backfill_chunk(signal: Signal, *, now: datetime) -> None:
    """Activities that come meanwhile are matched as they come, so the last one there is now is the end."""
    if signal.backfilled_to is None:
        _wait_for_matching()
    first = 0 if signal.backfilled_to is None else signal.backfilled_to + 1
    last = first + ACTIVITIES_PER_CHUNK - 1
    end = _last_activity()
    _match_old([signal.pk], first=first, last=last)
    if last < end:
        signal.backfilled_to = last
    else:
        signal.backfilled_at, signal.backfilled_to = now, None
    signal.save(update_fields=["backfilled_at", "backfilled_to"])


def _last_activity() -> int:
    return Activity.objects.aggregate(last=Max("pk"))["last"] or 0


def _wait_for_matching() -> None:
    """Until every matching that began before has been committed: what begins later sees the signal."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_MATCHING_LOCK])
        cursor.execute("SELECT pg_advisory_unlock(%s)", [_MATCHING_LOCK])


def _match_old(signal_ids: Sequence[int], *, first: int, last: int) -> None:
    parameters: dict[str, Any] = {"signals": list(signal_ids), "number": NUMBER, "first": first, "last": last}
    with connection.cursor() as cursor:
        cursor.execute(_MATCH_OLD, parameters)
