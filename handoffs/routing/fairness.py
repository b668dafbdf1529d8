"""Whether the turns are fair: what each member of a pool was entitled to, and what they received (HAND-3).

The books are kept under the pool's lock with every lead. They need not agree to the lead: an earlier owner
or the account's owner comes before the turns, and is passed over later for as long as they are ahead.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Count, OuterRef, Subquery

from common.charts import Chart, Point, Series, bar_chart
from handoffs.models import Handoff, Pool, PoolMembership, RoutingDecision

PERIOD = timedelta(days=30)
# More names than this would not be legible under the bars; the table has all of them.
MOST_BARS = 12
NO_DECISION = "Imported"


@dataclass(frozen=True, slots=True)
class Share:
    """One member's books, and by what the leads of the period came to them."""

    member: PoolMembership
    came_by: Mapping[str, int]

    @property
    def difference(self) -> Decimal:
        """Leads received beyond the entitlement; negative for one who is owed some."""
        return self.member.received - self.member.entitled

    @property
    def in_words(self) -> str:
        if abs(self.difference) <= 1:
            return "Within one lead"
        return f"{abs(self.difference):.1f} {'ahead' if self.difference > 0 else 'behind'}"

    @property
    def is_even(self) -> bool:
        return abs(self.difference) <= 1

    @property
    def received_lately(self) -> int:
        return sum(self.came_by.values())


@dataclass(frozen=True, slots=True)
class PoolFairness:
    pool: Pool
    shares: Sequence[Share]
    ways: Sequence[str]

    @property
    def received(self) -> int:
        return sum(share.member.received for share in self.shares)

    @property
    def entitled(self) -> Decimal:
        return sum((share.member.entitled for share in self.shares), Decimal())

    @property
    def received_lately(self) -> int:
        return sum(share.received_lately for share in self.shares)

    @property
    def rows(self) -> list[tuple[Share, list[int]]]:
        """Each share with its numbers under `ways`."""
        return [(share, [share.came_by.get(way, 0) for way in self.ways]) for share in self.shares]

    @property
    def chart(self) -> Chart | None:
        if len(self.shares) > MOST_BARS:
            return None
        names = [str(share.member.user) for share in self.shares]
        entitled = [float(share.member.entitled) for share in self.shares]
        received = [float(share.member.received) for share in self.shares]
        return bar_chart(
            f"{self.pool}: entitled and received",
            [
                Series("Entitled", [Point(*each) for each in zip(names, entitled, strict=True)]),
                Series("Received", [Point(*each) for each in zip(names, received, strict=True)]),
            ],
            x_label="Member",
            empty="Nobody has received a lead in this pool yet.",
        )


def measure_fairness(pools: Sequence[Pool], *, now: datetime) -> list[PoolFairness]:
    """The books of each pool, most received first, with the ways by which leads came in the last 30 days."""
    members: defaultdict[int, list[PoolMembership]] = defaultdict(list)
    for member in PoolMembership.objects.filter(pool__in=pools).select_related("user"):
        members[member.pool_id].append(member)
    came_by = _count_ways(pools, since=now - PERIOD)
    return [_fairness_of(pool, members[pool.pk], came_by) for pool in pools]


def _fairness_of(
    pool: Pool, members: list[PoolMembership], came_by: Mapping[tuple[int, int], Mapping[str, int]]
) -> PoolFairness:
    shares = [
        Share(member, came_by.get((pool.pk, member.user_id), {}))
        for member in sorted(members, key=lambda member: (-member.received, str(member.user)))
    ]
    ways = sorted({way for share in shares for way in share.came_by})
    return PoolFairness(pool, shares, ways)


def _count_ways(pools: Sequence[Pool], *, since: datetime) -> dict[tuple[int, int], dict[str, int]]:
    """How many leads each owner has from each pool, by the decision that gave them last.

    A lead that was passed on counts for nobody, as in the books.
    """
    last = RoutingDecision.objects.filter(handoff=OuterRef("pk"), chosen=OuterRef("owner"))
    counts = (
        Handoff.objects.filter(
            pool__in=pools, offered_at__gte=since, owner__isnull=False, slot_returned_at=None
        )
        .order_by()
        .annotate(way=Subquery(last.order_by("-at", "-id").values("strategy")[:1]))
        .values_list("pool_id", "owner_id", "way")
        .annotate(number=Count("pk"))
    )
    ways: defaultdict[tuple[int, int], dict[str, int]] = defaultdict(dict)
    for pool_id, owner_id, way, number in counts:
        ways[pool_id, owner_id][way or NO_DECISION] = number
    return dict(ways)
