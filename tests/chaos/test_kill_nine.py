"""Worker, web and PostgreSQL are killed while activities stream in: nothing is lost, nothing is doubled."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
import pytest

from handoff_portal import supervisor
from handoff_portal.database import BASE_DIR
from handoff_portal.embedded_postgres import EmbeddedPostgres, free_port
from handoff_portal.supervisor import Service

pytestmark = [pytest.mark.chaos, pytest.mark.xdist_group("processes")]

LEADS = 24
VISITS = 8  # page views of each lead before the demo request
CLIENTS = 3
KILLS = 9
SECONDS_TO_SETTLE = 90

PREPARE = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("sync_schedule", verbosity=0)
call_command("load_preset", "classic", verbosity=0)
from django.utils import timezone
from accounts.models import ApiToken, User
from accounts.tokens import issue_token
manager = User.objects.create_user("chaos", role=User.Role.MANAGER)
token = issue_token(manager, name="chaos", scopes=list(ApiToken.Scope), now=timezone.now())
print("TOKEN", token.secret)
"""


@dataclass
class Portal:
    """Web, worker and database, kept running by the pieces of the supervisor."""

    postgres: EmbeddedPostgres
    port: int
    token: str
    web: Service
    worker: Service
    killed: list[str] = field(default_factory=list)

    def keep_running(self) -> None:
        if not self.postgres.is_alive():
            self.postgres.start()
        self.web.keep_running()
        self.worker.keep_running()

    def kill_something(self, chance: random.Random, kind: str) -> None:
        """Kill -9 one process of that kind: the server itself, or anybody in the family of web or worker."""
        root = {"postgres": self.postgres.process, "web": self.web.process, "worker": self.worker.process}[
            kind
        ]
        if root is None or root.poll() is not None:
            return
        family = [psutil.Process(root.pid)]
        if kind != "postgres":
            family += family[0].children(recursive=True)
        victim = chance.choice(family)
        with contextlib.suppress(psutil.NoSuchProcess):
            victim.kill()
            self.killed.append(kind)

    def is_answering(self) -> bool:
        """False while PostgreSQL recovers from the last kill."""
        try:
            psycopg.connect(self.postgres.url).close()
        except psycopg.OperationalError:
            return False
        return True

    def count(self, question: str) -> int:
        with psycopg.connect(self.postgres.url) as connection:
            row = connection.execute(question).fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture
