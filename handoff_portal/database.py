"""What a work tree brings along when the environment does not say: its database and its secret key.

Standard library only: settings, manage.py and the supervisor read it before Django is there.
"""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from handoff_portal import embedded_postgres

BASE_DIR = Path(__file__).resolve().parent.parent
# Lets settings be imported where no database is needed (type checks, static files, --help): nothing listens
# on the discard port, so using it fails at once.
NOWHERE = "postgresql://portal@127.0.0.1:9/portal"


def embedded_home(base_dir: Path = BASE_DIR) -> Path:
    return base_dir / "var" / "postgres"


def database_url(base_dir: Path = BASE_DIR) -> str:
    """Return the URL for the settings; starts nothing."""
    return os.environ.get("DATABASE_URL") or embedded_postgres.running_url(embedded_home(base_dir)) or NOWHERE


def local_secret(base_dir: Path = BASE_DIR) -> str:
    """Return the secret key of this work tree, "" before `make setup`. Production sets SECRET_KEY instead."""
    path = base_dir / "var" / "secret_key"
    return path.read_text().strip() if path.exists() else ""


def make_local_secret(base_dir: Path = BASE_DIR) -> None:
    path = base_dir / "var" / "secret_key"
    if not local_secret(base_dir):
        path.parent.mkdir(exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(50))


@contextlib.contextmanager
def available() -> Iterator[None]:
    """Make DATABASE_URL true for this process and its children, starting PostgreSQL if nothing else does."""
    if os.environ.get("DATABASE_URL"):
        yield
        return
    with embedded_postgres.serving(embedded_home()) as url:
        os.environ["DATABASE_URL"] = url
        try:
            yield
        finally:
            del os.environ["DATABASE_URL"]
