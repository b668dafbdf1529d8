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
# Everything a running portal writes. Another place lets two portals of one work tree run side by side.
VAR = Path(os.environ.get("PORTAL_VAR") or BASE_DIR / "var").resolve()
HOME = VAR / "postgres"
# Lets settings be imported where no database is needed (type checks, static files, --help): nothing listens
# on the discard port, so using it fails at once.
NOWHERE = "postgresql://portal@127.0.0.1:9/portal"


def database_url() -> str:
    """Return the URL for the settings; starts nothing."""
    return os.environ.get("DATABASE_URL") or embedded_postgres.running_url(HOME) or NOWHERE


def local_secret() -> str:
    """Return the secret key of this work tree, "" before `make setup`. Production sets SECRET_KEY instead."""
    path = VAR / "secret_key"
    return path.read_text().strip() if path.exists() else ""


def make_local_secret() -> None:
    path = VAR / "secret_key"
    if not local_secret():
        path.parent.mkdir(exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(50))


@contextlib.contextmanager
def available() -> Iterator[None]:
    """Make DATABASE_URL true for this process and its children, starting PostgreSQL if nothing else does."""
    if os.environ.get("DATABASE_URL"):
        yield
        return
    with embedded_postgres.serving(HOME) as url:
        os.environ["DATABASE_URL"] = url
        try:
            yield
        finally:
            del os.environ["DATABASE_URL"]
