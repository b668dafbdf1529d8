"""What the workers do for backtests."""

from __future__ import annotations

import time

from django.utils import timezone

from common.queue import enqueue
from scoring.backtesting.runs import advance_backtest, waiting_backtests

# A task ends well before the queue would give it up; what is left is another task.
TASK_SECONDS = 30


def run_backtest_soon(backtest_id: int) -> None:
    """Take steps for half a minute, then ask for more."""
    started = time.monotonic()
    while advance_backtest(backtest_id, now=timezone.now()):
        if time.monotonic() - started > TASK_SECONDS:
            enqueue(run_backtest_soon, backtest_id)
            return


def run_waiting_backtests_task() -> None:
    """The sweep: what a lost nudge or a killed worker left. One that somebody is at is passed over."""
    for backtest_id in waiting_backtests():
        run_backtest_soon(backtest_id)
