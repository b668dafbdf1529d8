"""Calibration: does the score keep its word? (SCORE-11)

The hand-offs of a stretch of time, each scored by a version as it was known when the lead was handed over,
counted by what became of them. The count goes forward in steps that any worker may take, one at a time: each
locks the row, takes in a chunk and keeps the sums, so a killed worker loses one step and a million leads
never make a page wait. `scoring.calibration.figures` turns the sums into figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import connection, transaction
from django.db.models.functions import Mod

from accounts.models import User
from common.errors import InvalidInput, NotAllowed
from common.parking import begin_attempt, forget_failure, keep_failure
from common.queue import enqueue
from leads.models import Lead, LeadEvent
from scoring.calibration.counts import Counts, from_json, to_json
from scoring.calibration.drift import SAMPLE, Snapshot, moments_of
from scoring.conversion import Goal
from scoring.engine import score_pairs
from scoring.models import CalibrationRun, ModelVersion
from scoring.outcomes import outcomes_after

log = structlog.get_logger(__name__)

# A step is a transaction of well under a second.
HANDOFFS_PER_STEP = 500
LEADS_PER_STEP = 250
FEWEST_DAYS, MOST_DAYS, USUAL_DAYS = 7, 1_100, 365
CALIBRATORS = (User.Role.MARKETING, User.Role.MANAGER)

_CYCLES = """
WITH handed AS (
  SELECT handoff_id, min(at) AS at FROM leads_leadevent
  WHERE kind = 'handed_off' AND at >= %(since)s AND at < %(until)s AND handoff_id IS NOT NULL
  GROUP BY handoff_id
)
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY reached.qualified_at - handed.at),
  percentile_disc(0.5) WITHIN GROUP (ORDER BY reached.won_at - handed.at)
