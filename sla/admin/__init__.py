"""Calendars, policies and clocks in the admin: importing a part registers it."""

from sla.admin.calendars import CalendarAdmin
from sla.admin.clocks import ClockAdmin
from sla.admin.policies import PolicyAdmin

__all__ = ["CalendarAdmin", "ClockAdmin", "PolicyAdmin"]
