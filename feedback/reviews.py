"""Looking back together at what sales returned: each month, each quarter, as the policy says."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse

from accounts.models import User
from feedback.forms import InboxFilterForm
from feedback.policy import feedback_policy
from feedback.pulses import month_of
from notifications.models import Notification
from notifications.services import notify_users

REVIEWERS = (User.Role.MARKETING, User.Role.MANAGER)
DAYS_A_MONTH = 30


def ask_for_review(*, now: datetime) -> int:
    """Ask marketing and the managers to review the months behind; say how many people.

    Periods are counted from January: every third month is a quarter of the calendar. Each is asked once a
    period, however often this runs in its first month; in the other months nobody is.
    """
    months, begun = feedback_policy().review_months, month_of(now)
    if not months or (begun.month - 1) % months:
        return 0
    reviewers = list(User.objects.filter(role__in=REVIEWERS, is_active=True))
    behind = "month" if months == 1 else f"{months} months"
    notify_users(
        reviewers,
        kind=Notification.Kind.TASK,
        dedupe_key=f"feedback-review-{begun:%Y-%m}",
        title="Time to review what sales returned",
        body=f"Look at the last {behind} together: which reasons came up, and which rules let them through?",
        url=f"{reverse('feedback:inbox')}?days={_period_shown(months)}",
        now=now,
    )
    return len(reviewers)


def _period_shown(months: int) -> str:
    """The shortest period of the inbox that covers so many months."""
    return next(days for days, _ in InboxFilterForm.PERIODS if int(days) >= months * DAYS_A_MONTH)
