"""Signs of life of the running system."""

from __future__ import annotations

from django.db import models


class WorkerHeartbeat(models.Model):
    """When a worker cluster last really did a task: written through the queue, so a hung cluster falls silent."""

    worker = models.CharField(max_length=120, unique=True, help_text="Host and cluster.")
    beat_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.worker
