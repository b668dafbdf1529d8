"""A company is the Account of its domain, customers first, and sales reads it (CRM-2)."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from crm.accounts import match_accounts, note_companies_to_match
from crm.client import SalesforceClient
from crm.models import AccountMatch, Conversion, LeadSync
from crm.standin.org import Caller
from crm.standin.schema import ACCOUNT
from crm.standin.server import StandIn
from tests.crm.conftest import StoppedClock
from tests.factories import CompanyFactory, HandoffFactory, LeadFactory

pytestmark = pytest.mark.django_db


def add_account(standin: StandIn, name: str, website: str, **values: object) -> str:
    caller = Caller(standin.org.sales_user_id)
    return standin.org.create(ACCOUNT, {"Name": name, "Website": website, **values}, caller=caller)


def in_sales(domain: str) -> None:
    HandoffFactory(lead=LeadFactory(company=CompanyFactory(domain=domain)))


def test_a_company_in_sales_hands_is_matched_by_its_domain(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
) -> None:
    in_sales("acme.com")
    LeadFactory(company=CompanyFactory(domain="nobody-sells-here.com"))
    add_account(standin, "Not Acme", "https://notacme.com")
    add_account(standin, "Acme, old", "acme.com/old")
    customer = add_account(standin, "Acme", "http://www.acme.com/", Type="Customer")
    add_account(standin, "Typed", "see %%%")

    assert note_companies_to_match(now=clock.now) == 1
    assert match_accounts(client_of_salesforce, now=clock.now) == 1

    match = AccountMatch.objects.get()
    assert (match.account_id, match.name, match.kind) == (customer, "Acme", "Customer")
    assert (match.owner_name, match.how_many) == ("Sam Seller", 2)


def test_it_is_looked_up_again_after_a_week(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
) -> None:
    in_sales("acme.com")
    note_companies_to_match(now=clock.now)
    assert match_accounts(client_of_salesforce, now=clock.now) == 0
    add_account(standin, "Acme", "acme.com")
    later = clock.now + timedelta(days=8)

    for now in (clock.now, later):
        note_companies_to_match(now=now)
        match_accounts(client_of_salesforce, now=now)

    assert (AccountMatch.objects.get().name, AccountMatch.objects.get().looked_at) == ("Acme", later)


def test_a_hundred_companies_cost_one_call(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
) -> None:
    companies = CompanyFactory.create_batch(101)
    AccountMatch.objects.bulk_create(AccountMatch(company=one, look_at=clock.now) for one in companies)

    match_accounts(client_of_salesforce, now=clock.now)
    match_accounts(client_of_salesforce, now=clock.now)

    assert sum(call.operation == "query" for call in standin.traffic) == 2


def test_sales_reads_above_the_handoff_and_on_the_lead_that_it_is_a_customer(
    settings, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, bdr: User
) -> None:
    settings.SALESFORCE_URL = standin.base_url
    lead = LeadFactory(owner=bdr, company=CompanyFactory(domain="acme.com"))
    handoff = HandoffFactory(lead=lead, owner=bdr)
    add_account(standin, "Acme, old", "acme.com")
    account = add_account(standin, "Acme", "acme.com", Type="Customer")
    note_companies_to_match(now=clock.now)
    match_accounts(client_of_salesforce, now=clock.now)
    line_url = reverse("crm:account_line", args=[lead.pk])

    page = shown(bdr, reverse("handoffs:detail", args=[handoff.pk]))
    line, panel = shown(bdr, line_url), shown(bdr, reverse("crm:lead_panel", args=[lead.pk]))

    assert f'hx-get="{line_url}"' in page
    for text in (line, panel):
        assert "Existing account" in text
        assert f'href="{standin.base_url}/{account}"' in text
        assert ", customer, owned by Sam Seller; 2 accounts share the domain" in text


def test_a_company_without_an_account_says_nothing_and_strangers_see_none(
    bdr: User, stranger: User, client: Client
) -> None:
    url = reverse("crm:account_line", args=[LeadFactory(owner=bdr, company=CompanyFactory()).pk])

    assert shown(bdr, url).strip() == ""
    client.force_login(stranger)
    assert client.get(url).status_code == 404


def test_a_converted_lead_leads_to_its_contact_and_its_deal(settings, bdr: User) -> None:
    settings.SALESFORCE_URL = "https://acme.my.salesforce.com"
    lead = LeadFactory(owner=bdr)
    LeadSync.objects.create(lead=lead, salesforce_id="00Q000000000001AAA", is_converted=True)
    Conversion.objects.create(
        lead=lead,
        contact_id="003000000000001AAA",
        opportunity_id="006000000000001AAA",
        deal_name="Engines",
        deal_stage="Negotiation/Review",
        amount=12_000,
    )

    panel = shown(bdr, reverse("crm:lead_panel", args=[lead.pk]))

    assert 'href="https://acme.my.salesforce.com/003000000000001AAA"' in panel
    assert 'href="https://acme.my.salesforce.com/006000000000001AAA"' in panel
    assert "Negotiation/Review, 12,000" in panel


def shown(user: User, url: str) -> str:
    client = Client()
    client.force_login(user)
    return client.get(url).content.decode()
