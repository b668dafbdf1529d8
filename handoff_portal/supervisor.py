"""`make demo`: runs PostgreSQL, web, worker, Salesforce stand-in and live traffic until Ctrl-C or TERM.

Standard library only, and no Django: it starts things and keeps them running. Every child leads a process
group of its own and is tied to this process by the kernel, so that none is left behind, whatever happens.
"""

import contextlib
import fcntl
import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from common.processes import die_with_parent, tied_to_me
from handoff_portal import database
from handoff_portal.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError, free_port

DEMO_FILE = database.VAR / "demo.json"
SECRETS_FILE = database.VAR / "demo_secrets.json"
LOGS = database.VAR / "log"

USERS = {
    "bdr": "mara",
    "bdr2": "theo",
    "marketing": "jo",
    "marketing2": "lee",
    "manager": "nia",
    "operator": "ola",
}
READY_SECONDS = 90.0
STOP_SECONDS = 20.0
LONGEST_BACK_OFF = 30.0
POLL_SECONDS = 0.2


class CannotRun(RuntimeError):
    """The demo cannot start or go on; the message says why and what to do."""


@dataclass
class Service:
    """One child process: started, watched, restarted, stopped."""

    name: str
    command: list[str]
    environment: dict[str, str]
    probe_url: str = ""
    folder: Path = LOGS
    process: subprocess.Popen[bytes] | None = None
    crashes: int = 0
    started_at: float = 0.0
    not_before: float = 0.0

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=database.BASE_DIR,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=tied_to_me(signal.SIGTERM),
            )
        self.started_at = time.monotonic()

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def is_ready(self) -> bool:
        return self.is_alive() and (not self.probe_url or answers(self.probe_url))

    def keep_running(self) -> None:
        """Start again what ended, later each time that it ends soon."""
        now = time.monotonic()
        if self.is_alive():
            return
        if self.process is not None:
            self.kill()  # what is left of its group
            if now - self.started_at > LONGEST_BACK_OFF:
                self.crashes = 0
            self.not_before = now + min(0.5 * 2.0**self.crashes, LONGEST_BACK_OFF)
            self.crashes += 1
            say(f"{self.name} ended; starting it again (see {self.log})")
        if now >= self.not_before:
            self.start()

    def terminate(self) -> None:
        if self.is_alive() and self.process is not None:
            self.process.terminate()

    def kill(self) -> None:
        """Remove the process and everything it started."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


class Demo:
    """The whole portal on one machine."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.postgres: EmbeddedPostgres | None = None
        self.services: list[Service] = []
        self.port = int(os.environ.get("PORT") or 8000)
        self.standin_port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.salesforce_url = f"http://127.0.0.1:{self.standin_port}"

    def run(self) -> None:
        for sign in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(sign, lambda *_: self.stopping.set())
        self.require_free_port()
        LOGS.mkdir(parents=True, exist_ok=True)
        with the_only_demo():
            self.run_alone()

    def run_alone(self) -> None:
        try:
            DEMO_FILE.unlink(missing_ok=True)
            self.start_postgres()
            self.prepare()
            self.start_services()
            self.wait_until_ready()
            if not self.stopping.is_set():
                self.announce()
            while not self.stopping.wait(POLL_SECONDS):
                self.keep_everything_running()
        finally:
            self.stop()

    def require_free_port(self) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.port))
            except OSError:
                raise CannotRun(f"Port {self.port} is taken. Choose another: PORT=8001 make demo") from None

    def start_postgres(self) -> None:
        if not os.environ.get("DATABASE_URL"):
            say("Starting PostgreSQL")
            self.postgres = EmbeddedPostgres(database.HOME)
            self.postgres.start()

    def environment(self) -> dict[str, str]:
        known = demo_secrets()
        return os.environ | {
            "DATABASE_URL": self.postgres.url if self.postgres else os.environ["DATABASE_URL"],
            "DJANGO_SETTINGS_MODULE": "handoff_portal.settings",
            "DEMO": "1",
            "PORTAL_URL": self.url,
            "DEMO_PASSWORD": known["password"],
            "DEMO_API_TOKEN": known["api_token"],
            "DEMO_WRITE_KEY": known["write_key"],
            "SALESFORCE_URL": self.salesforce_url,
            "SALESFORCE_CLIENT_ID": "handoff-portal-demo",
            "SALESFORCE_CLIENT_SECRET": known["salesforce_secret"],
            "PYTHONUNBUFFERED": "1",
        }

    def prepare(self) -> None:
        """Bring database and static files up to date; the first time, load the demo data."""
        step = Service("prepare", [*manage("prepare_demo")], self.environment())
        step.log.unlink(missing_ok=True)
        say("Preparing the database (the first time with a year of demo data, which takes a while)")
        self.services.append(step)
        step.start()
        while step.is_alive() and not self.stopping.wait(POLL_SECONDS):
            pass
        if not self.stopping.is_set() and step.process is not None and step.process.returncode:
            raise CannotRun(f"Preparing failed:\n{tail(step.log)}")
        if not self.stopping.is_set():
            self.services.remove(step)

    def start_services(self) -> None:
        if self.stopping.is_set():
            return
        environment = self.environment()
        self.services += [
            Service(
                "salesforce",
                [
                    *manage("salesforce_standin"),
                    f"--port={self.standin_port}",
                    f"--state={database.VAR / 'standin.sqlite3'}",
                ],
                environment,
                self.salesforce_url,
            ),
            Service(
                "web",
                web_command(self.port, workers=int(os.environ.get("WEB_WORKERS") or 2)),
                environment,
                f"{self.url}/readyz",
            ),
            Service("worker", manage("run_worker"), environment),
            Service("traffic", manage("demo_traffic"), environment),
        ]
        for service in self.services:
            service.log.unlink(missing_ok=True)
            service.start()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        waiting = list(self.services)
        while waiting and not self.stopping.wait(POLL_SECONDS):
            waiting = [service for service in waiting if not service.is_ready()]
            if time.monotonic() > deadline:
                names = ", ".join(service.name for service in waiting)
                raise CannotRun(f"These did not get ready: {names}\n{tail(waiting[0].log)}")
            self.keep_everything_running()

    def keep_everything_running(self) -> None:
        if self.postgres is not None and not self.postgres.is_alive():
            say("PostgreSQL ended; starting it again")
            self.postgres.start()
        for service in self.services:
            service.keep_running()

    def announce(self) -> None:
        known = demo_secrets()
        password = known["password"]
        facts = {
            "url": self.url,
            "admin_url": f"{self.url}/admin/",
            "salesforce_url": self.salesforce_url,
            "users": {role: {"username": name, "password": password} for role, name in USERS.items()},
            "api_token": known["api_token"],
            "write_key": known["write_key"],
        }
        write_private(DEMO_FILE, facts)
        say(f"\nHandoff Portal   {self.url}      (the login page signs you in by one click)")
        say(f"Salesforce       {self.salesforce_url}      (the stand-in: what was pushed)")
        for role, name in USERS.items():
            say(f"  {role:<10} {name:<6} {password}")
        say("Tokens are in var/demo.json, logs in var/log. Ctrl-C stops everything.")

    def stop(self) -> None:
        """Stop all children at once, then the database they use."""
        DEMO_FILE.unlink(missing_ok=True)
        if self.services:
            say("Stopping")
        for service in self.services:
            service.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        while any(service.is_alive() for service in self.services) and time.monotonic() < deadline:
            time.sleep(0.05)
        for service in self.services:
            service.kill()
        if self.postgres is not None:
            self.postgres.stop()


