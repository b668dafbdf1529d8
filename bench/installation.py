"""A portal of its own for a benchmark: durable PostgreSQL, the classic preset and as many leads as wanted."""

from __future__ import annotations

import io
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common.processes import tied_to_me
from handoff_portal import supervisor
from handoff_portal.database import BASE_DIR
from handoff_portal.embedded_postgres import EmbeddedPostgres, free_port


@contextmanager
def scratch_portal() -> Iterator[str]:
    """Yield the URL of a fresh, migrated database, with Django set up on it in this process.

    It syncs to disk like a real one; only the benchmark may use it, and it is gone afterwards.
    """
    with tempfile.TemporaryDirectory(prefix="handoff-portal-bench-") as directory:
        Path(directory).chmod(0o711)  # ours: the account of the server has to pass through
        server = EmbeddedPostgres(Path(directory) / "postgres")
        os.environ["DATABASE_URL"] = server.start()
        os.environ["DJANGO_SETTINGS_MODULE"] = "handoff_portal.settings"
        # As in the demo: plain HTTP on loopback, and everything else as in production.
        os.environ["DEMO"] = "1"
        os.environ["LOG_LEVEL"] = "WARNING"
        os.environ["SECRET_KEY"] = secrets.token_urlsafe(50)
        try:
            import django

            django.setup()
            from django.core.management import call_command
            from django.db import connections

            call_command("migrate", verbosity=0)
            call_command("collectstatic", verbosity=0, interactive=False)
            call_command("load_preset", "classic", stdout=io.StringIO())
            yield os.environ["DATABASE_URL"]
            connections.close_all()
        finally:
            server.stop()


@contextmanager
def web_server(workers: int) -> Iterator[int]:
    """Yield the port of a web server on the scratch portal: gunicorn as `make demo` runs it."""
    port = free_port()
    process = subprocess.Popen(
        supervisor.web_command(port, workers=workers),
        stdout=subprocess.DEVNULL,
        stderr=sys.stderr,
        start_new_session=True,
        preexec_fn=tied_to_me(signal.SIGTERM),
    )
    try:
        deadline = time.monotonic() + 30
        while not supervisor.answers(f"http://127.0.0.1:{port}/healthz"):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("The web server did not start.")
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait()


@contextmanager
def worker() -> Iterator[None]:
    """Have a worker do the background work of the scratch portal, as `make demo` runs it."""
    process = subprocess.Popen(
        [sys.executable, str(BASE_DIR / "manage.py"), "run_worker"],
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=tied_to_me(signal.SIGTERM),
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait()
