"""A rule that leaves a later one no lead (HAND-3: order and shadowing are shown)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handoffs.routing.routes import Conditions, PoolPlan, RouteFacts, RulePlan
from handoffs.routing.shadowing import find_hidden, takes_all_of

ANY = Conditions()
INBOUND = PoolPlan(pool_id=1, name="Inbound", max_hops=3, catch_all_id=None)

COUNTRIES = st.lists(st.sampled_from(["Germany", "germany ", "Austria", "Spain"]), max_size=2)
BOUNDS = st.one_of(st.none(), st.integers(0, 4))
CONDITIONS = st.builds(
    Conditions,
    countries=COUNTRIES,
    categories=st.lists(st.sampled_from("AB"), max_size=2),
    languages=st.lists(st.sampled_from(["German", "Spanish"]), max_size=1),
    employees_from=BOUNDS,
    employees_to=BOUNDS,
    deal_size_from=BOUNDS,
)
FACTS = st.builds(
    RouteFacts,
    country=st.sampled_from(["", "Germany", "Austria", "Spain"]),
    industry=st.just(""),
    category=st.sampled_from("AB"),
    source=st.just(""),
    employee_count=st.one_of(st.none(), st.integers(0, 5)),
    language=st.sampled_from(["", "German"]),
    deal_size=st.one_of(st.none(), st.integers(0, 5)),
)


def rule(number: int, conditions: Conditions) -> RulePlan:
    return RulePlan(rule_id=number, name=f"Rule {number}", conditions=conditions, pool=INBOUND)


@given(earlier=CONDITIONS, later=CONDITIONS, facts=st.lists(FACTS, min_size=8, max_size=8))
@settings(max_examples=60, deadline=None)
def test_what_is_taken_by_the_later_one_is_taken_by_the_one_that_hides_it(
    earlier: Conditions, later: Conditions, facts: list[RouteFacts]
) -> None:
    if takes_all_of(earlier, later):
        assert all(earlier.hold_for(lead) for lead in facts if later.hold_for(lead))


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (ANY, Conditions(countries=["Germany"])),
        (Conditions(countries=["Germany", "Austria"]), Conditions(countries=[" germany"])),
        (Conditions(employees_to=500), Conditions(employees_from=50, employees_to=200)),
        (Conditions(employees_from=0), Conditions(employees_to=200)),
        (Conditions(product_lines=["Presses"]), Conditions(product_lines=["Presses"], deal_size_from=9)),
    ],
    ids=["any", "fewer countries", "narrower size", "from nought", "one more condition"],
)
def test_a_narrower_rule_is_hidden_by_a_wider_one_before_it(earlier: Conditions, later: Conditions) -> None:
    assert takes_all_of(earlier, later)
    assert find_hidden([rule(1, earlier), rule(2, later)])[2].rule_id == 1


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (Conditions(countries=["Germany"]), ANY),
        (Conditions(employees_from=0), ANY),  # a company of unknown size
        (Conditions(employees_to=100), Conditions(employees_from=50)),
        (Conditions(categories=["A"]), Conditions(categories=["A", "B"])),
        (Conditions(sources=["webinar"]), Conditions(languages=["German"])),
        (Conditions(deal_size_from=10), Conditions(deal_size_from=9)),
    ],
    ids=["any", "size unknown", "overlapping", "one more category", "another matter", "smaller deals"],
)
def test_a_rule_with_leads_of_its_own_is_not_hidden(earlier: Conditions, later: Conditions) -> None:
    assert not takes_all_of(earlier, later)
    assert find_hidden([rule(1, earlier), rule(2, later)]) == {}


def test_the_first_of_several_rules_is_named() -> None:
    german = Conditions(countries=["Germany"])

    hidden = find_hidden([rule(1, german), rule(2, ANY), rule(3, replace(german, categories=["A"]))])

    assert {later: earlier.rule_id for later, earlier in hidden.items()} == {3: 1}
