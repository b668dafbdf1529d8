"""Periodic tasks: rows follow the list, due ones reach the queue once, and each runs alone."""

from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.db import connections
from django.utils.module_loading import import_string
from django_q.models import OrmQ

from common.queue import enqueue, name_of
from operations import tasks
from operations.models import PeriodicTask
from operations.schedule import Periodic, queue_due_tasks, sync_schedule

pytestmark = pytest.mark.django_db

HOURLY = timedelta(hours=1)
runs: list[str] = []


def note_a_run() -> None:
    runs.append("run")


def fail() -> None:
    raise LookupError("personal data that belongs in no table")


@pytest.fixture(autouse=True)
def _forget_runs() -> None:
    runs.clear()


def add(now: datetime, function: object = note_a_run) -> PeriodicTask:
    sync_schedule([Periodic("example", function, every=HOURLY)], now=now)  # type: ignore[arg-type]
    return PeriodicTask.objects.get()


def test_every_function_of_the_schedule_is_found_again_by_its_name() -> None:
    for entry in import_string(settings.SCHEDULE):
        assert import_string(name_of(entry.function)) is entry.function


def test_the_rows_become_the_list(now: datetime) -> None:
    sync_schedule([Periodic("old", note_a_run, every=HOURLY)], now=now)

    sync_schedule([Periodic("new", note_a_run, cron="15 3 * * *")], now=now)

    assert [(task.name, task.cron) for task in PeriodicTask.objects.all()] == [("new", "15 3 * * *")]


def test_synchronising_again_does_not_make_anything_run_earlier_or_later(now: datetime) -> None:
    add(now)
    queue_due_tasks(now=now)
    before = PeriodicTask.objects.values().get()

    add(now + timedelta(minutes=5))

    assert PeriodicTask.objects.values().get() == before


def test_a_new_rhythm_counts_from_now(now: datetime) -> None:
    add(now)
    queue_due_tasks(now=now)

    sync_schedule([Periodic("example", note_a_run, every=timedelta(minutes=1))], now=now)

    assert PeriodicTask.objects.get().next_run_at == now


@pytest.mark.parametrize("rhythm", [{}, {"every": HOURLY, "cron": "* * * * *"}, {"cron": "at noon"}])
def test_an_entry_without_exactly_one_valid_rhythm_is_refused(rhythm: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="example"):
        Periodic("example", note_a_run, **rhythm)  # type: ignore[arg-type]


def test_a_due_task_is_queued_once_and_not_again_while_it_waits(now: datetime) -> None:
    add(now)

    assert queue_due_tasks(now=now) == 1
    assert queue_due_tasks(now=now) == 0
    assert queue_due_tasks(now=now + timedelta(seconds=30)) == 0

    assert OrmQ.objects.count() == 1


def test_a_task_lost_with_its_worker_is_queued_again(now: datetime) -> None:
    add(now)
    queue_due_tasks(now=now)
    PeriodicTask.objects.update(next_run_at=now)

    assert queue_due_tasks(now=now + timedelta(seconds=PeriodicTask.LOST_AFTER_SECONDS + 1)) == 1


def test_missed_runs_are_not_made_up_for(now: datetime) -> None:
    task = add(now)
    task.queued_at = None
    later = now + timedelta(days=3)

    queue_due_tasks(now=later)

    assert PeriodicTask.objects.get().next_run_at == later + HOURLY


def test_cron_names_the_next_such_moment(now: datetime) -> None:
    sync_schedule([Periodic("nightly", note_a_run, cron="15 3 * * *")], now=now)

    queue_due_tasks(now=now)

    next_run_at = PeriodicTask.objects.get().next_run_at
    assert (next_run_at.hour, next_run_at.minute) == (3, 15)
    assert now < next_run_at <= now + timedelta(days=1)


def test_a_run_is_noted_and_frees_the_task(now: datetime) -> None:
    add(now)
    queue_due_tasks(now=now)

    tasks.run_periodic("example")

    task = PeriodicTask.objects.get()
    assert runs == ["run"]
    assert task.queued_at is None
    assert task.finished_at is not None
    assert task.failure == ""


def test_a_failing_run_is_noted_by_the_class_of_its_error_only(now: datetime) -> None:
    add(now, fail)

    tasks.run_periodic("example")

    task = PeriodicTask.objects.get()
    assert task.failure == "LookupError"
    assert task.queued_at is None


def test_a_task_that_left_the_schedule_is_let_go() -> None:
    tasks.run_periodic("gone")

    assert runs == []


@pytest.mark.django_db(transaction=True)
def test_a_task_delivered_twice_runs_once_at_a_time(now: datetime) -> None:
    task = add(now)
    elsewhere = connections.create_connection("default")
    with elsewhere.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [tasks.LOCK_SPACE, task.pk])
        tasks.run_periodic("example")
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [tasks.LOCK_SPACE, task.pk])
    elsewhere.close()
    assert runs == []

    tasks.run_periodic("example")

    assert runs == ["run"]


def test_the_queue_wants_functions_that_a_worker_can_find() -> None:
    enqueue(tasks.beat)

    assert OrmQ.objects.get().func() == "operations.tasks.beat"
    with pytest.raises(ValueError, match="functions of a module"):
        enqueue(lambda: None)
