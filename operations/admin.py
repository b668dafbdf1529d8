from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django_q.admin import FailAdmin, QueueAdmin, TaskAdmin
from django_q.models import Failure, OrmQ, Schedule, Success

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


# What is queued, done and failed is there to be read; the tables are django-q2's own.
for model in (Schedule, Success, Failure, OrmQ):
    admin.site.unregister(model)
# Schedule stays out: what runs when is operations/schedule.py, and rows of that table are never run here.


@admin.register(Success)
class DoneTaskAdmin(ReadOnly, TaskAdmin):
    actions = ()


@admin.register(Failure)
class FailedTaskAdmin(ReadOnly, FailAdmin):
    actions = ()


@admin.register(OrmQ)
class QueuedTaskAdmin(ReadOnly, QueueAdmin):
    actions = ()
