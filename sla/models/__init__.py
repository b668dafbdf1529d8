"""Promises about time: calendars, policies with targets, the clocks that run, and what follows a breach."""

from sla.models.calendars import Calendar, CalendarInterval, CalendarPerson, Closure
from sla.models.clocks import Clock, ClockQuerySet, Escalation, Pause
from sla.models.incidents import Incident
from sla.models.policies import (
    LONGEST_MINUTES,
    EscalationStep,
    PinnedPolicy,
    Policy,
    PolicyVersion,
    Target,
    check_warn_percent,
)
from sla.models.tickets import AlarmSetting, Ticket, TicketQuerySet

__all__ = [
    "LONGEST_MINUTES",
    "AlarmSetting",
    "Calendar",
    "CalendarInterval",
    "CalendarPerson",
    "Clock",
    "ClockQuerySet",
    "Closure",
    "Escalation",
    "EscalationStep",
    "Incident",
    "Pause",
    "PinnedPolicy",
    "Policy",
    "PolicyVersion",
    "Target",
    "Ticket",
    "TicketQuerySet",
    "check_warn_percent",
]
