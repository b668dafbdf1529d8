"""A comparison's way from mark to mark: begun, page after page, finished. Any worker goes on where another
one stopped."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import F
from django.urls import reverse

from accounts.models import User
from common.parking import MAX_ATTEMPTS, keep_failure
from crm.budget import may_spend
from crm.changes import MOST_AT_ONCE, fold_changes, remark_forgotten
from crm.client import SalesforceClient
from crm.connection import is_paused, pause_connection, record_contact
from crm.models import Drift, Lane, Reconciliation
from crm.problems import Problem, Remedy, SalesforceError
from crm.reconciling.findings import Page
from crm.reconciling.leads import compare_leads, compare_unknown_there
from crm.reconciling.tasks import compare_tasks
from notifications.models import Notification
from notifications.services import notify_users

log = structlog.get_logger("salesforce")

Stage = Reconciliation.Stage

# Longer than a task may run: a page that was taken so long ago is nobody's.
LEASE = timedelta(minutes=5)
# Differences are kept for as many comparisons.
RUNS_KEPT = 10
# They lie with the connection, not with the comparison.
PASSING = (Remedy.RETRY, Remedy.QUOTA, Remedy.AUTH)
NEXT_STAGE = {Stage.LEADS: Stage.UNKNOWN_THERE, Stage.UNKNOWN_THERE: Stage.TASKS}


@transaction.atomic
def begin_comparison(*, repairs: bool, by: User | None, now: datetime) -> Reconciliation:
    """Have both sides compared. One that is under way is given instead of a second one, and then mends what
    it finds from now on if this one should. `by`: None for the schedule."""
    under_way = Reconciliation.objects.select_for_update().filter(look_at__isnull=False, parked_at=None)
    run = under_way.order_by("pk").first()
    if run is None:
        remark_forgotten(now=now)
        _forget_old_runs()
        run = Reconciliation.objects.create(repairs=repairs, by=by, created_at=now, look_at=now)
        log.info("salesforce.comparison_begun", run=run.pk, repairs=repairs, by=by.pk if by else None)
    elif repairs and not run.repairs:
        run.repairs = True
        run.save(update_fields=["repairs"])
    return run


def begin_weekly_comparison(*, now: datetime) -> Reconciliation:
    """The one by the schedule: it reports, and mends nothing."""
    return begin_comparison(repairs=False, by=None, now=now)


def compare_next_page(client: SalesforceClient, *, now: datetime) -> bool:
    """Take the comparison under way one page further. False: there is none, others are at it, or its calls
    have to wait. Calls go from what handoffs leave over (CRM-4)."""
    if is_paused(now) or not may_spend(Lane.LATER, now=now):
        return False
    run = _take_run(now=now)
    if run is None:
        return False
    try:
        while fold_changes(now=now) == MOST_AT_ONCE:
            pass
        page = _compare_page(client, run, now=now)
    except SalesforceError as error:
        _meet(run, error.problem, client=client, now=now)
        return False
    except Exception as error:
        # Tried again after the lease, and given up after some tries.
        keep_failure(Reconciliation.objects.filter(pk=run.pk), error)
        return False
    record_contact(client, now=now)
    _keep_page(run, page, now=now)
    return True


@transaction.atomic
def _take_run(*, now: datetime) -> Reconciliation | None:
    """The comparison whose mark is due, for the time of a lease; the try is counted."""
    due = Reconciliation.objects.filter(look_at__lte=now, parked_at=None).order_by("look_at")
    run = due.select_for_update(skip_locked=True).first()
    if run is None:
        return None
    if run.attempts >= MAX_ATTEMPTS:
        _give_up(run, run.error or "The worker stopped each time this was tried.", now=now)
        return None
    run.look_at, run.attempts = now + LEASE, run.attempts + 1
    run.save(update_fields=["look_at", "attempts"])
    return run


def _compare_page(client: SalesforceClient, run: Reconciliation, *, now: datetime) -> Page:
    match Stage(run.stage):
        case Stage.LEADS:
            return compare_leads(client, after=run.reached, repairs=run.repairs, now=now)
        case Stage.UNKNOWN_THERE:
            return compare_unknown_there(repairs=run.repairs, now=now)
        case Stage.TASKS:
            return compare_tasks(client, after=run.reached, repairs=run.repairs, now=now)


@transaction.atomic
def _keep_page(taken: Reconciliation, page: Page, *, now: datetime) -> None:
    """Note what was found and how far it came, unless the lease ran out and another worker was quicker."""
    run = Reconciliation.objects.select_for_update().get(pk=taken.pk)
    if (run.stage, run.reached, run.look_at) != (taken.stage, taken.reached, taken.look_at):
        return
    Drift.objects.bulk_create([each.as_drift(run) for each in page.differences], batch_size=1000)
    run.compared += page.compared
    run.differing += len(page.differences)
    run.mended += sum(each.is_mended for each in page.differences)
    run.explained = dict(Counter(run.explained) + Counter(page.explained))
    run.attempts, run.error, run.reached, run.look_at = 0, "", page.reached, now
    if not page.reached:
        _end_stage(run, now=now)
    run.save()


def _end_stage(run: Reconciliation, *, now: datetime) -> None:
    following = NEXT_STAGE.get(Stage(run.stage))
    if following is not None:
        run.stage = following
        return
    run.look_at, run.finished_at = None, now
    log.info("salesforce.compared", run=run.pk, records=run.compared, left=run.left, mended=run.mended)
    if run.left:
        _tell_operators(run, now=now)


# --- Trouble -------------------------------------------------------------------------------------


def _meet(run: Reconciliation, problem: Problem, *, client: SalesforceClient, now: datetime) -> None:
    """What passes is waited for; what a person has to mend ends the comparison."""
    if problem.remedy in PASSING:
        pause_connection(problem, now=now, client=client)
        Reconciliation.objects.filter(pk=run.pk).update(look_at=now, attempts=F("attempts") - 1)
        return
    _give_up(run, problem.in_plain_words, now=now)


def _give_up(run: Reconciliation, words: str, *, now: datetime) -> None:
    log.warning("salesforce.comparison_stopped", run=run.pk)
    Reconciliation.objects.filter(pk=run.pk).update(look_at=None, parked_at=now, error=words[:500])


def _forget_old_runs() -> None:
    kept = Reconciliation.objects.order_by("-pk").values("pk")[: RUNS_KEPT - 1]
    Reconciliation.objects.exclude(pk__in=list(kept.values_list("pk", flat=True))).delete()


def _tell_operators(run: Reconciliation, *, now: datetime) -> None:
    differences = "differences" if run.left > 1 else "difference"
    notify_users(
        User.objects.filter(role=User.Role.OPERATOR, is_active=True),
        kind=Notification.Kind.CRM,
        dedupe_key=f"crm-comparison-{run.pk}",
        title=f"Salesforce: the comparison left {run.left:,} {differences}",
        body="See what differs and why. Most can be mended by comparing once more with repairs.",
        url=reverse("crm:comparison", args=[run.pk]),
        now=now,
    )
