"""From a lead to the choice of its owner: the rows in front of `routing` and `turns`.

The pool row is the lock of the turns: it is taken after the lead's and held until the offer is stored, so
that any number of assigners at once deal as fairly as one. `candidates` reads who there is, `books` keeps
what was decided.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.models import Team, User
from common.errors import DomainError
from handoffs.models import Handoff, Pool, RoutingRule
from handoffs.routing.candidates import AccountOwners, History, managers_of, read_histories
from handoffs.routing.dealing import Dealer
from handoffs.routing.routes import (
    Conditions,
    PoolPlan,
    RouteFacts,
    RoutePlan,
    RulePlan,
    plan_route,
    plan_within,
)
from handoffs.routing.turns import Choice, Turns, wait_in_line
from leads.models import Company, Lead

__all__ = [
    "NoRouteForLead", "RoutePreview", "choose_for_waiting", "choose_owner", "facts_of", "find_route",
    "lock_pool", "lock_pools", "managers_of", "plan_of", "preview_route", "read_rules", "team_of",
]  # fmt: skip

# Of so many of the oldest that wait it is asked whether somebody could take one; the first few mostly say it.
_FEW, _MANY = 10, 500


class NoRouteForLead(DomainError):
    """No routing rule holds for the lead."""

    def __init__(self) -> None:
        super().__init__(
            "No routing rule fits this lead. Add a rule without conditions at the end of the list."
        )


# --- The way ------------------------------------------------------------------------------------


def find_route(lead: Lead, *, category: str, hops: int = 0) -> RoutePlan:
    """Where the first active rule that holds sends the lead after so many hops. Raises NoRouteForLead."""
    plan = plan_route(facts_of(lead, category=category), read_rules(), hops=hops)
    if plan is None:
        raise NoRouteForLead()
    return plan


def facts_of(lead: Lead, *, category: str) -> RouteFacts:
    """What the rules look at; where the lead names no country, its company's counts."""
    company = lead.company
    return RouteFacts(
        country=lead.country or (company.country if company else ""),
        industry=company.industry if company else "",
        category=category,
        source=lead.source,
        employee_count=company.employee_count if company else None,
        language=lead.language,
        product_line=lead.product_line,
        deal_size=lead.deal_size,
    )


def read_rules() -> list[RulePlan]:
    """The active rules in their order, as plain values."""
    return [plan_of(rule) for rule in RoutingRule.objects.filter(is_active=True).select_related("pool")]


def plan_of(rule: RoutingRule) -> RulePlan:
    pool = rule.pool
    has_turns = rule.strategy != RoutingRule.Strategy.NAMED_OWNER
    return RulePlan(
        rule_id=rule.pk,
        name=rule.name,
        conditions=Conditions(
            countries=rule.countries,
            industries=rule.industries,
            categories=rule.categories,
            sources=rule.sources,
            languages=rule.languages,
            product_lines=rule.product_lines,
            employees_from=rule.employees_from,
            employees_to=rule.employees_to,
            deal_size_from=rule.deal_size_from,
            deal_size_to=rule.deal_size_to,
        ),
        pool=PoolPlan(pool.pk, pool.name, pool.max_hops, pool.catch_all_id),
        # A named person, else in turn.
        turns=Turns(rule.strategy) if has_turns else Turns.ROUND_ROBIN,
        named_owner_id=rule.named_owner_id,
        account_owner_first=rule.account_owner_first,
        skills=rule.skills,
        speaks_language=rule.speaks_language,
    )


# --- The choice ---------------------------------------------------------------------------------


def lock_pool(pool_id: int) -> Pool:
    """Lock the turns of a pool until the transaction ends. Always after the lead's lock."""
    return Pool.objects.select_for_update(no_key=True, of=("self",)).select_related("team").get(pk=pool_id)


def lock_pools(*pool_ids: int) -> None:
    """Lock the turns of several pools, in id order."""
    list(Pool.objects.select_for_update(no_key=True).filter(pk__in=pool_ids).order_by("pk"))


