"""What marketing owes a lead, on its own clock: data to fix, gaps to fill (FEED-1, HAND-5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import User
from common.errors import DomainError
from feedback.models import MarketingTask, Verdict
from feedback.policy import due_after, feedback_policy
from feedback.returning import give_back_repaired, handoff_given_back
from handoffs.acting import require_role, require_text
from handoffs.models import ContextPackage, Handoff
from handoffs.package.completeness import fact_labels
from handoffs.summary import name_with_company
from handoffs.undo import GRACE, UNDO_FOR
from leads.models import Lead, LeadEvent
from leads.services import correct_lead, log_event
from notifications.models import Notification
from notifications.services import notify_users

OUTCOME_LENGTH = 500
WANTED_LENGTH = 1000
BATCH = 200
# A reminder that was missed for longer than this, because nothing ran, is not sent any more.
REMIND_WITHIN = timedelta(days=7)

Kind = MarketingTask.Kind


class TaskDone(DomainError):
    """It is closed, in other words or with other corrections. The message says by whom."""

    code = "task_done"

    def __init__(self, task: MarketingTask) -> None:
        if task.done_by:
            words = f"{task.done_by} has settled this task already: {task.outcome}"
        else:
            words = f"{task.needless_because}: nothing is left to do"
        super().__init__(f"{words}. What you sent now is not kept.")
        self.task = task


# --- Opening ------------------------------------------------------------------------------------


def open_fix_task(verdict: Verdict, *, now: datetime) -> MarketingTask:
    """Sales returned the lead for its data: marketing fixes it. The caller holds the lead's lock.

    A handoff returned for its data a second time, after the first return was undone, has its task again.
    """
    wanted = verdict.note or f"{verdict.reason}: {verdict.reason.promise}"
    task, _ = MarketingTask.objects.update_or_create(
        handoff=verdict.handoff,
        kind=Kind.FIX_DATA,
        defaults={
            "lead": verdict.lead,
            "verdict": verdict,
            "wanted": wanted[:WANTED_LENGTH],
            "created_at": now,
            "due_at": due_after(feedback_policy().fix_minutes, now=now),
            "done_at": None,
            "done_by": None,
            "outcome": "",
        },
    )
    _tell_marketing([task], now=now)
    return task


@transaction.atomic
def open_gap_tasks(*, now: datetime) -> int:
    """Make a task of each handoff marked as incomplete, and take the mark away; say how many tasks.

    The mark is Handoff.incomplete_at. A handoff that ended meanwhile needs nothing any more: it gets no task,
    and the one it has is closed. Safe to repeat and to run twice at once.
    """
    _drop_needless_gap_tasks(now=now)
    marked = (
        Handoff.objects.filter(incomplete_at__isnull=False)
        .select_for_update(skip_locked=True, of=("self",), no_key=True)
        .select_related("lead__company")
        .order_by("incomplete_at", "pk")
    )
    handoffs = list(marked[:BATCH])
    if not handoffs:
        return 0
    having = MarketingTask.objects.filter(handoff__in=handoffs, kind=Kind.FILL_GAPS).values_list("handoff")
    had = {handoff_id for (handoff_id,) in having}
    wanting = [handoff for handoff in handoffs if handoff.is_open and handoff.pk not in had]
    missing = dict(ContextPackage.objects.filter(handoff__in=wanting).values_list("handoff", "missing"))
    due_at = due_after(feedback_policy().fix_minutes, now=now)
    tasks = [
        MarketingTask(
            kind=Kind.FILL_GAPS,
            lead=handoff.lead,
            handoff=handoff,
            wanted=describe_gaps(missing.get(handoff.pk, [])),
            created_at=now,
            due_at=due_at,
        )
        for handoff in wanting
    ]
    MarketingTask.objects.bulk_create(tasks)
    Handoff.objects.filter(pk__in=[handoff.pk for handoff in handoffs]).update(incomplete_at=None)
    _tell_marketing(tasks, now=now)
    return len(tasks)


def _drop_needless_gap_tasks(*, now: datetime) -> None:
    """Close the tasks of handoffs that ended too long ago for that to be undone: nobody did anything."""
    ended = Handoff.objects.filter(closed_at__lt=now - UNDO_FOR - GRACE)
    gaps = MarketingTask.objects.open().filter(kind=Kind.FILL_GAPS)
    gaps.filter(handoff__in=ended).update(done_at=now)


def describe_gaps(missing: Sequence[str]) -> str:
    """Such as "Missing: Phone, Industry"."""
    return f"Missing: {', '.join(fact_labels(missing))}" if missing else "The package is incomplete"


# --- Closing ------------------------------------------------------------------------------------


@transaction.atomic
def complete_task(
    task: MarketingTask,
    *,
    outcome: str,
    changes: Mapping[str, object] | None = None,
    by: User,
    now: datetime,
) -> Handoff | None:
    """Correct what was wrong (`changes` as correct_lead takes them), say what was done, and close the task.

    A lead that was returned for its data goes to sales again if it still qualifies; that handoff is
    returned. For gaps the rep is told. Completing in the same way what one has completed changes nothing and
    returns the same. Raises InvalidInput naming the field, TaskDone, NoRouteForLead, NotAllowed.
    """
    require_role(by, User.Role.MARKETING, User.Role.MANAGER, act="settle a task of marketing")
    outcome = require_text(
        outcome, field="outcome", ask="Say in a few words what was done.", length=OUTCOME_LENGTH
    )
    lead = Lead.objects.lock(task.lead_id)
    done = MarketingTask.objects.open().filter(pk=task.pk)
    if not done.update(done_at=now, done_by=by, outcome=outcome):
        task.refresh_from_db()
        _require_repetition(task, lead, outcome=outcome, changes=changes or {}, by=by, now=now)
        return handoff_given_back(task.verdict, at=task.done_at) if task.verdict else None
    task.refresh_from_db()
    fixed = correct_lead(lead, changes=changes or {}, by=by, at=now, via="portal")
    log_event(
        lead,
        LeadEvent.Kind.DATA_FIXED,
        at=now,
        by=by,
        handoff_id=task.handoff_id,
        task=task.kind,
        fields=fixed,
        in_time=now <= task.due_at,
    )
    if task.verdict is not None:
        return give_back_repaired(task.verdict, lead, by=by, now=now)
    _tell_owner(task, now=now)
    return None


def _require_repetition(
    task: MarketingTask, lead: Lead, *, outcome: str, changes: Mapping[str, object], by: User, now: datetime
) -> None:
    """Raises TaskDone if a closed task was not closed in just this way: what is sent now would be lost."""
    is_same = (task.done_by_id, task.outcome) == (by.pk, outcome)
    # A correction that would change something is rolled back with the transaction.
    if not is_same or correct_lead(lead, changes=changes, by=by, at=now, via="portal"):
        raise TaskDone(task)


def drop_task(verdict: Verdict, *, now: datetime) -> None:
    """Close what a rejection asked of marketing, because the rejection was undone: nobody did anything. The
    caller holds the lead's lock."""
    MarketingTask.objects.open().filter(verdict=verdict).update(done_at=now)


