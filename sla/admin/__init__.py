"""Calendars, policies, clocks, alarms and tickets in the admin: importing a part registers it."""

from sla.admin.alarms import AlarmSettingAdmin, TicketAdmin
from sla.admin.calendars import CalendarAdmin
from sla.admin.clocks import ClockAdmin
from sla.admin.policies import PolicyAdmin

__all__ = ["AlarmSettingAdmin", "CalendarAdmin", "ClockAdmin", "PolicyAdmin", "TicketAdmin"]
