"""A company is the Account of its domain, customers first (CRM-2)."""

from datetime import timedelta

import pytest

from crm.accounts import match_accounts, note_companies_to_match
from crm.client import SalesforceClient
from crm.models import AccountMatch
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