FROM handed JOIN LATERAL (
  SELECT min(at) AS qualified_at, min(at) FILTER (WHERE kind = 'won') AS won_at FROM leads_leadevent event
  WHERE event.handoff_id = handed.handoff_id AND event.kind IN ('qualified', 'opportunity', 'won')
) reached ON true
"""


def may_calibrate(user: User) -> bool:
    return user.role in CALIBRATORS or user.is_superuser


# --- Asking for one ------------------------------------------------------------------------------


@transaction.atomic
def request_calibration(
    version: ModelVersion, *, days: int = USUAL_DAYS, by: User | None, now: datetime
) -> CalibrationRun:
    """Have the hand-offs of the last `days` counted by the version; the count under way, if there is one.

    Raises InvalidInput for a version that may still change, and NotAllowed. `by` is nobody at night.
    """
    if by is not None and not may_calibrate(by):
        raise NotAllowed("Only marketing and managers have the score calibrated.")
    if not FEWEST_DAYS <= days <= MOST_DAYS:
        raise InvalidInput(f"Look back between {FEWEST_DAYS} and {MOST_DAYS:,} days.", field="days")
    version = ModelVersion.objects.select_for_update(no_key=True, of=("self",)).get(pk=version.pk)
    if version.published_at is None:
        raise InvalidInput("A draft is run against history by a backtest; it is calibrated once published.")
    if under_way := CalibrationRun.objects.waiting().filter(version=version).first():
        return under_way
    CalibrationRun.objects.filter(version=version, finished_at=None).delete()
    since = now - timedelta(days=days)
    handed = LeadEvent.objects.filter(kind=LeadEvent.Kind.HANDED_OFF, at__gte=since, at__lt=now).count()
    stride = max(1, Lead.objects.count() // SAMPLE)
    sampled = Lead.objects.count() // stride
    run = CalibrationRun.objects.create(
        version=version,
        days=days,
        as_of=now,
        requested_by=by,
        position={"stride": stride},
        # One more of either kind finds that there are none left.
        steps=2 - -handed // HANDOFFS_PER_STEP - -sampled // LEADS_PER_STEP,
    )
    enqueue("scoring.calibration.tasks.calibrate_soon", run.pk)
    return run


def calibrate_active_version(*, now: datetime) -> CalibrationRun | None:
    """The nightly count, of the version by which leads are scored; over as many days as the one before."""
    version = ModelVersion.objects.active().first()
    if version is None:
        return None
    before = CalibrationRun.objects.finished().first()
    return request_calibration(version, days=before.days if before else USUAL_DAYS, by=None, now=now)


def latest_calibration(version: ModelVersion) -> CalibrationRun | None:
    """The last finished one of the version."""
    return CalibrationRun.objects.finished().filter(version=version).first()


def waiting_calibrations() -> Sequence[int]:
    return list(CalibrationRun.objects.waiting().order_by("as_of", "id").values_list("pk", flat=True))


# --- What it found -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """All that a run counted. A goal that nobody has reached has no cycle."""

    counts: Counts
    cycles: dict[Goal, timedelta]
    before: Snapshot
    after: Snapshot


def found_by(run: CalibrationRun) -> Found:
    return _found(run.counts)


def _found(data: dict[str, Any]) -> Found:
    if not data:
        return Found(Counts(), {}, Snapshot(), Snapshot())
    return Found(
        counts=from_json(data["counts"]),
        cycles={Goal(goal): timedelta(seconds=seconds) for goal, seconds in data["cycles"].items()},
        before=Snapshot.from_json(data["before"]),
        after=Snapshot.from_json(data["after"]),
    )


def _as_json(found: Found) -> dict[str, Any]:
    return {
        "counts": to_json(found.counts),
        "cycles": {goal.value: cycle.total_seconds() for goal, cycle in found.cycles.items()},
        "before": found.before.as_json(),
        "after": found.after.as_json(),
    }


# --- Counting ------------------------------------------------------------------------------------


def advance_calibration(run_id: int, *, now: datetime) -> bool:
    """Do the next step; True if there is another one. False as well while another worker is at it.

    A failure is tried again by the sweep, a few times, and then waits for a person.
    """
    row = CalibrationRun.objects.waiting().filter(pk=run_id)
    with transaction.atomic():
        free = list(row.select_for_update(skip_locked=True, of=("self",)).values_list("pk"))
        if not free or not begin_attempt(row, now=now):
            return False
    try:
        with transaction.atomic():
            run = row.select_for_update(skip_locked=True, of=("self",)).select_related("version").first()
            if run is None:
                return False
            _do_step(run, now=now)
    except Exception as error:
        keep_failure(row, error)
        return False
    forget_failure(CalibrationRun.objects.filter(pk=run_id))
    return run.finished_at is None


def _do_step(run: CalibrationRun, *, now: datetime) -> None:
    found = _found(run.counts)
    if not run.counts:
        found.cycles.update(median_cycles(since=run.as_of - timedelta(days=run.days), until=run.as_of))
    if not (_count_handoffs(run, found) or _count_leads(run, found)):
        run.finished_at = now
        CalibrationRun.objects.finished().filter(version=run.version).delete()
        log.info("scoring.calibrated", version=run.version.number, handoffs=found.counts.handed)
    run.counts = _as_json(found)
    run.steps_done += 1
    run.steps = max(run.steps, run.steps_done)
    run.save(update_fields=["counts", "position", "steps_done", "steps", "finished_at"])


def median_cycles(*, since: datetime, until: datetime) -> dict[Goal, timedelta]:
    """How long half of those that reached a goal took to it, from the hand-off; only goals reached at all."""
    with connection.cursor() as cursor:
        cursor.execute(_CYCLES, {"since": since, "until": until})
        medians = cursor.fetchone()
    return {
        goal: cycle
        for goal, cycle in zip((Goal.QUALIFIED, Goal.WON), medians, strict=True)
        if cycle is not None
    }


def _count_handoffs(run: CalibrationRun, found: Found) -> bool:
    """Take in the next hand-offs; False when there are none left."""
    outcomes = outcomes_after(
        run.position.get("handoff", 0),
        since=run.as_of - timedelta(days=run.days),
        until=run.as_of,
        limit=HANDOFFS_PER_STEP,
    )
    if not outcomes:
        return False
    pairs = [(outcome.lead_id, outcome.handed_at) for outcome in outcomes]
    results = {
        (result.lead_id, moment): result for moment, result in score_pairs(run.version, pairs, ledger=True)
    }
    for outcome in outcomes:
        result = results.get((outcome.lead_id, outcome.handed_at))
        if result is not None:
            found.counts.count(outcome, result, age=run.as_of - outcome.handed_at, cycles=found.cycles)
    run.position["handoff"] = outcomes[-1].handoff_id
    return True


def _count_leads(run: CalibrationRun, found: Found) -> bool:
    """Take in the next leads of the sample, as they were a quarter ago and as they are; False without any."""
    known = Lead.objects.filter(pk__gt=run.position.get("lead", 0), created_at__lte=run.as_of)
    sample = known.annotate(place=Mod("pk", run.position["stride"])).filter(place=0)
    lead_ids = list(sample.order_by("pk").values_list("pk", flat=True)[:LEADS_PER_STEP])
    if not lead_ids:
        return False
    past, present = moments_of(run.as_of)
    pairs = [(lead_id, moment) for lead_id in lead_ids for moment in (past, present)]
    for moment, result in score_pairs(run.version, pairs, ledger=True):
        (found.before if moment == past else found.after).count(result)
    run.position["lead"] = lead_ids[-1]
    return True
