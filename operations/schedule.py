"""What runs by the clock: entries are synchronised to rows, and due rows are put on the queue.

django-q2's own scheduler looks every half minute and stops altogether at one malformed row, so it is off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from croniter import croniter
from django.db import transaction

from common.queue import enqueue, name_of
from operations import tasks
from operations.models import PeriodicTask


@dataclass(frozen=True)
class Periodic:
    """One entry of the schedule: a function without arguments, run `every` so often or by `cron` (UTC)."""

    name: str
    function: Callable[[], object]
    every: timedelta | None = None
    cron: str = ""

    def __post_init__(self) -> None:
        if (self.every is None) == (not self.cron):
            raise ValueError(f"{self.name}: give either every or cron.")
        if self.cron and not croniter.is_valid(self.cron):
            raise ValueError(f"{self.name}: {self.cron!r} is not a cron expression.")


@transaction.atomic
def sync_schedule(entries: Sequence[Periodic], *, now: datetime) -> None:
    """Make the rows equal the entries. Repeat-safe; when a task runs next changes only with its rhythm."""
    PeriodicTask.objects.exclude(name__in=[entry.name for entry in entries]).delete()
    for entry in entries:
        task, created = PeriodicTask.objects.get_or_create(
            name=entry.name,
            defaults={
                "function": name_of(entry.function),
                "every": entry.every,
                "cron": entry.cron,
                "next_run_at": now,
            },
        )
        if created:
            continue
        rhythm_changed = (task.every, task.cron) != (entry.every, entry.cron)
        task.function, task.every, task.cron = name_of(entry.function), entry.every, entry.cron
        if rhythm_changed:
            task.next_run_at = now
        task.save(update_fields=["function", "every", "cron", "next_run_at"])


@transaction.atomic
def queue_due_tasks(*, now: datetime) -> int:
    """Put due tasks on the queue and return how many. Any number of processes may do so at once."""
    due = PeriodicTask.objects.due(now).select_for_update(skip_locked=True)
    for task in due:
        task.next_run_at = next_run(task, after=now)
        task.queued_at = now
        task.save(update_fields=["next_run_at", "queued_at"])
        enqueue(tasks.run_periodic, task.name)
    return len(due)


def next_run(task: PeriodicTask, *, after: datetime) -> datetime:
    """Return the next time strictly after; runs that were missed are not made up for."""
    if task.every is not None:
        return after + task.every
    upcoming: datetime = croniter(task.cron, after).get_next(datetime)
    return upcoming
