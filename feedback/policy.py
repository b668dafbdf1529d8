"""What marketing promises sales in return, and when it is due."""

from __future__ import annotations

from datetime import datetime, timedelta

from feedback.models import FeedbackPolicy
from sla.calendars import calendar_of, working_hours


def feedback_policy() -> FeedbackPolicy:
    """The policy in force; the defaults until somebody writes another."""
    return FeedbackPolicy.objects.first() or FeedbackPolicy()


def due_after(minutes: int, *, now: datetime) -> datetime:
    """When so many business minutes of the default calendar have passed; around the clock without one."""
    hours = working_hours(calendar_of(None), person=None, around=now)
    return hours.add_business_time(now, timedelta(minutes=minutes))
