"""What the worker itself runs: its heartbeat and the tasks of the schedule."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.db import connection
from django.utils import timezone
from django.utils.module_loading import import_string

from operations.models import PeriodicTask

log = structlog.get_logger(__name__)

# The first number of PostgreSQL's two-number advisory locks, so that ours meet nobody else's.
LOCK_SPACE = 7301


def beat() -> None:
    """Do nothing: that a worker got to finish it is the heartbeat (operations.heartbeat)."""


def run_periodic(name: str) -> None:
    """Run one task of the schedule and note how it went. However delivered, it runs once at a time."""
    task = PeriodicTask.objects.filter(name=name).first()
    if task is None:  # left the schedule while it was queued
        return
    with _only_one(task) as alone:
        if alone:
            _run(task)


def _run(task: PeriodicTask) -> None:
    PeriodicTask.objects.filter(pk=task.pk).update(started_at=timezone.now())
    failure = ""
    try:
        import_string(task.function)()
    except Exception as error:
        failure = type(error).__name__
        log.exception("periodic_task_failed", task=task.name)
    PeriodicTask.objects.filter(pk=task.pk).update(
        finished_at=timezone.now(), queued_at=None, failure=failure
    )


@contextmanager
def _only_one(task: PeriodicTask) -> Iterator[bool]:
    """Hold a lock of the session: PostgreSQL releases it when the connection of a killed worker ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_SPACE, task.pk])
        alone = bool(cursor.fetchone()[0])
        try:
            yield alone
        finally:
            if alone:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_SPACE, task.pk])
