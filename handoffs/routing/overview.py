"""The routing as it stands: rules in their order, pools with their members, who could take a lead now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from accounts.models import User
from handoffs.models import Handoff, Pool, PoolMembership, RoutingRule
from handoffs.routing.assignment import read_rules
from handoffs.routing.candidates import read_candidates
from handoffs.routing.routes import Conditions
from handoffs.routing.sentences import leads_in_words, people_in_words, pool_in_words
from handoffs.routing.shadowing import find_hidden, takes_all_of
from handoffs.routing.turns import Candidate, OffShift, has_room


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule in words. `place` counts the active ones; `hidden_by` names the one that leaves it no lead."""

    rule: RoutingRule
    place: int | None
    hidden_by: str

    @property
    def leads(self) -> str:
        return leads_in_words(self.rule)

    @property
    def people(self) -> str:
        return people_in_words(self.rule)


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member, and how they stand at this moment."""

    membership: PoolMembership
    standing: Candidate
    is_available: bool

    @property
    def why(self) -> str:
        """What keeps them from leads now; for somebody available, what puts them behind others."""
        now = self.standing
        return now.unavailable or now.away or now.full or now.off_shift


@dataclass(frozen=True, slots=True)
class PoolRow:
    pool: Pool
    members: list[MemberRow]
    waiting: int

    @property
    def sentences(self) -> list[str]:
        return pool_in_words(self.pool)

    @property
    def available(self) -> int:
        return sum(member.is_available for member in self.members)


@dataclass(frozen=True, slots=True)
class Overview:
    """`takes_every_lead`: some rule has no condition, so that no lead is left without a route."""

    rules: list[RuleRow]
    pools: list[PoolRow]
    takes_every_lead: bool


def read_overview(viewer: User, *, now: datetime) -> Overview:
    """What this person may see of the routing: a BDR the pools they are in and the rules that lead there."""
    pools = list(Pool.objects.visible_to(viewer).select_related("team", "catch_all"))
    active = read_rules()
    hidden = {rule_id: earlier.name for rule_id, earlier in find_hidden(active).items()}
    places = {rule.rule_id: place for place, rule in enumerate(active, start=1)}
    rules = RoutingRule.objects.filter(pool__in=pools).select_related("pool", "named_owner")
    return Overview(
        rules=[RuleRow(rule, places.get(rule.pk), hidden.get(rule.pk, "")) for rule in rules],
        pools=_read_pools(pools, now=now),
        takes_every_lead=any(takes_all_of(rule.conditions, Conditions()) for rule in active),
    )


def _read_pools(pools: list[Pool], *, now: datetime) -> list[PoolRow]:
    members: defaultdict[int, list[PoolMembership]] = defaultdict(list)
    for membership in PoolMembership.objects.filter(pool__in=pools).select_related("user"):
        members[membership.pool_id].append(membership)
    waiting = count_waiting(pools)
    return [
        PoolRow(pool, _read_members(pool, members[pool.pk], now=now), waiting.get(pool.pk, 0))
        for pool in pools
    ]


def count_waiting(pools: list[Pool]) -> Mapping[int, int]:
    """How many leads wait in the overflow queue of each pool, by its id; none: not named."""
    counts = Handoff.objects.overflow().filter(pool__in=pools).order_by().values_list("pool_id")
    return dict(counts.annotate(number=Count("pk")))


def _read_members(pool: Pool, members: list[PoolMembership], *, now: datetime) -> list[MemberRow]:
    standings = {one.user_id: one for one in read_candidates(pool, now=now)}
    off_shift = OffShift(pool.off_shift)
    rows = [
        MemberRow(member, standings[member.user_id], has_room(standings[member.user_id], off_shift))
        for member in members
        if member.user_id in standings  # who joined between the two reads comes with the next look
    ]
    return sorted(rows, key=lambda row: str(row.membership.user))
