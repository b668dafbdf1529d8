"""How many leads the BDRs can take in a week, and what a number of MQLs would mean to them (GOV-3, SCORE-10).

The figures come from a backtest below; here they meet the pools.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from handoffs.models import Handoff, PoolMembership

FOUR_WEEKS = timedelta(weeks=4)


@dataclass(frozen=True, slots=True)
class PoolCapacity:
    name: str
    bdrs: int
    weekly: int


@dataclass(frozen=True, slots=True)
class Capacity:
    """What the pools take in a week, and how many leads were handed over in the last four."""

    pools: list[PoolCapacity]
    bdrs: int
    weekly: int
    each: int | None
    received: int

    @property
    def received_a_week(self) -> float:
        return self.received / 4

    @property
    def sentence(self) -> str:
        """Such as "5 BDRs × 50 = 250 a week"."""
        if not self.bdrs:
            return "No BDR takes leads: there is no active member in any pool."
        people = "1 BDR" if self.bdrs == 1 else f"{self.bdrs} BDRs"
        if self.each is None:
            return f"{people} together take {self.weekly:,} leads a week"
        return f"{people} × {self.each:,} = {self.weekly:,} leads a week"


@dataclass(frozen=True, slots=True)
class Load:
    """Weekly numbers of MQLs held against a capacity."""

    weeks: Sequence[int]
    capacity: Capacity

    @property
    def average(self) -> float:
        return sum(self.weeks) / len(self.weeks) if self.weeks else 0.0

    @property
    def busiest(self) -> int:
        return max(self.weeks, default=0)

    @property
    def per_bdr(self) -> float | None:
        return self.average / self.capacity.bdrs if self.capacity.bdrs else None

    @property
    def used_percent(self) -> int | None:
        """Of the capacity in an average week; None where there is no capacity."""
        return round(100 * self.average / self.capacity.weekly) if self.capacity.weekly else None

    @property
    def busiest_percent(self) -> int | None:
        return round(100 * self.busiest / self.capacity.weekly) if self.capacity.weekly else None

    @property
    def weeks_over(self) -> int:
        return sum(week > self.capacity.weekly for week in self.weeks)

    @property
    def is_over(self) -> bool:
        return self.average > self.capacity.weekly


def measure_capacity(*, now: datetime) -> Capacity:
    """Of all active members of the pools; who is in two pools counts once and takes what both say."""
    members = list(
        PoolMembership.objects.filter(is_active=True, user__is_active=True)
        .select_related("pool")
        .order_by("pool__name", "user_id")
    )
    pools: dict[str, list[int]] = {}
    for member in members:
        pools.setdefault(member.pool.name, []).append(member.weekly_capacity)
    people = {member.user_id for member in members}
    sizes = {member.weekly_capacity for member in members}
    return Capacity(
        pools=[PoolCapacity(name, len(each), sum(each)) for name, each in pools.items()],
        bdrs=len(people),
        weekly=sum(member.weekly_capacity for member in members),
        each=sizes.pop() if len(sizes) == 1 and len(people) == len(members) else None,
        received=Handoff.objects.filter(created_at__gt=now - FOUR_WEEKS, created_at__lte=now).count(),
    )


def advise(load: Load, *, threshold: int | None, by_threshold: Mapping[int, float]) -> str:
    """What brings the load down to the capacity, in one sentence; blank while it fits.

    `by_threshold` holds the weekly MQLs that each threshold would have passed.
    """
    capacity = load.capacity
    if not load.is_over or not capacity.bdrs or not capacity.weekly:
        return ""
    more = _bdrs_to_add(load)
    staff = "1 BDR" if more == 1 else f"{more} BDRs"
    enough = sorted(
        higher
        for higher, a_week in by_threshold.items()
        if threshold is not None and higher > threshold and a_week <= capacity.weekly
    )
    if not enough:
        return f"Add {staff}, or make the rules stricter."
    passed = f"{round(by_threshold[enough[0]]):,} a week"
    return f"Raise the threshold to {enough[0]} ({passed}), or add {staff}."


def _bdrs_to_add(load: Load) -> int:
    """As many as take the rest, each of them what the present ones take on average."""
    each = load.capacity.weekly / load.capacity.bdrs
    missing = load.average - load.capacity.weekly
    return max(1, -int(-missing // each))
