"""Promises about time: calendars, policies with targets, and the clocks that run."""

from sla.models.calendars import Calendar, CalendarInterval, CalendarPerson, Closure
from sla.models.clocks import Clock, ClockQuerySet, Pause
from sla.models.policies import LONGEST_MINUTES, Policy, Target, check_warn_percent

__all__ = [
    "LONGEST_MINUTES",
    "Calendar",
    "CalendarInterval",
    "CalendarPerson",
    "Clock",
    "ClockQuerySet",
    "Closure",
    "Pause",
    "Policy",
    "Target",
    "check_warn_percent",
]
