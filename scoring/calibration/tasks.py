"""What the workers do for calibrations."""

from __future__ import annotations

import time

from django.utils import timezone

from common.queue import enqueue
from scoring.calibration.runs import advance_calibration, calibrate_active_version, waiting_calibrations

# A task ends well before the queue would give it up; what is left is another task.
TASK_SECONDS = 20


def calibrate_soon(run_id: int) -> None:
    """Take steps for a while, then ask for more."""
    started = time.monotonic()
    while advance_calibration(run_id, now=timezone.now()):
        if time.monotonic() - started > TASK_SECONDS:
            enqueue(calibrate_soon, run_id)
            return


def calibrate_task() -> None:
    """Nightly, for the active version."""
    calibrate_active_version(now=timezone.now())


def count_waiting_calibrations_task() -> None:
    """The sweep: what a lost nudge or a killed worker left. One that somebody is at is passed over."""
    for run_id in waiting_calibrations():
        calibrate_soon(run_id)
