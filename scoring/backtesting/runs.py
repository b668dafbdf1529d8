"""A version run against history beside the active one, week by week, as everything was known then (SCORE-10).

A backtest advances in steps that any worker may take, one at a time: each locks its row, does a chunk of the
leads and keeps the running sum, so a killed worker loses one step. What a lead did or was later, or what
reached us later, never counts at a point: the engine's historical statements see to that.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256

import structlog
from django.db import connection, transaction
from django.db.models import QuerySet

from accounts.models import User
from common.errors import DomainError, InvalidInput
from common.parking import begin_attempt, describe_failure, forget_failure, keep_failure
from common.queue import enqueue
from leads.models import Lead
from scoring.backtesting.reasons import why_passed
from scoring.backtesting.replay import Tally, thresholds_around, weekly_points
from scoring.backtesting.tracks import tracks_of
from scoring.calibration.runs import USUAL_DAYS, median_cycles
from scoring.conversion import Goal, Maturity
from scoring.engine import model_of, score_with_ledger
from scoring.language.rules import Formula, RuleRefused
from scoring.lifecycle.versions import require_marketing
from scoring.matching import backfill_drafts_for, backfill_signals
from scoring.models import Backtest, ModelVersion, Signal, SignalCondition
from scoring.outcomes import by_lead, outcomes_of

log = structlog.get_logger(__name__)

LEADS_PER_STEP = 5_000
# A step ends well before the queue would give its task up.
BACKFILL_SECONDS = 20
FEWEST_DAYS, MOST_DAYS = 7, 366


class VersionChanged(DomainError):
    """The draft says something else than when its backtest began."""

    def __init__(self) -> None:
        super().__init__("The draft was changed while it was run against history. Start the backtest again.")


# --- Asking for one -----------------------------------------------------------------------------


@transaction.atomic
def request_backtest(version: ModelVersion, *, days: int, by: User, now: datetime) -> Backtest:
    """Have the version run against the last `days`, rounded up to whole weeks, beside the active version
    unless it is that one.

    Asking twice is asking once: the same that is still waiting is returned; another one of the version that
    is not finished gives way. Raises InvalidInput, NotAllowed.
    """
    require_marketing(by)
    if not FEWEST_DAYS <= days <= MOST_DAYS:
        raise InvalidInput(f"Look back between {FEWEST_DAYS} and {MOST_DAYS} days.", field="days")
    version = ModelVersion.objects.select_for_update(no_key=True, of=("self",)).get(pk=version.pk)
    asked = {
        "days": days,
        "fingerprint": fingerprint_of(version),
        "against": ModelVersion.objects.active().exclude(pk=version.pk).first(),
    }
    unfinished = Backtest.objects.filter(version=version, finished_at=None)
    if same := unfinished.filter(parked_at=None, **asked).first():
        return same
    unfinished.delete()
    backtest = Backtest.objects.create(
        version=version,
        requested_at=now,
        requested_by=by,
        # One step to match the signals, and one to end.
        steps=2 - -Lead.objects.count() // LEADS_PER_STEP,
        **asked,
    )
    enqueue("scoring.backtesting.tasks.run_backtest_soon", backtest.pk)
    return backtest


def latest_backtest(version: ModelVersion) -> Backtest | None:
    """The latest finished one of the version."""
    return (
        Backtest.objects.filter(version=version, finished_at__isnull=False)
        .select_related("against", "requested_by")
        .first()
    )


def fingerprint_of(version: ModelVersion) -> str:
    """Changes with anything that the version says now, the definitions of its signals included.

    Raises InvalidInput if it cannot mean anything.
    """
    return _fingerprint(ModelVersion.objects.with_rules().get(pk=version.pk))


def _fingerprint(version: ModelVersion) -> str:
    try:
        model = model_of(version)
    except RuleRefused as refusal:
        raise InvalidInput(str(refusal)) from refusal
    counted = {rule.signal.pk: rule.signal for rule in version.rules.all() if rule.signal is not None}
    definitions = [(pk, counted[pk].event_names) for pk in sorted(counted)]
    conditions = SignalCondition.objects.filter(signal__in=counted).order_by("pk")
    terms = list(conditions.values_list("signal_id", "property_name", "operator", "values"))
    return sha256(repr((model, definitions, terms)).encode()).hexdigest()


# --- Running it ---------------------------------------------------------------------------------


def advance_backtest(backtest_id: int, *, now: datetime) -> bool:
    """Do the next step; True if there is another one. False as well while another worker is at it.

    A refusal parks it at once with its sentence; a failure is tried again by the sweep, a few times.
    """
    row = Backtest.objects.waiting().filter(pk=backtest_id)
    if not _begin_step(row, now=now):
        return False
    try:
        # A draft may count a signal that is new: the past is matched to it first, in many transactions.
        if row.filter(steps_done=0).exists() and not _backfill_for_a_while(now=now):
            forget_failure(row)
            return True
        with transaction.atomic():
            backtest = row.select_for_update(skip_locked=True, of=("self",)).first()
            if backtest is None:
                return False
            _do_step(backtest, now=now)
    except DomainError as refusal:
        row.update(parked_at=now, error=describe_failure(refusal))
        return False
    except Exception as error:
        keep_failure(row, error)
        return False
    forget_failure(Backtest.objects.filter(pk=backtest_id))
    return backtest.finished_at is None


def _begin_step(row: QuerySet[Backtest], *, now: datetime) -> bool:
    """Count the try, unless another worker holds the row: it may hold it for longer than we have tries."""
    with transaction.atomic():
        free = list(row.select_for_update(skip_locked=True, of=("self",)).values_list("pk"))
        return bool(free) and begin_attempt(row, now=now)


def _backfill_for_a_while(*, now: datetime) -> bool:
    return backfill_drafts_for(BACKFILL_SECONDS, clock=lambda: now)


def _do_step(backtest: Backtest, *, now: datetime) -> None:
    version = ModelVersion.objects.with_rules().get(pk=backtest.version_id)
    if _fingerprint(version) != backtest.fingerprint:
        raise VersionChanged()
    against = backtest.against and ModelVersion.objects.with_rules().get(pk=backtest.against.pk)
    if backtest.steps_done == 0:
        _begin(backtest, version, against, now=now)
    elif not _count_next_leads(backtest, version, against):
        _finish(backtest, version, against, now=now)
    backtest.steps_done += 1
    backtest.steps = max(backtest.steps, backtest.steps_done)
    backtest.save(update_fields=["steps_done", "steps", "result", "finished_at"])


def _begin(backtest: Backtest, version: ModelVersion, against: ModelVersion | None, *, now: datetime) -> None:
    """Begin the sum. A retired version may count signals that nobody matched since; drafts had theirs."""
    signals = _signals_of(version).select_for_update(no_key=True, of=("self",)).order_by("pk")
    backfill_signals(list(signals), now=now)
    threshold = version.threshold
    tally = Tally(
        weeks=len(points_of(backtest)) - 1,
        threshold=threshold,
        against_threshold=against.threshold if against else threshold,
        thresholds=thresholds_around(threshold),
    )
    cycles = median_cycles(since=now - timedelta(days=USUAL_DAYS), until=now)
    backtest.result = {
        "tally": tally.as_json(),
        "cycles": {goal.value: cycle.total_seconds() for goal, cycle in cycles.items()},
        "last_id": 0,
    }


def _signals_of(version: ModelVersion) -> QuerySet[Signal]:
    return Signal.objects.filter(pk__in=version.rules.exclude(signal=None).values("signal"))


def points_of(backtest: Backtest) -> list[datetime]:
    """The baseline and the ends of the weeks of the window."""
    return weekly_points(backtest.requested_at, days=backtest.days)


def _count_next_leads(backtest: Backtest, version: ModelVersion, against: ModelVersion | None) -> bool:
    """Take in the next leads by id; False when there are none left."""
    if _signals_of(version).filter(backfilled_at=None).exists():
        raise VersionChanged()
    first = backtest.result["last_id"] + 1
    last, leads = _next_range(first)
    if last is None:
        return False
    points = points_of(backtest)
    tally = Tally.from_json(backtest.result["tally"])
    lowest = min(tally.thresholds)
    drafted = tracks_of(version, first=first, last=last, points=points, lowest=lowest)
    active = {}
    if against:
        active = tracks_of(against, first=first, last=last, points=points, lowest=tally.against_threshold)
    candidates = sorted({*drafted, *active})
    outcomes = by_lead(outcomes_of(candidates))
    maturity = _maturity_of(backtest)
    for lead_id in candidates:
        tally.count(
            lead_id,
            drafted.get(lead_id),
            active.get(lead_id),
            outcomes.get(lead_id, ()),
            since=points[0],
            maturity=maturity,
        )
    tally.leads += leads
    backtest.result |= {"tally": tally.as_json(), "last_id": last}
    return True


def _maturity_of(backtest: Backtest) -> Maturity:
    """As of the request, by the cycles that were usual when it began: the same for all its steps."""
    cycles = {Goal(goal): timedelta(seconds=seconds) for goal, seconds in backtest.result["cycles"].items()}
    return Maturity(backtest.requested_at, cycles)


def _next_range(first: int) -> tuple[int | None, int]:
    """The last id of the next leads from `first` on, and how many they are; None when there are none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(id), count(*) FROM"
            " (SELECT id FROM leads_lead WHERE id >= %s ORDER BY id LIMIT %s) following",
            [first, LEADS_PER_STEP],
        )
        last, leads = cursor.fetchone()
    return last, leads


