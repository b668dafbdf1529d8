"""Signs of life of the running system, and what it does by the clock."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

# However busy, a cluster finishes a task within Q_CLUSTER["timeout"], which is less.
ALIVE_SECONDS = settings.Q_RETRY


class HeartbeatQuerySet(models.QuerySet["WorkerHeartbeat"]):
    def alive(self, now: datetime) -> HeartbeatQuerySet:
        return self.filter(beat_at__gt=now - timedelta(seconds=ALIVE_SECONDS))


class WorkerHeartbeat(models.Model):
    """When a worker cluster last finished a task. Written through the queue: a hung cluster falls silent."""

    worker = models.CharField(max_length=120, unique=True, help_text="Host and process of the cluster.")
    beat_at = models.DateTimeField()

    objects = HeartbeatQuerySet.as_manager()

    def __str__(self) -> str:
        return self.worker

    def is_alive(self, now: datetime) -> bool:
        return self.beat_at > now - timedelta(seconds=ALIVE_SECONDS)


class PeriodicTaskQuerySet(models.QuerySet["PeriodicTask"]):
    def due(self, now: datetime) -> PeriodicTaskQuerySet:
        """Return tasks whose time has come and that are not on the queue, or were lost on it long ago."""
        lost = now - timedelta(seconds=PeriodicTask.LOST_AFTER_SECONDS)
        waiting = Q(queued_at__isnull=True) | Q(queued_at__lt=lost)
        return self.filter(waiting, next_run_at__lte=now)

    def late(self, now: datetime) -> PeriodicTaskQuerySet:
        """Return tasks that should have run and did not: nobody drives the clock, or no worker works."""
        limit = now - timedelta(seconds=PeriodicTask.LATE_AFTER_SECONDS)
        return self.filter(Q(next_run_at__lt=limit) | Q(queued_at__lt=limit))


class PeriodicTask(models.Model):
    """One entry of the schedule (handoff_portal/schedule.py), when it runs next and how it went last."""

    # Longer than the queue takes to deliver again what a killed worker held.
    LOST_AFTER_SECONDS = 2 * settings.Q_RETRY
    LATE_AFTER_SECONDS = 90

    name = models.SlugField(unique=True)
    function = models.CharField(max_length=200, help_text="Dotted path; takes no arguments.")
    every = models.DurationField(null=True, blank=True)
    cron = models.CharField(max_length=100, blank=True, help_text="Five fields, UTC.")

    next_run_at = models.DateTimeField(default=timezone.now)
    queued_at = models.DateTimeField(null=True, blank=True, help_text="Set while it is on the queue.")
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    failure = models.TextField(blank=True, help_text="Class of the last run's error; blank if it went well.")

    objects = PeriodicTaskQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(every__isnull=False, cron="") | (Q(every__isnull=True) & ~Q(cron="")),
                name="periodic_task_is_every_or_cron",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def is_late(self, now: datetime) -> bool:
        limit = now - timedelta(seconds=self.LATE_AFTER_SECONDS)
        return self.next_run_at < limit or (self.queued_at is not None and self.queued_at < limit)
