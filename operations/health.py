"""Is it up, and does it work? Reasons are sentences for an operator."""

from __future__ import annotations

from datetime import datetime

from django.db import Error as DatabaseError
from django.db import connection

from operations.models import ALIVE_SECONDS, WorkerHeartbeat


def reasons_not_ready(*, now: datetime) -> list[str]:
    """Return why this instance should get no traffic or no trust; empty when all is well."""
    try:
        connection.ensure_connection()
        alive = WorkerHeartbeat.objects.alive(now).exists()
    except DatabaseError as error:
        return [f"The database does not answer ({type(error).__name__})."]
    if not alive:
        return [f"No worker has finished a task for {ALIVE_SECONDS} seconds: is `run_worker` running?"]
    return []
