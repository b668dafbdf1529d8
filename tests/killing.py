"""A worker in a process of its own, to be killed in the middle of its work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping

from django.conf import settings
from django.db import connection

BEGIN = """
import os, signal
from datetime import datetime
import django
django.setup()
"""


def start_worker(script: str, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Run a script against the database of the test, after django.setup()."""
    database = connection.settings_dict
    address = f"postgresql://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    known = {"DATABASE_URL": address, "PGPASSWORD": database["PASSWORD"] or ""}
    return subprocess.Popen(
        [sys.executable, "-c", BEGIN + script],
        env={**os.environ, **known, **environment},
        cwd=settings.BASE_DIR,
    )


def was_killed(worker: subprocess.Popen[bytes]) -> bool:
    """Wait for its end, and say whether it was kill -9."""
    return worker.wait(timeout=120) == -signal.SIGKILL
