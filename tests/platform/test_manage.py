"""`manage.py` finds a database by itself."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from handoff_portal.database import BASE_DIR
from handoff_portal.embedded_postgres import EmbeddedPostgres, running_url

ASK = "from django.db import connection as c; c.ensure_connection(); print('PORT', c.settings_dict['PORT'])"


@pytest.fixture
def var() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="handoff-portal-tests-") as directory:
        Path(directory).chmod(0o711)
        yield Path(directory)


def manage(var: Path, *arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=BASE_DIR,
        env=environment | {"PORTAL_VAR": str(var), "DEBUG": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_command_starts_the_database_and_stops_it_afterwards(var: Path) -> None:
    assert "PORT" in manage(var, "shell", "-v0", "-c", ASK)

    assert running_url(var / "postgres") is None


def test_a_command_uses_the_database_that_runs(var: Path) -> None:
    server = EmbeddedPostgres(var / "postgres", durable=False)
    server.start()
    try:
        assert f"PORT {server.port}" in manage(var, "shell", "-v0", "-c", ASK)
        assert server.is_alive()
    finally:
        server.stop()


def test_a_command_without_need_of_a_database_starts_none(var: Path) -> None:
    manage(var, "check")

    assert not (var / "postgres").exists()
