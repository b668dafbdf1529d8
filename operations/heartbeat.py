"""The heartbeat of a worker cluster: a row that is renewed whenever one of its workers finishes a task.

A cluster of django-q2 can hang with all its processes alive, so "it runs" proves nothing; "it did
something" does. When there is nothing to do, run_worker gives it `operations.tasks.beat`.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import structlog
from django.db import Error as DatabaseError
from django.utils import timezone
from django_q.signals import post_execute_in_worker

from operations.models import WorkerHeartbeat

log = structlog.get_logger(__name__)

FORGET_AFTER = timedelta(hours=1)
# A busy worker finishes hundreds of tasks a second; the row need not be renewed for each.
SECONDS_BETWEEN_WRITES = 1.0

_written_at = 0.0


def beat_for(worker: str) -> None:
    """Have every process forked from this one renew the heartbeat of `worker` after each task."""

    def renew(**_: object) -> None:
        global _written_at
        if time.monotonic() - _written_at < SECONDS_BETWEEN_WRITES:
            return
        try:
            record_beat(worker, now=timezone.now())
        except DatabaseError:  # the task is done all the same; the worker must live to do the next
            log.warning("heartbeat_not_written")
        _written_at = time.monotonic()

    post_execute_in_worker.connect(renew, weak=False, dispatch_uid="operations.heartbeat")


def record_beat(worker: str, *, now: datetime) -> None:
    WorkerHeartbeat.objects.update_or_create(worker=worker, defaults={"beat_at": now})


def last_beat(worker: str) -> datetime | None:
    row = WorkerHeartbeat.objects.filter(worker=worker).first()
    return row.beat_at if row else None


def forget_beats(*, now: datetime, worker: str = "") -> None:
    """Remove the row of a cluster that ended, and rows of clusters that ended without saying so."""
    WorkerHeartbeat.objects.filter(worker=worker).delete()
    WorkerHeartbeat.objects.filter(beat_at__lt=now - FORGET_AFTER).delete()
