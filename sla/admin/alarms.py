"""Alarms in the admin: when each opens a ticket. Tickets themselves are answered on their pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from sla.models import AlarmSetting, Ticket

# These are told of at once by what finds them: there is nothing to wait for.
AT_ONCE = (Ticket.Alarm.UNEXPLAINED_RETURN, Ticket.Alarm.ESCALATED)
WAITS = {
    Ticket.Alarm.NOT_OPENED: "Working minutes of the owner since the target “opened” was missed. "
    "Blank: at once.",
    Ticket.Alarm.NO_ACTIVITY: "Working minutes of the owner without an attempt or a plan, since it was "
    "accepted. A change holds for what is looked at next.",
    Ticket.Alarm.CADENCE_ABANDONED: "Working minutes of the owner since the target “contact attempts” was "
    "missed. Blank: at once.",
    Ticket.Alarm.CRM_FAILING: "Minutes around the clock since a call last went through, or since the first "
    "lead was refused. Blank: at once.",
}


class AlarmSettingForm(forms.ModelForm[AlarmSetting]):
    class Meta:
        model = AlarmSetting
        fields = ("is_active", "after_minutes", "answer_minutes")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "after_minutes" in self.fields:
            self.fields["after_minutes"].help_text = WAITS.get(Ticket.Alarm(self.instance.alarm), "")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        watches_silence = self.instance.alarm == Ticket.Alarm.NO_ACTIVITY
        if watches_silence and cleaned.get("is_active") and not cleaned.get("after_minutes"):
            self.add_error("after_minutes", "Say after how many minutes of silence: 1 or more.")
        return cleaned


@admin.register(AlarmSetting)
class AlarmSettingAdmin(admin.ModelAdmin[AlarmSetting]):
    """One row per alarm, made with the tables: alarms are switched off, not deleted."""

    form = AlarmSettingForm
    list_display = ("alarm", "is_active", "after_minutes", "answer_minutes")
    readonly_fields = ("alarm",)

    def get_fields(self, request: HttpRequest, obj: AlarmSetting | None = None) -> tuple[str, ...]:
        fields = ("alarm", "is_active", "after_minutes", "answer_minutes")
        if obj and obj.alarm in AT_ONCE:
            return tuple(name for name in fields if name != "after_minutes")
        return fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AlarmSetting | None = None) -> bool:
        return False


@admin.register(Ticket)
class TicketAdmin(admin.ModelAdmin[Ticket]):
    """What alarms found and what came of it: read only, history is not edited."""

    list_display = ("title", "alarm", "owner", "opened_at", "due_at", "closed_at", "closed_by")
    list_filter = ("alarm",)
    list_select_related = ("owner", "closed_by")
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Ticket | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Ticket | None = None) -> bool:
        return False