# --- Telling ------------------------------------------------------------------------------------


def remind_of_late_tasks(*, now: datetime) -> int:
    """Tell marketing and the managers, once, of each task whose time is over; say how many are late."""
    late = MarketingTask.objects.late(now).filter(due_at__gte=now - REMIND_WITHIN)
    tasks = list(late.select_related("handoff__lead__company"))
    recipients = list(User.objects.filter(role__in=(User.Role.MARKETING, User.Role.MANAGER), is_active=True))
    for task in tasks:
        notify_users(
            recipients,
            kind=Notification.Kind.TASK,
            dedupe_key=f"task-{task.pk}-late-{task.due_at.isoformat()}",
            title=f"Overdue: {task.get_kind_display().lower()} of {name_with_company(task.handoff)}",
            body=task.wanted,
            url=task.get_absolute_url(),
            now=now,
        )
    return len(tasks)


def _tell_marketing(tasks: Sequence[MarketingTask], *, now: datetime) -> None:
    """One message a task; the key holds when it was opened, as a task may be opened again."""
    recipients = list(User.objects.filter(role=User.Role.MARKETING, is_active=True))
    for task in tasks:
        notify_users(
            recipients,
            kind=Notification.Kind.TASK,
            dedupe_key=f"handoff-{task.handoff_id}-{task.kind}-{now.isoformat()}",
            title=f"{task.get_kind_display()}: {name_with_company(task.handoff)}",
            body=task.wanted,
            url=task.get_absolute_url(),
            now=now,
        )


def _tell_owner(task: MarketingTask, *, now: datetime) -> None:
    handoff, rep = task.handoff, task.rep
    if rep is None:
        return
    notify_users(
        [rep],
        kind=Notification.Kind.TASK,
        dedupe_key=f"task-{task.pk}-done",
        title=f"Marketing filled the gaps of {name_with_company(handoff)}",
        body=task.outcome,
        url=handoff.get_absolute_url(),
        now=now,
    )
