"""Marketing reads what sales refused, on a clock of its own: feedback nobody reads dries up (SLA-8)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.urls import reverse

from accounts.models import User
from feedback.models import Reading, RejectionReason, Verdict
from feedback.policy import due_after, feedback_policy
from handoffs.acting import require_role
from notifications.models import Notification
from notifications.services import notify_users


def ask_to_read(verdict: Verdict, *, now: datetime) -> None:
    """Start marketing's clock for a rejection. One that only passed the lead on says nothing to marketing."""
    if verdict.reason.type == RejectionReason.Type.PROCEDURAL:
        return
    due_at = due_after(feedback_policy().reading_minutes, now=now)
    Reading.objects.create(verdict=verdict, created_at=now, due_at=due_at)


@transaction.atomic
def mark_rejections_read(verdict_ids: Collection[int], *, by: User, now: datetime) -> int:
    """Stop the clocks of these rejections; say how many were still to be read. Marketing only.

    Who read one first stays on record, so repeating it changes nothing.
    """
    require_role(by, User.Role.MARKETING, act="mark rejections as read")
    return Reading.objects.open().filter(verdict__in=verdict_ids).update(read_at=now, read_by=by)


def remind_of_late_readings(*, now: datetime) -> int:
    """Tell marketing once a day, in one message, how many rejections are overdue to be read; return that."""
    late = Reading.objects.open().filter(due_at__lt=now).count()
    if late:
        notify_users(
            User.objects.filter(role=User.Role.MARKETING, is_active=True),
            kind=Notification.Kind.TASK,
            dedupe_key=f"readings-late-{now:%Y-%m-%d}",
            title=f"{late} {'rejection waits' if late == 1 else 'rejections wait'} to be read",
            body="Sales said why, and marketing promised to read it.",
            url=f"{reverse('feedback:inbox')}#latest",
            now=now,
        )
    return late
