"""`make demo`: everything answers before it says so, what crashes comes back, and nothing is left behind."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from handoff_portal import supervisor
from handoff_portal.database import BASE_DIR
from handoff_portal.embedded_postgres import free_port

pytestmark = [pytest.mark.chaos, pytest.mark.xdist_group("processes"), pytest.mark.timeout(300)]

START_SECONDS = 150  # on a busy machine, with a small year of demo data


class Run:
    """One `make demo` with data and ports of its own, and every process it ever started."""

    def __init__(self, var: Path, port: int) -> None:
        self.var = var
        self.port = port
        self.output = var / f"output-{port}"
        self.family: set[psutil.Process] = set()
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        environment |= {"PORTAL_VAR": str(var), "PORT": str(port), "DEMO_SIZE": "20", "PORTAL_TESTING": ""}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "handoff_portal.supervisor"],
                cwd=BASE_DIR,
                env=environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def remember_family(self) -> None:
        root = psutil.Process(self.process.pid)
        self.family |= {root, *root.children(recursive=True)}

    def wait_until(self, true: Callable[[], object], seconds: float = START_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            assert self.process.poll() is None, self.output.read_text()
            assert time.monotonic() < deadline, self.output.read_text()
            self.remember_family()
            time.sleep(0.05)

    def demo(self) -> dict[str, object]:
        facts: dict[str, object] = json.loads((self.var / "demo.json").read_text())
        return facts

    def is_ready(self) -> bool:
        return (self.var / "demo.json").exists()

    def survivors(self) -> list[psutil.Process]:
        alive = psutil.wait_procs(self.family, timeout=25)[1]
        return [process for process in alive if process.is_running()]


@pytest.fixture
def start() -> Iterator[Callable[[], Run]]:
    runs: list[Run] = []
    with tempfile.TemporaryDirectory(prefix="handoff-portal-tests-") as directory:
        Path(directory).chmod(0o711)

        def start_one() -> Run:
            run = Run(Path(directory), free_port())
            runs.append(run)
            return run

        yield start_one
        for run in runs:
            if run.process.poll() is None:
                run.process.send_signal(signal.SIGTERM)
            run.process.wait(30)


def get(url: str, headers: dict[str, str] | None = None) -> int:
    host, _, path = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host, timeout=20)
    connection.request("GET", f"/{path}", headers=headers or {})
    status = connection.getresponse().status
    connection.close()
    return status


def test_the_demo_starts_heals_stops_and_starts_again(start: Callable[[], Run]) -> None:
    run = start()
    run.wait_until(run.is_ready)

    demo = run.demo()
    assert set(demo) == {"url", "admin_url", "salesforce_url", "users", "api_token", "write_key"}
    assert set(demo["users"]) == {"bdr", "bdr2", "marketing", "marketing2", "manager", "operator"}
    assert get(f"{demo['url']}/readyz") == 200
    assert get(str(demo["salesforce_url"])) == 200
    token = {"Authorization": f"Bearer {demo['api_token']}"}
    assert get(f"{demo['url']}/api/v1/leads/", token) == 200

    second = start()
    assert second.process.wait(30) == 1
    assert "A demo is running" in second.output.read_text()
    assert run.demo() == demo

    children = psutil.Process(run.process.pid).children()
    (postgres,) = (child for child in children if child.name() == "postgres")
    postgres.kill()
    run.wait_until(lambda: not postgres.is_running())
    run.wait_until(lambda: supervisor.answers(f"{demo['url']}/readyz"))

    run.remember_family()
    run.process.send_signal(signal.SIGTERM)
    assert run.process.wait(30) == 0
    assert run.survivors() == []
    assert not run.is_ready()

    again = start()
    began = time.monotonic()
    again.wait_until(again.is_ready)
    assert time.monotonic() - began < 60
    assert again.demo()["users"] == demo["users"]
    again.remember_family()
    again.process.kill()
    again.process.wait()
    assert again.survivors() == []


def test_term_in_the_middle_of_the_start_leaves_no_process(start: Callable[[], Run]) -> None:
    run = start()
    run.wait_until(lambda: (run.var / "log" / "prepare.log").exists())
    run.remember_family()

    run.process.send_signal(signal.SIGTERM)

    assert run.process.wait(30) == 0
    assert run.survivors() == []
    assert not run.is_ready()


def test_a_taken_port_is_named_before_anything_starts(
    start: Callable[[], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(f"{__name__}.free_port", lambda: port)

        run = start()

        assert run.process.wait(30) == 1
    assert f"Port {port} is taken" in run.output.read_text()
    assert not (run.var / "postgres").exists()