# --- Ending it ----------------------------------------------------------------------------------


def _finish(
    backtest: Backtest, version: ModelVersion, against: ModelVersion | None, *, now: datetime
) -> None:
    """Say of the examples why only one version passes them. Ids and reasons are kept, no names."""
    tally = Tally.from_json(backtest.result["tally"])
    points = points_of(backtest)
    reasons = {
        str(example.lead_id): _why(
            example.lead_id, version, against, as_of=points[example.point], by_draft=group == "more"
        )
        for group in ("more", "fewer")
        for example in tally.examples[group]
    }
    backtest.result = {
        "tally": tally.as_json(),
        "reasons": reasons,
        "threshold_decides": model_of(version).formula is not Formula.CHECKLIST,
    }
    backtest.finished_at = now
    log.info("backtest.finished", version=version.number, leads=tally.leads, weeks=tally.weeks)


def _why(
    lead_id: int,
    version: ModelVersion,
    against: ModelVersion | None,
    *,
    as_of: datetime,
    by_draft: bool,
) -> str:
    draft = model_of(version), score_with_ledger(version, lead_id, as_of=as_of)
    active = (model_of(against), score_with_ledger(against, lead_id, as_of=as_of)) if against else None
    if by_draft:
        return why_passed("Draft", draft, "Active", active)
    return why_passed("Active", active, "Draft", draft) if active else ""


def waiting_backtests() -> Sequence[int]:
    return list(Backtest.objects.waiting().order_by("requested_at", "id").values_list("pk", flat=True))
