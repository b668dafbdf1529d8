"""Which rule holds, and what it says about a lead (HAND-3). Pure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from handoffs.routing.routes import Conditions, PoolPlan, RouteFacts, RulePlan, plan_route, plan_within
from handoffs.routing.turns import Needs, Turns

FACTS = RouteFacts(
    country="Germany",
    industry="Software",
    category="B",
    source="Webinar",
    employee_count=250,
    language="German",
    product_line="Ledger",
    deal_size=40_000,
)
INBOUND = PoolPlan(pool_id=1, name="Inbound", max_hops=3, catch_all_id=None)
CAUGHT = replace(INBOUND, catch_all_id=7)


def rule(number: int, pool: PoolPlan = INBOUND, **values: object) -> RulePlan:
    given = {"conditions": Conditions(), **values}
    return RulePlan(rule_id=number, name=f"Rule {number}", pool=pool, **given)


@pytest.mark.parametrize(
    ("conditions", "holds"),
    [
        (Conditions(), True),
        (Conditions(countries=["germany ", "Austria"]), True),
        (Conditions(countries=["France"]), False),
        (Conditions(industries=["SOFTWARE"], categories=["A", "B"]), True),
        (Conditions(categories=["A"]), False),
        (Conditions(sources=["webinar"]), True),
        (Conditions(sources=["Trade fair"]), False),
        (Conditions(employees_from=250, employees_to=250), True),
        (Conditions(employees_from=251), False),
        (Conditions(employees_to=249), False),
        (Conditions(languages=["german", "Dutch"]), True),
        (Conditions(languages=["Dutch"]), False),
        (Conditions(product_lines=["ledger"]), True),
        (Conditions(product_lines=["Payroll"]), False),
        (Conditions(deal_size_from=40_000, deal_size_to=40_000), True),
        (Conditions(deal_size_from=40_001), False),
        (Conditions(deal_size_to=0), False),
    ],
)
def test_a_rule_holds_when_all_its_conditions_do(conditions: Conditions, holds: bool) -> None:
    assert conditions.hold_for(FACTS) is holds


@pytest.mark.parametrize(
    ("unknown", "conditions"),
    [
        ({"employee_count": None}, Conditions(employees_from=1)),
        ({"deal_size": None}, Conditions(deal_size_to=10)),
        ({"language": ""}, Conditions(languages=["German"])),
    ],
)
def test_what_is_unknown_fits_no_condition_but_a_blank_one(
    unknown: dict[str, object], conditions: Conditions
) -> None:
    facts = replace(FACTS, **unknown)

    assert not conditions.hold_for(facts)
    assert Conditions().hold_for(facts)


def test_the_first_rule_that_holds_says_how_the_owner_is_found() -> None:
    french = rule(1, conditions=Conditions(countries=["France"]))
    experts = rule(
        2,
        turns=Turns.LEAST_LOADED,
        named_owner_id=5,
        account_owner_first=False,
        skills=["Tenders"],
        speaks_language=True,
    )

    plan = plan_route(FACTS, [french, experts, rule(3)])

    assert plan is not None
    assert (plan.rule_id, plan.rule_name, plan.pool_id) == (2, "Rule 2", 1)
    assert (plan.turns, plan.named_owner_id, plan.account_owner_first) == (Turns.LEAST_LOADED, 5, False)
    assert plan.needs == Needs(country="Germany", language="German", skills=("Tenders",))
    assert not plan.to_be_claimed


def test_a_language_is_asked_of_the_rep_only_where_the_rule_says_so_and_it_is_known() -> None:
    unsaid = plan_route(FACTS, [rule(1)])
    unknown = plan_route(replace(FACTS, language=""), [rule(1, speaks_language=True)])

    assert (unsaid and unsaid.needs.language, unknown and unknown.needs.language) == ("", "")


def test_without_a_rule_that_holds_there_is_no_plan() -> None:
    assert plan_route(FACTS, [rule(1, conditions=Conditions(countries=["France"]))]) is None
    assert plan_route(FACTS, []) is None


@pytest.mark.parametrize(("hops", "pool_id"), [(0, 1), (2, 1), (3, 7), (9, 7)])
def test_so_many_hops_are_enough_and_then_the_catch_all_pool_has_it(hops: int, pool_id: int) -> None:
    plan = plan_route(FACTS, [rule(1, CAUGHT, skills=["Tenders"], named_owner_id=5)], hops=hops)

    assert plan is not None
    assert (plan.pool_id, plan.is_catch_all) == (pool_id, pool_id == 7)
    if plan.is_catch_all:
        # Who catches all asks for no skill and knows no favourites.
        assert plan.rule_name == "Catch-all of Inbound"
        assert (plan.needs.skills, plan.named_owner_id, plan.account_owner_first) == ((), None, False)


def test_without_a_catch_all_pool_it_waits_to_be_claimed() -> None:
    plan = plan_route(FACTS, [rule(1)], hops=3)

    assert plan is not None
    assert (plan.pool_id, plan.to_be_claimed) == (1, "passed on by 3 reps, so it waits to be claimed")


def test_even_a_limit_of_no_hop_leaves_the_first_rep() -> None:
    strict = replace(CAUGHT, max_hops=0)

    assert [plan_route(FACTS, [rule(1, strict)], hops=hops).pool_id for hops in (0, 1)] == [1, 7]


def test_a_lead_that_waits_is_dealt_by_the_first_rule_that_sends_it_to_its_pool() -> None:
    elsewhere = rule(1, replace(INBOUND, pool_id=2))
    here = rule(2, turns=Turns.LEAST_LOADED)

    assert plan_within(FACTS, [elsewhere, here], pool_id=1).turns is Turns.LEAST_LOADED
    assert plan_within(FACTS, [elsewhere, rule(3, CAUGHT)], pool_id=7, hops=3).is_catch_all


def test_where_no_rule_sends_it_any_more_it_is_dealt_in_turn() -> None:
    plan = plan_within(FACTS, [], pool_id=4)

    assert (plan.pool_id, plan.rule_name, plan.turns) == (4, "", Turns.ROUND_ROBIN)
