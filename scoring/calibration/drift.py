"""Whether scores of today mean what they did: the distribution of scores and the firing of rules among all
leads, now against a quarter before. Pure.

A sample is enough: of 10,000 leads on either side, chance alone makes an index of about 0.002.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from scoring.intervals import stability_index
from scoring.language.results import Result

QUARTER = timedelta(days=91)
SAMPLE = 10_000
BINS = 10
# The usual reading of the index (Siddiqi 2006, after Lewis 1994).
SOME, MARKED = 0.10, 0.25


class Verdict(StrEnum):
    STABLE = "stable"
    SOME = "some"
    MARKED = "marked"


@dataclass(slots=True)
class Snapshot:
    """The sampled leads at one moment: how many had which score, and on how many each rule fired."""

    leads: int = 0
    scores: dict[int, int] = field(default_factory=dict)
    fired: dict[int, int] = field(default_factory=dict)

    def count(self, result: Result) -> None:
        self.leads += 1
        self.scores[result.total] = self.scores.get(result.total, 0) + 1
        for line in result.lines:
            if line.holds:
                self.fired[line.rule_id] = self.fired.get(line.rule_id, 0) + 1

    def share_fired(self, rule_id: int) -> float | None:
        return self.fired.get(rule_id, 0) / self.leads if self.leads else None

    def as_json(self) -> list[Any]:
        scores, fired = (
            {str(key): count for key, count in counts.items()} for counts in (self.scores, self.fired)
        )
        return [self.leads, scores, fired]

    @classmethod
    def from_json(cls, data: list[Any]) -> Snapshot:
        leads, scores, fired = data
        return cls(leads, *({int(key): n for key, n in counts.items()} for counts in (scores, fired)))


@dataclass(frozen=True, slots=True)
class Drift:
    """`edges` are the lowest scores of the bins but the first, `before` and `after` the leads in each."""

    index: float
    edges: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]

    @property
    def verdict(self) -> Verdict:
        if self.index < SOME:
            return Verdict.STABLE
        return Verdict.SOME if self.index < MARKED else Verdict.MARKED

    @property
    def labels(self) -> list[str]:
        """The bins in words: "0", "1–19", "20 or more"."""
        starts = (0, *self.edges)
        ends = [edge - 1 for edge in self.edges]
        words = [
            str(low) if low == high else f"{low}–{high}" for low, high in zip(starts, ends, strict=False)
        ]
        return [*words, f"{starts[-1]} or more"]


def drift_between(before: Snapshot, after: Snapshot, *, least: int) -> Drift | None:
    """None if either moment has fewer leads than `least`."""
    if min(before.leads, after.leads) < least:
        return None
    edges = _edges(before.scores)
    counted = [_binned(snapshot.scores, edges) for snapshot in (before, after)]
    index = stability_index(*counted)
    return None if index is None else Drift(index, edges, *map(tuple, counted))


def _edges(scores: Mapping[int, int]) -> tuple[int, ...]:
    """Cuts that make about equal tenths of the leads before; where many share a score, fewer."""
    enough = sum(scores.values()) / BINS
    edges, in_bin = [], 0
    for score in sorted(scores):
        if in_bin >= enough:
            edges.append(score)
            in_bin = 0
        in_bin += scores[score]
    return tuple(edges)


def _binned(scores: Mapping[int, int], edges: Iterable[int]) -> list[int]:
    starts = tuple(edges)
    counts = [0] * (len(starts) + 1)
    for score, leads in scores.items():
        counts[sum(score >= start for start in starts)] += leads
    return counts


def moments_of(as_of: datetime) -> tuple[datetime, datetime]:
    return as_of - QUARTER, as_of
