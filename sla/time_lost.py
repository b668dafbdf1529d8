"""Who lost the time of a promise, in words and as a bar: what `sla.attribution` found, made to be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sla.attribution import Attribution, Loss
from sla.courses import attribute_clock
from sla.models import Clock

WORDS = {
    Loss.SYNC: ("Not in Salesforce yet", "Nobody had opened it, and Salesforce did not have it."),
    Loss.SHIFT: ("Waiting for a shift", "Nobody had it, or whoever had it was not at work."),
    Loss.UNSEEN: ("Not opened", "Its owner was at work and had not looked at it."),
    Loss.IDLE: ("Opened, not acted on", "Its owner was at work and had looked at it."),
    Loss.PAUSED: ("Paused", "It waited for the lead, or an incident gave the time back."),
}


@dataclass(frozen=True)
class Part:
    """A part of the bar; `begins` and `share` are per cent of the whole."""

    loss: Loss
    label: str
    meaning: str
    seconds: int
    begins: float
    share: float


@dataclass(frozen=True)
class TimeLost:
    parts: list[Part]
    """What took any time at all, in the order of a handoff's way."""
    seconds: int
    scoring_seconds: int
    in_working_time: bool
    """False: around the clock."""

    @property
    def in_words(self) -> str:
        """ "Not opened 75 %, paused 25 %": for those who do not see the bar."""
        return ", ".join(f"{part.label} {part.share:.0f} %" for part in self.parts)


def tell_time_lost(clock: Clock, *, now: datetime) -> TimeLost:
    """Who lost the time of a clock, up to `now` while it runs."""
    found = attribute_clock(clock, now=now)
    return TimeLost(
        parts=list(_parts(found)),
        seconds=sum(found.seconds.values()),
        scoring_seconds=found.scoring_seconds,
        in_working_time=not found.is_around_the_clock,
    )


def _parts(found: Attribution) -> Iterator[Part]:
    per_cent, reached = 100 / max(sum(found.seconds.values()), 1), 0
    for loss, seconds in found.seconds.items():
        if seconds:
            yield Part(loss, *WORDS[loss], seconds, reached * per_cent, seconds * per_cent)
        reached += seconds