@contextlib.contextmanager
def the_only_demo() -> Iterator[None]:
    """Hold the work tree for one demo: a second one would take away the files of the first."""
    with (database.VAR / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotRun("A demo is running in this work tree already: stop that one first.") from None
        yield


def manage(command: str) -> list[str]:
    return [sys.executable, "manage.py", command]


def web_command(port: int, *, workers: int = 2) -> list[str]:
    return [
        sys.executable,
        "-m",
        "gunicorn",
        "handoff_portal.wsgi",
        f"--bind=127.0.0.1:{port}",
        f"--workers={workers}",
        "--threads=4",
        "--no-control-socket",
    ]


def answers(url: str) -> bool:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=5)
    try:
        connection.request("GET", parts.path or "/")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def demo_secrets() -> dict[str, str]:
    """Return the passwords and tokens of this work tree's demo, made once."""
    if not SECRETS_FILE.exists():
        made = {
            "password": secrets.token_urlsafe(9),
            "api_token": f"hp_{secrets.token_urlsafe(32)}",
            "write_key": secrets.token_urlsafe(24),
            "salesforce_secret": secrets.token_urlsafe(24),
        }
        write_private(SECRETS_FILE, made)
    known: dict[str, str] = json.loads(SECRETS_FILE.read_text())
    return known


def write_private(path: Path, facts: Mapping[str, object]) -> None:
    """Write JSON that only the owner may read, all at once."""
    fresh = path.with_suffix(".unfinished")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(facts, indent=2) + "\n")
    fresh.replace(path)


def tail(log: Path) -> str:
    return log.read_text(errors="replace")[-3000:] if log.exists() else ""


def say(words: str) -> None:
    # The terminal may be gone by the time we stop.
    with contextlib.suppress(OSError):
        print(words, flush=True)


def main() -> int:
    if os.environ.get("MAKELEVEL"):
        die_with_parent(signal.SIGTERM)  # when make is killed, nobody else would stop us
    database.make_local_secret()
    try:
        Demo().run()
    except (CannotRun, EmbeddedPostgresError) as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
