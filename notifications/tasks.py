"""Background work of the messages; each function takes the time and calls one verb."""

from __future__ import annotations

import time

from django.utils import timezone

from notifications.delivering import deliver_due

# A round ends well before the queue would give its task up and the next one begins.
ROUND_SECONDS = 25


def deliver_due_task() -> None:
    """Send what is due, for some seconds at most: what is left waits for the next round."""
    started = time.monotonic()
    while deliver_due(now=timezone.now()) and time.monotonic() - started < ROUND_SECONDS:
        pass
