from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from operations.models import PeriodicTask, WorkerHeartbeat


class ReadOnly:
    """The system writes these; people look."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(ReadOnly, admin.ModelAdmin[PeriodicTask]):
    list_display = ("name", "every", "cron", "next_run_at", "finished_at", "failure")


@admin.register(WorkerHeartbeat)
class WorkerHeartbeatAdmin(ReadOnly, admin.ModelAdmin[WorkerHeartbeat]):
    list_display = ("worker", "beat_at")
