"""What a BDR does all day, and when.

The page polls every 5 to 5.5 seconds (portal.js looks every half second whether it is time). Every 30 to 60
seconds the BDR does something: accepts the most urgent lead of their own queue, rejects it with a reason,
takes what is on top of the overflow queue, or logs a call. Between the steps of an act they read for some
seconds, and the page polls on.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator, Iterator

from bench.crowd.browser import Browser, Row

POLL_SECONDS = (5.0, 5.5)
ACT_SECONDS = (30.0, 60.0)
READING_SECONDS = (2.0, 6.0)
CHOOSING_SECONDS = (1.0, 3.0)
# How often each act is tried. Where there is nothing to do it on, a call is logged, or nothing done.
ACTS = {"accept": 0.3, "claim": 0.25, "reject": 0.2, "attempt": 0.25}
OUTCOMES = ("call:connected", "call:voicemail", "call:no_answer", "email:sent")

# Waits for a moment of the shift, in seconds since it began, and says which moment it is then.
Wait = Callable[[float], float]
Steps = Generator[float]


def in_real_time(started: float) -> Wait:
    """Wait as people do. `started` is a moment of time.perf_counter()."""

    def wait(moment: float) -> float:
        time.sleep(max(0.0, started + moment - time.perf_counter()))
        return time.perf_counter() - started

    return wait


def without_waiting(moment: float) -> float:
    """For one person alone, of whose day only the requests matter."""
    return moment


class Bdr:
    """One BDR at their browser."""

    def __init__(self, browser: Browser, *, chance: random.Random) -> None:
        self._browser = browser
        self._chance = chance
        self._calls = 0

    def work(self, *, comes_at: float, leaves_at: float, wait: Wait) -> None:
        """Be there from one moment of the shift to another; nothing is begun after that."""
        poll_at = comes_at + self._between(POLL_SECONDS)
        steps = self._steps()
        step_at = wait(comes_at) + next(steps)
        while min(poll_at, step_at) < leaves_at:
            if poll_at <= step_at:
                poll_at = wait(poll_at) + self._between(POLL_SECONDS)
                self._browser.poll()
            else:
                step_at = wait(step_at) + next(steps)

    def _steps(self) -> Steps:
        """Do one step after the other; say after each how long it takes until the next."""
        self._browser.visit()
        yield self._chance.uniform(0, ACT_SECONDS[1])
        while True:
            [act] = self._chance.choices(list(ACTS), list(ACTS.values()))
            yield from self._claim() if act == "claim" else self._work_own(act)
            yield self._between(ACT_SECONDS)

    def _claim(self) -> Steps:
        """Everybody of the pool sees the same list, and takes what is on top of it."""
        self._browser.visit("overflow")
        yield self._between(CHOOSING_SECONDS)
        if self._browser.rows:
            self._browser.act("claim", self._browser.rows[0])
            yield self._between(CHOOSING_SECONDS)
        self._browser.visit("mine")

    def _work_own(self, act: str) -> Steps:
        offered = next(self._shown("offered"), None) if act != "attempt" else None
        row = offered or next(self._shown("accepted", "contacted"), None)
        if row is None:
            return
        self._browser.open(row)
        yield self._between(READING_SECONDS)
        if offered is None:
            self._calls += 1
            fields = {"attempt": self._chance.choice(OUTCOMES), "note": f"Call {self._calls}"}
            self._browser.act("attempt", row, fields)
        elif act == "accept":
            self._browser.act("accept", row)
        else:
            reasons = self._browser.ask_for_reasons(row)
            yield self._between(CHOOSING_SECONDS)
            if reasons:
                reason = self._chance.choice(reasons)
                self._browser.act("reject", row, {"reason": reason, "note": "Not for us"})

    def _shown(self, *statuses: str) -> Iterator[Row]:
        return (row for row in self._browser.rows if row.status in statuses)

    def _between(self, seconds: tuple[float, float]) -> float:
        return self._chance.uniform(*seconds)
