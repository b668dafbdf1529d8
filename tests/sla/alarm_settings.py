"""Alarms as a test wants them, whether or not another test has emptied the tables."""

from __future__ import annotations

from sla.models import AlarmSetting, Ticket


def set_alarm(alarm: Ticket.Alarm, **fields) -> AlarmSetting:
    return AlarmSetting.objects.update_or_create(alarm=alarm, defaults={"is_active": True} | fields)[0]
