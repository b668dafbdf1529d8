"""Which pool a lead goes to, by which rule, and on what terms its owner is found there (HAND-3).

Plain values in, a plan out; who it is in the end is the matter of `turns`. The dry run and the real hand-off
ask here, so what the one shows is what the other does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from handoffs.routing.turns import Needs, Turns, words


@dataclass(frozen=True)
class RouteFacts:
    """What the conditions of a routing rule look at."""

    country: str
    industry: str
    category: str
    source: str
    employee_count: int | None
    language: str = ""
    product_line: str = ""
    deal_size: int | None = None


@dataclass(frozen=True)
class Conditions:
    """When a routing rule holds. An empty condition holds for any lead."""

    countries: Sequence[str] = ()
    industries: Sequence[str] = ()
    categories: Sequence[str] = ()
    sources: Sequence[str] = ()
    languages: Sequence[str] = ()
    product_lines: Sequence[str] = ()
    employees_from: int | None = None
    employees_to: int | None = None
    deal_size_from: int | None = None
    deal_size_to: int | None = None

    def hold_for(self, facts: RouteFacts) -> bool:
        return (
            all(
                not wanted or getattr(facts, name).strip().casefold() in wanted
                for name, wanted in self._wanted_words
            )
            and _lies_within(facts.employee_count, self.employees_from, self.employees_to)
            and _lies_within(facts.deal_size, self.deal_size_from, self.deal_size_to)
        )

    @cached_property
    def _wanted_words(self) -> tuple[tuple[str, frozenset[str]], ...]:
        """The fact each list of words is about, and its words without regard to case."""
        return (
            ("country", words(self.countries)),
            ("industry", words(self.industries)),
            ("category", words(self.categories)),
            ("source", words(self.sources)),
            ("language", words(self.languages)),
            ("product_line", words(self.product_lines)),
        )


def _lies_within(number: int | None, low: int | None, high: int | None) -> bool:
    if low is None and high is None:
        return True
    if number is None:  # an unknown number is in no range
        return False
    return (low is None or number >= low) and (high is None or number <= high)


@dataclass(frozen=True)
class PoolPlan:
    """A pool as far as routes go through it."""

    pool_id: int
    name: str
    max_hops: int
    catch_all_id: int | None


@dataclass(frozen=True)
class RulePlan:
    """A routing rule as plain values."""

    rule_id: int
    name: str
    conditions: Conditions
    pool: PoolPlan
    turns: Turns = Turns.ROUND_ROBIN
    named_owner_id: int | None = None
    account_owner_first: bool = True
    skills: Sequence[str] = ()
    speaks_language: bool = False


@dataclass(frozen=True)
class RoutePlan:
    """Where a lead goes, and what its owner is chosen by.

    `to_be_claimed` says why it is offered to nobody; blank: it is dealt.
    """

    rule_id: int | None
    rule_name: str
    pool_id: int
    turns: Turns = Turns.ROUND_ROBIN
    named_owner_id: int | None = None
    account_owner_first: bool = True
    needs: Needs = field(default_factory=Needs)
    is_catch_all: bool = False
    to_be_claimed: str = ""


def plan_route(facts: RouteFacts, rules: Sequence[RulePlan], *, hops: int = 0) -> RoutePlan | None:
    """What the first rule that holds says; None when none does.

    `hops` is how many reps have passed the lead on: so many are enough, and it goes to the catch-all pool of
    the rule's pool, where anybody may get it; without one it waits for somebody to claim it.
    """
    return next(_plans(facts, rules, hops), None)


def plan_within(facts: RouteFacts, rules: Sequence[RulePlan], *, pool_id: int, hops: int = 0) -> RoutePlan:
    """The terms for a lead that is in a pool already, by the first rule that would send it there.

    Rules change while leads wait. Where none sends it there any more, it is dealt in turn.
    """
    plans = _plans(facts, rules, hops)
    here = (plan for plan in plans if plan.pool_id == pool_id)
    return next(here, RoutePlan(rule_id=None, rule_name="", pool_id=pool_id))


def _plans(facts: RouteFacts, rules: Sequence[RulePlan], hops: int) -> Iterator[RoutePlan]:
    for rule in rules:
        if rule.conditions.hold_for(facts):
            yield _follow(rule, facts, hops)


def _follow(rule: RulePlan, facts: RouteFacts, hops: int) -> RoutePlan:
    pool = rule.pool
    # The first hop leaves the first rep: a limit of none would leave no rep to begin with.
    is_given_up = 0 < hops >= pool.max_hops
    if is_given_up and pool.catch_all_id is not None:
        return RoutePlan(
            rule_id=rule.rule_id,
            rule_name=f"Catch-all of {pool.name}",
            pool_id=pool.catch_all_id,
            account_owner_first=False,
            needs=Needs(country=facts.country),
            is_catch_all=True,
        )
    reps = "1 rep" if hops == 1 else f"{hops} reps"
    return RoutePlan(
        rule_id=rule.rule_id,
        rule_name=rule.name,
        pool_id=pool.pool_id,
        turns=rule.turns,
        named_owner_id=rule.named_owner_id,
        account_owner_first=rule.account_owner_first,
        needs=Needs(
            country=facts.country,
            language=facts.language if rule.speaks_language else "",
            skills=tuple(rule.skills),
        ),
        to_be_claimed=f"passed on by {reps}, so it waits to be claimed" if is_given_up else "",
    )
