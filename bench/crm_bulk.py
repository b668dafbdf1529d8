"""crm.bulk: a portal of 100,000 leads, a tenth of them with a handoff, meets an empty Salesforce.

The tasks of the schedule send everything there is to a stand-in in a process of its own, and what counts is
how many API calls it counts, signing in left out. The reference are the calls that collections of 200 would
take, which are themselves 200 times fewer than a call for each record.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from bench.figures import Figure
from bench.handoff_population import grow
from common.processes import tied_to_me
from crm.client import ROWS_PER_CALL, SalesforceClient, connected_client
from crm.models import BulkJob, LeadChange, LeadSync, TaskSync
from crm.tasks import carry_bulk_jobs_task, push_stale_leads_task
from handoff_portal import supervisor
from handoff_portal.database import BASE_DIR
from handoff_portal.embedded_postgres import free_port
from handoffs.models import Handoff

LEADS = 100_000
HANDOFF_EVERY = 10
MOST_CALLS = 60
MOST_MEMORY_MB = 400
PATIENCE_SECONDS = 3_600.0
SECRET = "bench"


def measure(database_url: str) -> Figure:
    leads = int(os.environ.get("BENCH_LEADS") or LEADS)
    grow(from_leads=0, to_leads=leads, handoff_every=HANDOFF_EVERY)
    with _salesforce() as client:
        began, cpu_began = time.monotonic(), time.process_time()
        _send_all()
        seconds, cpu = time.monotonic() - began, time.process_time() - cpu_began
        remaining, allowed = client.limits()["DailyApiRequests"]
    calls = allowed - remaining
    tasks = Handoff.objects.count()
    arrived = LeadSync.objects.exclude(salesforce_id="").count()
    is_complete = arrived == leads and TaskSync.objects.exclude(salesforce_id="").count() == tasks
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    by_collections = -(-leads // ROWS_PER_CALL) - (-tasks // ROWS_PER_CALL)
    return Figure(
        name="crm.bulk",
        value=calls,
        unit="calls",
        reference=by_collections,
        ratio=round(calls / by_collections, 3),
        target=f"<= {MOST_CALLS}",
        holds=calls <= MOST_CALLS and is_complete and memory < MOST_MEMORY_MB,
        detail={
            "leads": leads,
            "tasks": tasks,
            "all_arrived": is_complete,
            "jobs": BulkJob.objects.exclude(salesforce_id="").count(),
            "seconds": round(seconds, 1),
            "leads_per_second": round(leads / seconds),
            "portal_cpu_ms_per_lead": round(cpu * 1000 / leads, 2),
            "python_peak_mb": round(memory),
            "reference_is": "collections of 200, of leads and of tasks",
        },
    )


def _send_all() -> None:
    """Run the scheduled tasks, each when it would be due, until Salesforce knows everything."""
    ends_at = time.monotonic() + PATIENCE_SECONDS
    while LeadSync.objects.stale().exists() or LeadChange.objects.exists():
        if time.monotonic() > ends_at or LeadSync.objects.parked().exists():
            raise RuntimeError(f"{LeadSync.objects.stale().count()} leads were not sent.")
        push_stale_leads_task()
        carry_bulk_jobs_task()
        time.sleep(1.0)


@contextmanager
def _salesforce() -> Iterator[SalesforceClient]:
    """A stand-in in a process of its own, and our client of it."""
    port = free_port()
    settings.SALESFORCE_URL = f"http://127.0.0.1:{port}"
    settings.SALESFORCE_CLIENT_ID = settings.SALESFORCE_CLIENT_SECRET = SECRET
    client = connected_client()
    if client is None:
        raise RuntimeError("The stand-in is not taken for Salesforce.")
    with tempfile.TemporaryDirectory() as directory:
        process = _start_standin(port, Path(directory) / "org.sqlite3")
        try:
            yield client
        finally:
            process.terminate()
            process.wait()


def _start_standin(port: int, state: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(BASE_DIR / "manage.py"), "salesforce_standin", "--without-people"]
    process = subprocess.Popen(
        [*command, f"--port={port}", f"--state={state}"],
        env={**os.environ, "SALESFORCE_CLIENT_ID": SECRET, "SALESFORCE_CLIENT_SECRET": SECRET},
        stdout=subprocess.DEVNULL,
        preexec_fn=tied_to_me(signal.SIGTERM),
    )
    deadline = time.monotonic() + 60
    while not supervisor.answers(f"http://127.0.0.1:{port}/healthz"):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("The stand-in did not start.")
        time.sleep(0.1)
    return process
