"""One throw-away PostgreSQL for the whole test session; loaded with -p, before the settings are read.

DATABASE_URL, if set, is honoured. Workers of xdist inherit it from the process that started them, so only
that one ever starts a server. The kernel stops the server if the session is killed.
"""

import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from handoff_portal.embedded_postgres import EmbeddedPostgres

SERVER = pytest.StashKey[EmbeddedPostgres]()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    # A wrapper runs before every plain implementation, pytest-django's among them.
    os.environ["PORTAL_TESTING"] = "1"
    if not os.environ.get("DATABASE_URL"):
        directory = Path(tempfile.mkdtemp(prefix="handoff-portal-tests-"))
        directory.chmod(0o711)  # ours, made a line above: the server's account has to pass through
        server = EmbeddedPostgres(directory / "postgres", durable=False)
        early_config.stash[SERVER] = server
        early_config.add_cleanup(lambda: _remove(server, directory))
        os.environ["DATABASE_URL"] = server.start()
    return (yield)


def _remove(server: EmbeddedPostgres, directory: Path) -> None:
    server.stop()
    os.environ.pop("DATABASE_URL", None)
    shutil.rmtree(directory, ignore_errors=True)
