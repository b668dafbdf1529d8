"""Runs a cluster of django-q2 and guards it: drives the schedule, watches the heartbeat, restarts what hangs.

Two processes: the *guard* (`manage.py run_worker`) starts the *cluster* (`run_worker --cluster NAME`) as the
leader of its own process group, so that a hung one can be removed with all its workers.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connections
from django.utils import timezone
from django_q.cluster import Cluster

from common.processes import die_with_parent, tied_to_me
from common.queue import enqueue
from operations import heartbeat, tasks
from operations.models import ALIVE_SECONDS
from operations.schedule import queue_due_tasks

log = structlog.get_logger(__name__)

TICK_SECONDS = 0.5
BEAT_EVERY = timedelta(seconds=5)
STOP_SECONDS = 12.0  # for the tasks that are running; what is cut off is delivered again
LONGEST_BACK_OFF = 30.0


def run_cluster(worker: str) -> int:
    """Be the cluster: fork the workers and wait until they stop. Returns the exit status."""
    # A killed leader must not leave workers behind that wait for ever on a queue nobody fills.
    os.register_at_fork(after_in_child=lambda: die_with_parent(signal.SIGKILL))
    heartbeat.beat_for(worker)
    connections.close_all()
    cluster = Cluster()
    cluster.start()
    cluster.sentinel.join()
    return 0 if cluster.has_stopped else 1


class Guard:
    """Keeps one cluster working until it is told to stop."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.process: subprocess.Popen[bytes] | None = None
        self.worker = ""
        self.patient_since = timezone.now()
        self.next_beat_at = timezone.now()
        self.failures = 0
        self.not_before = timezone.now()

    def run(self) -> None:
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, lambda *_: self.stopping.set())
        try:
            while not self.stopping.wait(TICK_SECONDS):
                self.tick(timezone.now())
        finally:
            self.stop_cluster()

    def tick(self, now: datetime) -> None:
        """Do what is due; a database that is away is waited for."""
        try:
            self.keep_cluster(now)
            queue_due_tasks(now=now)
            if now >= self.next_beat_at:
                enqueue(tasks.beat)
                self.next_beat_at = now + BEAT_EVERY
        except DatabaseError as error:
            log.warning("database_away", error=type(error).__name__)
            connections.close_all()
            self.patient_since = now  # nobody can beat meanwhile

    def keep_cluster(self, now: datetime) -> None:
        if self.process is None:
            if now >= self.not_before:
                self.start_cluster(now)
        elif self.process.poll() is not None:
            log.error("cluster_ended", status=self.process.returncode)
            self.give_up_on_cluster(now)
        elif self.is_silent(now):
            log.error("cluster_is_silent", worker=self.worker)
            self.give_up_on_cluster(now)

    def is_silent(self, now: datetime) -> bool:
        beat_at = heartbeat.last_beat(self.worker) or self.patient_since
        if beat_at > self.patient_since:
            self.failures = 0
        return max(beat_at, self.patient_since) < now - timedelta(seconds=ALIVE_SECONDS)

    def start_cluster(self, now: datetime) -> None:
        self.worker = f"{socket.gethostname()}-{os.getpid()}-{now:%H%M%S}"
        self.patient_since = now
        self.process = subprocess.Popen(
            [sys.executable, "-m", "django", "run_worker", "--cluster", self.worker],
            cwd=settings.BASE_DIR,
            start_new_session=True,
            # A cluster that hangs obeys nothing milder, and its tasks are safe to run twice.
            preexec_fn=tied_to_me(signal.SIGKILL),
        )

    def give_up_on_cluster(self, now: datetime) -> None:
        """Kill the whole group and start anew, later each time that it does not help."""
        self.kill_cluster()
        seconds = min(2.0**self.failures, LONGEST_BACK_OFF)
        self.failures += 1
        self.not_before = now + timedelta(seconds=seconds)
        heartbeat.forget_beats(now=now, worker=self.worker)

    def stop_cluster(self) -> None:
        if self.process is None:
            return
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_SECONDS)
        self.kill_cluster()
        with contextlib.suppress(DatabaseError):
            heartbeat.forget_beats(now=timezone.now(), worker=self.worker)

    def kill_cluster(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None