def choose_owner(
    pool: Pool, lead: Lead, plan: RoutePlan, *, now: datetime, let_lapse_by: User | None = None
) -> Choice:
    """Whose turn it is; nobody's while an older lead of the pool waits that somebody could take (HAND-4).

    Not that of whoever has just let it lapse. A lead for somebody outside the pool is not the pool's to deal,
    so it does not wait. The pool is locked.
    """
    dealer = Dealer(pool, now=now)
    history = read_histories(pool, [lead], now=now)[lead.pk]
    if let_lapse_by:
        history.passed_on[let_lapse_by.pk] = "has just let it lapse"
    choice = dealer.choose(lead, plan, history=history, account_owner_id=AccountOwners([lead]).of(lead))
    return wait_in_line(dealer.members) if _older_come_first(dealer, choice, now=now) else choice


def _older_come_first(dealer: Dealer, choice: Choice, *, now: datetime) -> bool:
    """Whether a lead with this choice waits behind others. What nobody may take now holds up nobody."""
    if not choice.shares:
        return False
    line = Handoff.objects.overflow().filter(pool=dealer.pool).order_by("created_at", "id")
    for part in (slice(0, _FEW), slice(_FEW, _MANY)):
        waiting = list(line.select_related("lead__company")[part])
        if any(found.user_id is not None for *_, found in choose_for_waiting(dealer, waiting, now=now)):
            return True
    # Of a longer line the rest is not looked at under the lock of the pool: the sweep does so.
    return len(waiting) == _MANY - _FEW and line[_MANY:].exists()


def choose_for_waiting(
    dealer: Dealer, handoffs: Sequence[Handoff], *, now: datetime
) -> Iterator[tuple[Handoff, RoutePlan, Choice]]:
    """Who would get each of these waiting leads, in their order; the leads and companies are loaded.

    Nothing is booked here: who gives one out books it and sets its owner before asking for the next.
    """
    if not handoffs:
        return
    pool, leads = dealer.pool, [handoff.lead for handoff in handoffs]
    rules = read_rules()
    histories = read_histories(pool, leads, now=now)
    account_owners = AccountOwners(leads)
    for handoff in handoffs:
        lead = handoff.lead
        facts = facts_of(lead, category=handoff.category)
        plan = plan_within(facts, rules, pool_id=pool.pk, hops=handoff.hops)
        yield (
            handoff,
            plan,
            dealer.choose(lead, plan, history=histories[lead.pk], account_owner_id=account_owners.of(lead)),
        )
        account_owners.note(handoff, lead)


# --- The dry run --------------------------------------------------------------------------------


@dataclass(frozen=True)
class RoutePreview:
    """What would become of a lead: by which rule, in which pool, and who with everybody's reason.

    `waiting` leads are in line before it: none where it would not wait for them.
    """

    rule: RoutingRule
    pool: Pool
    plan: RoutePlan
    choice: Choice
    waiting: int


def preview_route(
    facts: RouteFacts, *, company: Company | None = None, lead: Lead | None = None, now: datetime
) -> RoutePreview:
    """Route a lead with these facts without handing it off: nothing is written, nothing is locked.

    The company counts for the account's owner. With a `lead`, what became of it before counts as well.
    Raises NoRouteForLead.
    """
    plan = plan_route(facts, read_rules())
    if plan is None or plan.rule_id is None:
        raise NoRouteForLead()
    rule = RoutingRule.objects.select_related("pool", "named_owner").get(pk=plan.rule_id)
    pool = Pool.objects.select_related("team").get(pk=plan.pool_id)
    imagined = lead or Lead(company=company)
    history = read_histories(pool, [lead], now=now)[lead.pk] if lead else History()
    dealer = Dealer(pool, now=now)
    choice = dealer.choose(
        imagined,
        plan,
        history=history,
        account_owner_id=AccountOwners([imagined]).of(imagined),
    )
    waits = _older_come_first(dealer, choice, now=now)
    waiting = Handoff.objects.overflow().filter(pool=pool).count() if waits else 0
    return RoutePreview(rule=rule, pool=pool, plan=plan, choice=choice, waiting=waiting)


# --- Whose it is besides ------------------------------------------------------------------------


def team_of(pool: Pool, owner: User | None) -> Team | None:
    """Whose team sees the lead: the pool's, else the owner's."""
    return pool.team or (owner.team if owner else None)