def portal() -> Iterator[Portal]:
    with tempfile.TemporaryDirectory(prefix="handoff-portal-chaos-") as directory:
        Path(directory).chmod(0o711)
        # Durable: what was acknowledged must survive the server, and a throw-away one commits behind time.
        postgres = EmbeddedPostgres(Path(directory) / "postgres")
        environment = os.environ | {
            "DATABASE_URL": postgres.start(),
            "DJANGO_SETTINGS_MODULE": "handoff_portal.settings",
            "SECRET_KEY": secrets.token_urlsafe(40),
            "LOG_LEVEL": "WARNING",
            # What a killed worker held is delivered again after seconds, so that the test need not wait.
            "Q_RETRY": "5",
        }
        done = subprocess.run(
            [sys.executable, "-m", "django", "shell", "-v0", "-c", PREPARE],
            cwd=BASE_DIR,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        token = done.stdout.split("TOKEN ")[1].strip()
        port = free_port()
        logs = Path(directory)
        address = f"http://127.0.0.1:{port}/healthz"
        web = Service("web", supervisor.web_command(port), environment, address, logs)
        worker = Service("worker", supervisor.manage("run_worker"), environment, "", logs)
        portal = Portal(postgres, port, token, web, worker)
        try:
            portal.keep_running()
            wait_for(web.is_ready, portal, 30)
            yield portal
        finally:
            for service in (web, worker):
                service.terminate()
            for service in (web, worker):
                if service.process is not None:
                    service.process.wait(20)
                service.kill()
            postgres.stop()


def wait_for(true, portal: Portal, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, portal.worker.log.read_text()[-5000:]
        portal.keep_running()
        time.sleep(0.05)


class Sender(threading.Thread):
    """A sender as the real ones are: it repeats the very same message until it is acknowledged."""

    def __init__(self, portal: Portal, messages: list[dict[str, object]]) -> None:
        super().__init__(daemon=True)
        self.portal = portal
        self.messages = messages
        self.refusals: list[str] = []
        self.give_up = threading.Event()

    def run(self) -> None:
        for message in self.messages:
            while not self.is_acknowledged(message) and not self.give_up.wait(0.05):
                pass

    def is_acknowledged(self, message: dict[str, object]) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.portal.port, timeout=10)
        headers = {"Authorization": f"Bearer {self.portal.token}", "Content-Type": "application/json"}
        try:
            connection.request("POST", "/api/v1/activities/", json.dumps(message), headers)
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        if 400 <= response.status < 500:
            self.refusals.append(f"{response.status} {body!r}")
            self.give_up.set()
        return response.status in (200, 201)


def messages_of(lead: int) -> list[dict[str, object]]:
    email = f"person{lead}@firm{lead}.example"
    visits = [
        {
            "email": email,
            "event": "Page Viewed",
            "properties": {"path": "/pricing"},
            "message_id": f"{lead}-{n}",
        }
        for n in range(VISITS)
    ]
    return [*visits, {"email": email, "event": "Demo Requested", "message_id": f"{lead}-demo"}]


def create_leads(portal: Portal) -> None:
    for lead in range(LEADS):
        connection = http.client.HTTPConnection("127.0.0.1", portal.port, timeout=30)
        body = {
            "email": f"person{lead}@firm{lead}.example",
            "first_name": "Nora",
            "last_name": f"Number {lead}",
            "title": "Head of Logistics",
            "country": "Germany",
            "company": {"name": f"Firm {lead}", "employee_count": 400, "industry": "Logistics"},
        }
        headers = {"Authorization": f"Bearer {portal.token}", "Content-Type": "application/json"}
        connection.request("POST", "/api/v1/leads/", json.dumps(body), headers)
        assert connection.getresponse().status == 201
        connection.close()


@pytest.mark.timeout(400)
def test_kill_9_of_anything_loses_nothing_and_doubles_nothing(portal: Portal) -> None:
    chance = random.Random(20260303)
    create_leads(portal)
    streams: list[list[dict[str, object]]] = [[] for _ in range(CLIENTS)]
    for lead in range(LEADS):
        streams[lead % CLIENTS] += messages_of(lead)
    for stream in streams:
        chance.shuffle(stream)
    senders = [Sender(portal, stream) for stream in streams]

    for sender in senders:
        sender.start()
    kinds = ["postgres", "web", "worker"] * (KILLS // 3)
    chance.shuffle(kinds)
    for kind in kinds:
        until = time.monotonic() + chance.uniform(0.3, 1.5)
        while time.monotonic() < until:
            portal.keep_running()
            time.sleep(0.02)
        portal.kill_something(chance, kind)
    wait_for(lambda: not any(sender.is_alive() for sender in senders), portal, SECONDS_TO_SETTLE)
    wait_for(portal.is_answering, portal, SECONDS_TO_SETTLE)

    assert [refusal for sender in senders for refusal in sender.refusals] == []
    assert set(portal.killed) == {"postgres", "web", "worker"}
    assert portal.count("SELECT count(*) FROM leads_activity") == LEADS * (VISITS + 1)
    assert portal.count("SELECT count(*) FROM leads_lead") == LEADS
    handed_off = "SELECT count(DISTINCT lead_id) FROM handoffs_handoff WHERE closed_at IS NULL"
    wait_for(lambda: portal.count(handed_off) == LEADS, portal, SECONDS_TO_SETTLE)
    nothing_due = "SELECT count(*) FROM leads_lead WHERE advance_at <= now() AND advance_parked_at IS NULL"
    wait_for(lambda: portal.count(nothing_due) == 0, portal, SECONDS_TO_SETTLE)
    assert portal.count("SELECT count(*) FROM handoffs_handoff") == LEADS
    assert portal.count("SELECT count(*) FROM leads_leadevent WHERE kind = 'handed_off'") == LEADS
    assert portal.count("SELECT count(*) FROM leads_lead WHERE advance_parked_at IS NOT NULL") == 0
    assert portal.count("SELECT count(*) FROM leads_lead WHERE unmatched_from IS NOT NULL") == 0
