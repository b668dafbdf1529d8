"""A backtest as arithmetic: how leads stood under two versions week by week. It asks no database.

A track says of one lead, for each weekly point, up to which threshold it would have been an MQL. The first
point is the baseline: who qualifies there did so before the window, and counts in no week. A lead becomes an
MQL once (SCORE-14), in the first week in which it qualifies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from scoring.conversion import Goal, Maturity, is_about_the_lead, reached
from scoring.outcomes import Outcome

WEEK = timedelta(days=7)
# What a track holds where no threshold matters: the checklist fails, or an instant signal decides.
NEVER, AT_ONCE = -1, 2_147_483_647
MOST_EXAMPLES = 10
MOST_BANDS = 8


def weekly_points(until: datetime, *, days: int) -> list[datetime]:
    """The baseline and then the ends of as many whole weeks as cover the days; the last one is `until`."""
    weeks = -(-days // 7)
    return [until - number * WEEK for number in range(weeks, -1, -1)]


def thresholds_around(threshold: int) -> list[int]:
    """Some lower and more higher ones: the question is mostly by how much to raise it."""
    step = max(1, threshold // 25)
    return [threshold + number * step for number in range(-6, 13) if threshold + number * step >= 1]


def first_pass(reach: Sequence[int], threshold: int) -> int | None:
    """The first point at which the lead qualifies; 0 is before the window, None is never."""
    return next((index for index, highest in enumerate(reach) if highest >= threshold), None)


@dataclass(frozen=True, slots=True)
class Track:
    """One lead under one version: at each point the highest threshold that it meets, and its total."""

    reach: Sequence[int]
    totals: Sequence[int]


@dataclass(slots=True)
class Fate:
    """What became of some leads: each counts once in each step that it reached.

    Decisions and conversions are those of hand-offs that say something about the lead, conversions of those
    old enough for them: so `accepted` is a part of `decided`, and so are `qualified` and `won` of theirs.
    """

    leads: int = 0
    handed: int = 0
    decided: int = 0
    accepted: int = 0
    old_enough_to_qualify: int = 0
    qualified: int = 0
    old_enough_to_win: int = 0
    won: int = 0
    open: int = 0

    def count(self, outcomes: Sequence[Outcome], maturity: Maturity) -> None:
        self.leads += 1
        self.handed += bool(outcomes)
        self.open += any(not outcome.is_finished for outcome in outcomes)
        telling = [outcome for outcome in outcomes if is_about_the_lead(outcome)]
        self.decided += any(outcome.is_decided for outcome in telling)
        self.accepted += any(outcome.is_accepted for outcome in telling)
        old = [outcome for outcome in telling if maturity.is_mature(outcome, Goal.QUALIFIED)]
        self.old_enough_to_qualify += bool(old)
        self.qualified += any(reached(outcome, Goal.QUALIFIED) for outcome in old)
        old = [outcome for outcome in telling if maturity.is_mature(outcome, Goal.WON)]
        self.old_enough_to_win += bool(old)
        self.won += any(reached(outcome, Goal.WON) for outcome in old)

    def add(self, other: Fate) -> None:
        for name in Fate.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def as_json(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in Fate.__slots__}


@dataclass(frozen=True, slots=True)
class Example:
    """A lead that only one of the two versions passes, at the point at which it first does."""

    point: int
    total: int
    lead_id: int


@dataclass(slots=True)
class Tally:
    """The running sum of a backtest; `as_json` and `from_json` carry it from one step to the next.

    `more` are passed by the draft alone and `fewer` by the active version alone. Who is passed by one in the
    window and by the other before it is not lost, only `sooner` or `later` by the draft.
    """

    weeks: int
    threshold: int
    against_threshold: int
    thresholds: list[int]
    draft: list[int] = field(default_factory=list)
    active: list[int] = field(default_factory=list)
    by_threshold: dict[int, list[int]] = field(default_factory=dict)
    fates: dict[str, Fate] = field(default_factory=dict)
    by_total: dict[int, Fate] = field(default_factory=dict)
    examples: dict[str, list[Example]] = field(default_factory=dict)
    left_out: int = 0
    leads: int = 0

    def __post_init__(self) -> None:
        self.draft = self.draft or [0] * self.weeks
        self.active = self.active or [0] * self.weeks
        for threshold in self.thresholds:
            self.by_threshold.setdefault(threshold, [0] * self.weeks)
        for group in ("more", "fewer", "kept", "sooner", "later"):
            self.fates.setdefault(group, Fate())
            self.examples.setdefault(group, [])

    def count(
        self,
        lead_id: int,
        draft: Track | None,
        active: Track | None,
        outcomes: Sequence[Outcome],
        *,
        since: datetime,
        maturity: Maturity,
    ) -> None:
        """Take one lead in. Sales had it before the window: then it is no new MQL of either version."""
        if any(outcome.handed_at < since for outcome in outcomes):
            self.left_out += 1
            return
        by_draft = first_pass(draft.reach, self.threshold) if draft else None
        by_active = first_pass(active.reach, self.against_threshold) if active else None
        if draft:
            self._count_thresholds(draft)
        if by_draft:
            self.draft[by_draft - 1] += 1
            self._count_total(draft, by_draft, outcomes, maturity)
        if by_active:
            self.active[by_active - 1] += 1
        group = _group(by_draft, by_active)
        if group:
            self.fates[group].count(outcomes, maturity)
            self._keep_example(group, lead_id, draft, active, by_draft, by_active)

    def _count_thresholds(self, draft: Track) -> None:
        for threshold, weeks in self.by_threshold.items():
            passed = first_pass(draft.reach, threshold)
            if passed:
                weeks[passed - 1] += 1

    def _count_total(
        self, draft: Track | None, point: int, outcomes: Sequence[Outcome], maturity: Maturity
    ) -> None:
        if draft:
            self.by_total.setdefault(draft.totals[point], Fate()).count(outcomes, maturity)

    def _keep_example(
        self,
        group: str,
        lead_id: int,
        draft: Track | None,
        active: Track | None,
        by_draft: int | None,
        by_active: int | None,
    ) -> None:
        """The latest ones, which people remember; of one week those with the highest score."""
        track, point = (draft, by_draft) if group == "more" else (active, by_active)
        if group not in ("more", "fewer") or track is None or point is None:
            return
        kept = [*self.examples[group], Example(point, track.totals[point], lead_id)]
        kept.sort(key=lambda example: (-example.point, -example.total, example.lead_id))
        self.examples[group] = kept[:MOST_EXAMPLES]

    def bands(self) -> list[tuple[int, int, Fate]]:
        """(from, to, fate) of the draft's MQLs by score: bands of one round width, few enough to read."""
        if not self.by_total:
            return []
        lowest, highest = min(self.by_total), max(self.by_total)
        width = next(size for size in _round_widths() if highest // size - lowest // size < MOST_BANDS)
        found: dict[int, Fate] = {}
        for total, fate in self.by_total.items():
            found.setdefault(total // width, Fate()).add(fate)
        return [(band * width, band * width + width - 1, found[band]) for band in sorted(found)]

    def as_json(self) -> dict[str, Any]:
        return {
            "weeks": self.weeks,
            "threshold": self.threshold,
            "against_threshold": self.against_threshold,
            "thresholds": self.thresholds,
            "draft": self.draft,
            "active": self.active,
            "by_threshold": {str(key): weeks for key, weeks in self.by_threshold.items()},
            "fates": {group: fate.as_json() for group, fate in self.fates.items()},
            "by_total": {str(total): fate.as_json() for total, fate in self.by_total.items()},
            "examples": {
                group: [[example.point, example.total, example.lead_id] for example in examples]
                for group, examples in self.examples.items()
            },
            "left_out": self.left_out,
            "leads": self.leads,
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        values = dict(kept)
        values["by_threshold"] = {int(key): weeks for key, weeks in kept["by_threshold"].items()}
        values["fates"] = {group: Fate(**fate) for group, fate in kept["fates"].items()}
        values["by_total"] = {int(total): Fate(**fate) for total, fate in kept["by_total"].items()}
        values["examples"] = {
            group: [Example(*example) for example in examples] for group, examples in kept["examples"].items()
        }
        return cls(**values)


def _group(by_draft: int | None, by_active: int | None) -> str:
    """Which side of the difference a lead is on; blank if neither version passes it in the window."""
    if not by_draft and not by_active:
        return ""
    if by_active is None:
        return "more"
    if by_draft is None:
        return "fewer"
    if by_draft == 0:
        return "sooner"
    return "later" if by_active == 0 else "kept"


def _round_widths() -> Iterable[int]:
    size = 1
    while True:
        yield from (5 * size, 10 * size, 20 * size)
        size *= 10
