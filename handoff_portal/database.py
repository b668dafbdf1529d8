"""Which database: DATABASE_URL, else the embedded PostgreSQL of this work tree. Standard library only."""

import contextlib
import os
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
