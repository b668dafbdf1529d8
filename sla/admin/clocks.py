"""Clocks in the admin: what was promised and what came of it."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from sla.models import Clock, Pause


class PauseInline(admin.TabularInline[Pause, Clock]):
    model = Pause
    extra = 0
    can_delete = False


@admin.register(Clock)
class ClockAdmin(admin.ModelAdmin[Clock]):
    """What was promised and what came of it: read only, history is not edited."""

    list_display = ("id", "kind", "lead", "owner", "started_at", "due_at", "outcome", "breach_recorded_at")
    list_filter = ("outcome", "kind", "team")
    list_select_related = ("lead", "owner")
    show_full_result_count = False
    inlines = (PauseInline,)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Clock | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Clock | None = None) -> bool:
        return False
