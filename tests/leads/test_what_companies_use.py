"""SCORE-2: the tech stack and growth signals of companies, from every channel, with their history."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from common.errors import InvalidInput
from leads.api import LeadInputSerializer
from leads.facts import CompanyFacts, LeadFacts
from leads.intake import record_lead
from leads.models import AttributeChange, Company, Lead, OtherAnswer
from leads.segment import lead_facts
from leads.services import correct_lead, hold_lead
from leads.spread import spread_company_changes
from scoring.engine import score_with_ledger
from tests.factories import NOON, CompanyFactory, LeadFactory
from tests.scoring.builders import make_draft

DAY = timedelta(days=1)
SAID = LeadFacts(
    email="ada@acme.example",
    company=CompanyFacts(name="Acme", technologies="Salesforce, HubSpot", growth_signals="hiring"),
)

pytestmark = pytest.mark.django_db


def of_acme() -> tuple[str, str]:
    company = Company.objects.get(domain="acme.example")
    return company.technologies, company.growth_signals


def test_the_api_takes_what_a_company_uses() -> None:
    data = {
        "email": "ada@acme.example",
        "company": {"technologies": "Salesforce, HubSpot", "growth_signals": "hiring"},
    }
    serializer = LeadInputSerializer(data=data)
    serializer.is_valid(raise_exception=True)

    record_lead(serializer.to_facts(now=NOON), via="api", now=NOON)

    assert of_acme() == ("Salesforce, HubSpot", "hiring")


@pytest.mark.parametrize(
    "words", ["Salesforce, HubSpot", ["Salesforce", " HubSpot", ""]], ids=["text", "list"]
)
def test_traits_say_what_a_company_uses_as_text_or_as_a_list(words: str | list[str]) -> None:
    traits = {"email": "ada@acme.example", "company": {"technologies": words, "growth_signals": ["hiring"]}}

    record_lead(lead_facts(traits), via="segment", now=NOON)

    assert of_acme() == ("Salesforce, HubSpot", "hiring")


@pytest.mark.parametrize(
    "words", [{"crm": "Salesforce"}, ["Salesforce", 7], True], ids=["object", "mixed", "yes"]
)
def test_traits_that_are_no_words_are_refused(words: Any) -> None:
    with pytest.raises(InvalidInput) as refusal:
        lead_facts({"email": "ada@acme.example", "company": {"technologies": words}})

    assert refusal.value.field == "traits.company.technologies"


def test_a_file_says_what_a_company_uses(tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_text('E-mail,Uses,Signs\nada@acme.example,"Salesforce, HubSpot",hiring\n')

    call_command(
        "import_leads",
        str(path),
        *("--map", "email=E-mail", "company.technologies=Uses", "company.growth_signals=Signs"),
    )

    assert of_acme() == ("Salesforce, HubSpot", "hiring")


def test_a_further_source_fills_blanks_and_never_overwrites() -> None:
    record_lead(SAID, via="api", now=NOON)
    other = CompanyFacts(name="Acme", technologies="Odoo", growth_signals="hiring")

    record_lead(LeadFacts(email="bob@acme.example", company=other), via="import", now=NOON)

    assert of_acme() == ("Salesforce, HubSpot", "hiring")
    assert [(one.field, one.value) for one in OtherAnswer.objects.all()] == [("technologies", "Odoo")]


def test_too_long_a_list_is_refused_with_its_field() -> None:
    with pytest.raises(InvalidInput, match="longer than 500 characters") as refusal:
        record_lead(
            LeadFacts(email="ada@acme.example", company=CompanyFacts(technologies="x" * 501)),
            via="api",
            now=NOON,
        )

    assert refusal.value.field == "company.technologies"


def test_a_correction_keeps_what_it_replaced_and_tells_all_leads_of_the_company(marketing: User) -> None:
    acme = CompanyFactory(domain="acme.example", growth_signals="hiring")
    ada, bob = LeadFactory.create_batch(2, company=acme)
    hold_lead(bob, hold=Lead.Hold.UNTIL_FIT_CHANGES, until=None, at=NOON)

    changed = correct_lead(
        ada, changes={"company.growth_signals": "new funding"}, by=marketing, at=NOON, via="portal"
    )
    spread_company_changes(now=NOON)

    bob.refresh_from_db()
    change = AttributeChange.objects.get(company=acme, field="growth_signals")
    assert changed == ["company.growth_signals"]
    assert (change.old_value, change.new_value, change.by) == ("hiring", "new funding", marketing)
    assert (bob.hold, bob.advance_at) == (Lead.Hold.NONE, NOON)


def test_rules_ask_what_a_company_used_at_that_time(marketing: User) -> None:
    """SCORE-7: a past score uses the tech stack as it was known then."""
    draft = make_draft(
        {"attribute": "company.technologies", "operator": "has_word", "values": ["HubSpot"], "points": 10},
        {"attribute": "company.growth_signals", "operator": "is_known", "points": 5},
    )
    acme = CompanyFactory(domain="acme.example", technologies="Salesforce, HubSpot")
    lead = LeadFactory(company=acme, created_at=NOON - 9 * DAY)
    news = {"company.technologies": "Odoo", "company.growth_signals": "hiring"}
    correct_lead(lead, changes=news, by=marketing, at=NOON - 3 * DAY, via="portal")

    results = [score_with_ledger(draft, lead.pk, as_of=NOON - days * DAY) for days in (4, 2)]

    assert [result and result.fit for result in results] == [10, 5]


def test_the_lead_page_shows_what_the_company_uses(client: Client, marketing: User) -> None:
    recorded = record_lead(SAID, via="api", now=NOON)
    client.force_login(marketing)

    text = client.get(f"/leads/{recorded.lead.pk}/").content.decode()

    assert "Salesforce, HubSpot" in text
    assert "Growth signals" in text
