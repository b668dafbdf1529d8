"""The guard and its cluster, as real processes on the test database."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import psutil
import pytest
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ

from common.queue import enqueue
from operations.cluster import Guard
from operations.heartbeat import last_beat
from operations.models import ALIVE_SECONDS, PeriodicTask, WorkerHeartbeat
from operations.schedule import Periodic, sync_schedule

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.chaos,
    pytest.mark.xdist_group("processes"),
]


@pytest.fixture
def guard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Guard]:
    test = connection.settings_dict
    monkeypatch.setenv(
        "DATABASE_URL",
        f"postgresql://{test['USER']}:{test['PASSWORD']}@{test['HOST']}:{test['PORT']}/{test['NAME']}",
    )
    guard = Guard()
    yield guard
    guard.stop_cluster()


def tick_until(guard: Guard, true: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        guard.tick(timezone.now())
        time.sleep(0.05)


def family(guard: Guard) -> list[psutil.Process]:
    assert guard.process is not None
    root = psutil.Process(guard.process.pid)
    return [root, *root.children(recursive=True)]


def test_a_cluster_works_beats_runs_the_schedule_and_stops_whole(guard: Guard) -> None:
    sync_schedule([Periodic("cleanup", clear_notes, every=timedelta(hours=1))], now=timezone.now())
    enqueue("operations.tasks.beat")

    tick_until(guard, lambda: last_beat(guard.worker))
    tick_until(guard, lambda: PeriodicTask.objects.get().finished_at)
    tick_until(guard, lambda: not OrmQ.objects.exists())

    assert PeriodicTask.objects.get().failure == ""
    processes = family(guard)
    guard.stop_cluster()
    assert psutil.wait_procs(processes, timeout=10)[1] == []
    assert not WorkerHeartbeat.objects.exists()


def test_a_hung_cluster_is_removed_as_a_group_and_replaced(guard: Guard) -> None:
    tick_until(guard, lambda: last_beat(guard.worker))
    hung = family(guard)
    for process in hung:
        process.send_signal(signal.SIGSTOP)  # alive by every outward sign, and doing nothing

    later = timezone.now() + timedelta(seconds=ALIVE_SECONDS + 1)
    guard.tick(later)

    assert psutil.wait_procs(hung, timeout=10)[1] == []
    guard.not_before = timezone.now()
    tick_until(guard, lambda: last_beat(guard.worker))
    assert not {process.pid for process in family(guard)} & {process.pid for process in hung}


def test_kill_9_of_the_leader_leaves_no_worker_behind(guard: Guard) -> None:
    tick_until(guard, lambda: last_beat(guard.worker))
    processes = family(guard)

    processes[0].kill()

    assert psutil.wait_procs(processes[1:], timeout=10)[1] == []
    replaced = guard.worker
    tick_until(guard, lambda: guard.worker != replaced and last_beat(guard.worker))


def clear_notes() -> None:
    """What the schedule runs in the test: anything a worker can find and do."""
    OrmQ.objects.filter(pk=-1).delete()
