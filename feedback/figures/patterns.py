"""What stands out in what sales refused: groups with their share rejected, and pairs of group and reason.

Each share has its 95 % interval, and below a stated number of decisions there is none. Lift is the share held
against that of all decided handoffs: 1 is no difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

from feedback.figures.cohorts import ACCEPTED, OVERTURNED, Group, Tally
from scoring.conversion import Share
from scoring.intervals import CONFIDENCE, share_ratio

# Of all pairs that mean nothing, so many still have an interval above 1.
BY_CHANCE = (1 - CONFIDENCE) / 2


@dataclass(frozen=True, slots=True)
class Lift:
    """How many times as large a share is as the base that it is a part of, with its interval."""

    times: float
    low: float
    high: float

    @property
    def is_above(self) -> bool:
        """Surely more than the base."""
        return self.low > 1

    @property
    def is_below(self) -> bool:
        return self.high < 1


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """How the handoffs of one group were decided. `lift` is None where there are too few to say."""

    key: str
    label: str
    accepted: int
    rejected: Share
    lift: Lift | None
    good: Share

    @property
    def decided(self) -> int:
        return self.rejected.n


@dataclass(frozen=True, slots=True)
class Pattern:
    """A group that is surely commoner among the rejections of one reason than among all decided handoffs.

    `found` is its share of those rejections ("fired in 41 % of them"), `base` that of all decided.
    """

    key: str
    label: str
    reason: str
    found: Share
    base: Share
    lift: Lift


@dataclass(frozen=True, slots=True)
class Patterns:
    """The patterns, the surest first; how many pairs were looked at, and how many had too few decisions."""

    found: tuple[Pattern, ...]
    looked_at: int
    too_few: int

    @property
    def by_chance(self) -> float:
        """So many would stand out if nothing at all were behind them."""
        return self.looked_at * BY_CHANCE


def lift_of(part: Share, others: Share) -> Lift | None:
    """The share of a part against that of part and others together; None if nobody says anything, or if there
    are no others.

    The interval comes from that of the ratio to the others, who are counted apart from the part: with the
    part's weight w in the whole, a ratio r to the others is a lift of r / (1 - w + w * r).
    """
    whole = part + others
    if not part.n or not others.n or not whole.yes:
        return None
    weight = part.n / whole.n
    low, high = share_ratio(part.yes, part.n, others.yes, others.n)
    return Lift(
        (part.yes / part.n) / (whole.yes / whole.n), _against_whole(low, weight), _against_whole(high, weight)
    )


def _against_whole(ratio: float, weight: float) -> float:
    if ratio in (0, inf):
        return 1 / weight if ratio else 0.0
    return ratio / (1 - weight + weight * ratio)


def group_figures(decided: Tally, checked: Tally, *, least: int) -> list[GroupFigures]:
    """Every group of decided handoffs, those of which sales refused most first."""
    everybody = _rejected(decided.marks, least=least)
    found = [
        _figures(group, everybody, checked.groups.get(key), least=least)
        for key, group in decided.groups.items()
    ]
    return sorted(found, key=lambda group: (-group.rejected.yes, group.accepted, group.label))


def _figures(group: Group, everybody: Share, checked: Group | None, *, least: int) -> GroupFigures:
    rejected = _rejected(group.marks, least=least)
    answers = checked.marks if checked else {}
    return GroupFigures(
        key=group.key,
        label=group.label,
        accepted=group.marks[ACCEPTED],
        rejected=rejected,
        lift=lift_of(rejected, everybody - rejected) if rejected.is_enough else None,
        good=Share(answers.get("yes", 0), sum(answers.values()), least),
    )


def _rejected(marks: Mapping[str, int], *, least: int) -> Share:
    decided = sum(marks.values())
    return Share(decided - marks.get(ACCEPTED, 0), decided, least)


def find_patterns(decided: Tally, *, least: int) -> Patterns:
    """Pairs of a group and a reason, both with at least `least` decisions."""
    n = decided.marks.total()
    reasons = {mark: count for mark, count in decided.marks.items() if mark not in (ACCEPTED, OVERTURNED)}
    found, looked_at, too_few = [], 0, 0
    for group in decided.groups.values():
        for reason, rejections in reasons.items():
            if rejections < least or group.marks.total() < least:
                too_few += 1
                continue
            looked_at += 1
            share = Share(group.marks[reason], rejections, least)
            base = Share(group.marks.total(), n, least)
            lift = lift_of(share, base - share)
            if lift is not None and lift.is_above:
                found.append(Pattern(group.key, group.label, reason, share, base, lift))
    found.sort(key=lambda pattern: (-pattern.lift.low, pattern.label, pattern.reason))
    return Patterns(tuple(found), looked_at, too_few)
