"""Rules and pools as people read them (HAND-3)."""

from __future__ import annotations

import pytest

from accounts.models import User
from handoffs.models import Pool, RoutingRule
from handoffs.routing.sentences import leads_in_words, people_in_words, pool_in_words

NIA = User(first_name="Nia", last_name="Berg")


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        ({}, "All leads"),
        ({"countries": ["Germany", "Austria", "Spain"]}, "Leads from Germany, Austria or Spain"),
        ({"industries": ["Steel"], "employees_from": 50}, "Leads in Steel, with 50 or more employees"),
        ({"employees_from": 50, "employees_to": 2000}, "Leads with 50 to 2,000 employees"),
        ({"categories": ["A", "B"], "languages": ["German"]}, "Leads of category A or B, who speak German"),
        (
            {"product_lines": ["Presses"], "deal_size_to": 9000, "sources": ["webinar"]},
            "Leads about Presses, worth at most 9,000, by webinar",
        ),
    ],
    ids=["none", "countries", "size from", "size span", "category and language", "deal"],
)
def test_the_leads_of_a_rule(conditions: dict[str, object], words: str) -> None:
    assert leads_in_words(RoutingRule(**conditions)) == words


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({}, "the rep who has the company already, else in turn, by weight"),
        ({"account_owner_first": False, "strategy": "least_loaded"}, "whoever has the fewest open handoffs"),
        (
            {"account_owner_first": False, "strategy": "named_owner", "named_owner": NIA},
            "Nia Berg, else in turn, by weight",
        ),
        (
            {"account_owner_first": False, "skills": ["ERP", "steel"], "speaks_language": True},
            "in turn, by weight; only reps who are expert in ERP and steel and speak the lead's language",
        ),
    ],
    ids=["usual", "least loaded", "named", "demanding"],
)
def test_the_people_of_a_rule(terms: dict[str, object], words: str) -> None:
    assert people_in_words(RoutingRule(**terms)) == words


def test_a_pool_says_what_becomes_of_leads_that_nobody_keeps() -> None:
    pool = Pool(name="Inbound", max_hops=1, declined_for_days=30, catch_all=Pool(name="Rescue"))

    assert (
        "Whoever passed a lead on is not offered it for 30 days; after 1 rep it goes to Rescue."
        in pool_in_words(pool)
    )
    assert "Whoever is on shift comes first." in pool_in_words(pool)
