"""Details corrected in Salesforce: settled by the rule of each field, never sent back, each conflict logged
(CRM-3)."""

from datetime import timedelta

import pytest

from crm.client import SalesforceClient
from crm.models import Exchange, FieldMapping, LeadSync, PullCursor
from crm.standin.schema import LEAD
from crm.standin.server import StandIn
from leads.models import AttributeChange, Lead, LeadEvent
from leads.services import correct_lead
from leads.spread import spread_company_changes
from tests.crm.conftest import StoppedClock
from tests.crm.pull.conftest import edit, entries, make_known, pull, push, record_of
from tests.factories import CompanyFactory, LeadFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead(client_of_salesforce: SalesforceClient, clock: StoppedClock) -> Lead:
    company = CompanyFactory(name="Acme", industry="Retail")
    lead = LeadFactory(title="Clerk", phone="+49 30 1", company=company)
    return make_known(lead, client_of_salesforce, clock)


def map_title(**how: str) -> None:
    FieldMapping.objects.filter(salesforce_field="Title").update(**how)


def written_calls(standin: StandIn) -> int:
    return sum(call.operation == "collections" for call in standin.traffic)


def queries(standin: StandIn) -> int:
    return sum(call.operation == "query" for call in standin.traffic)


def test_a_correction_comes_in_with_its_source_and_is_not_sent_back(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
) -> None:
    edit(standin, lead, Title="Head of Sales", Industry="Wholesale", NumberOfEmployees=250)

    assert pull(client_of_salesforce, clock).changed == 1
    before = written_calls(standin)
    push(client_of_salesforce, clock)

    lead = Lead.objects.select_related("company").get()
    assert (lead.title, lead.company.industry, lead.company.employee_count) == (
        "Head of Sales",
        "Wholesale",
        250,
    )
    change = AttributeChange.objects.get(lead=lead, field="title")
    assert (change.old_value, change.new_value, change.source) == ("Clerk", "Head of Sales", "salesforce")
    assert written_calls(standin) == before
    assert pull(client_of_salesforce, clock).changed == 0


def test_the_history_shows_it_masked(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
) -> None:
    edit(standin, lead, Title="Head of Sales", LastName="Rosenberg")

    pull(client_of_salesforce, clock)

    kept = Exchange.objects.get(lead=lead, direction=Exchange.Direction.IN)
    assert kept.outcome == Exchange.Outcome.TAKEN_OVER
    assert kept.fields == {"Title": "Head of Sales", "LastName": "R… (9 letters)"}


def test_a_blank_there_takes_nothing_away(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
) -> None:
    edit(standin, lead, Phone=None)

    pull(client_of_salesforce, clock)
    push(client_of_salesforce, clock)

    assert Lead.objects.get().phone == "+49 30 1"
    assert record_of(standin, lead)["Phone"] == "+49 30 1"


@pytest.mark.parametrize(
    ("rule", "winner"),
    [("theirs", "Head of Sales"), ("ours", "Director"), ("ours_if_blank", "Head of Sales")],
)
def test_a_conflict_is_settled_by_the_rule_and_logged(
    standin: StandIn,
    client_of_salesforce: SalesforceClient,
    clock: StoppedClock,
    lead: Lead,
    rule: str,
    winner: str,
) -> None:
    map_title(rule=rule)
    correct_lead(lead, changes={"title": "Director"}, by=None, at=clock.now, via="test")
    edit(standin, lead, Title="Head of Sales")

    pull(client_of_salesforce, clock)
    push(client_of_salesforce, clock)
    pull(client_of_salesforce, clock)

    assert (Lead.objects.get().title, record_of(standin, lead)["Title"]) == (winner, winner)
    [conflict] = entries(lead, LeadEvent.Kind.CRM_CONFLICT)
    assert conflict.detail["field"] == "title"
    assert (conflict.detail["ours"], conflict.detail["theirs"]) == ("Director", "Head of Sales")
    assert conflict.detail["winner"] == ("ours" if winner == "Director" else "theirs")


@pytest.mark.parametrize(
    ("minutes", "winner"), [(-5, "Director"), (5, "Head of Sales")], ids=["here", "there"]
)
def test_the_latest_change_wins_where_the_rule_says_so(
    standin: StandIn,
    client_of_salesforce: SalesforceClient,
    clock: StoppedClock,
    lead: Lead,
    minutes: int,
    winner: str,
) -> None:
    """The row was touched later: when the title was changed stands in its history."""
    map_title(rule="newest")
    standin.org.change_setup(tracked_fields=("Title",))
    clock.forward(minutes=10)
    correct_lead(
        lead, changes={"title": "Director"}, by=None, at=clock.now - timedelta(minutes=minutes), via="t"
    )
    edit(standin, lead, Title="Head of Sales")
    clock.forward(minutes=20)
    edit(standin, lead, Phone="+49 30 2")

    pull(client_of_salesforce, clock)

    assert Lead.objects.get().title == winner


def test_an_org_without_history_is_asked_once_a_day(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
) -> None:
    standin.org.change_setup(tracked_fields=())
    asked = []
    for hours in (0, 1, 24):
        clock.forward(hours=hours)
        pull(client_of_salesforce, clock)
        edit(standin, lead, Title=f"Title after {hours}")
        before = queries(standin)
        assert pull(client_of_salesforce, clock).changed == 1
        asked.append(queries(standin) - before)

    assert asked == [2, 1, 2]


def test_a_value_that_the_portal_cannot_hold_keeps_nothing_else_back(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
) -> None:
    FieldMapping.objects.filter(salesforce_field="NumberOfEmployees").delete()
    FieldMapping.objects.create(
        portal_field="employee_count", salesforce_field="Rating", direction="pull", rule="theirs"
    )
    edit(standin, lead, Rating="Hot", Title="Head of Sales")

    pull(client_of_salesforce, clock)
    pull(client_of_salesforce, clock)

    assert Lead.objects.get().title == "Head of Sales"
    [flag] = entries(lead, LeadEvent.Kind.CRM_FLAGGED)
    assert flag.detail["field"] == "employee_count"
    assert not PullCursor.objects.get(object_name="Lead").error


def test_a_field_that_is_gone_keeps_no_other_from_coming_in(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
) -> None:
    standin.org.change_setup(hidden_fields=("Lead.Industry",))
    edit(standin, lead, Title="Head of Sales")

    assert pull(client_of_salesforce, clock).changed == 1

    assert Lead.objects.get().title == "Head of Sales"
    assert "Industry" in PullCursor.objects.get(object_name="Lead").error


def test_who_opts_out_there_gets_no_mail_from_here(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
) -> None:
    edit(standin, lead, HasOptedOutOfEmail=True)
    pull(client_of_salesforce, clock)
    asked_at = Lead.objects.get().unsubscribed_at
    edit(standin, lead, HasOptedOutOfEmail=False)
    pull(client_of_salesforce, clock)

    assert asked_at is not None
    assert Lead.objects.get().unsubscribed_at == asked_at


def test_what_is_known_is_passed_over_without_a_lock(
    standin: StandIn,
    client_of_salesforce: SalesforceClient,
    clock: StoppedClock,
    lead: Lead,
    django_assert_max_num_queries: object,
) -> None:
    for number in range(30):
        make = LeadFactory(email=f"lead{number}@example.com")
        Lead.objects.filter(pk=make.pk).update(revision=2)
    push(client_of_salesforce, clock)
    pull(client_of_salesforce, clock)
    assert LeadSync.objects.exclude(remote_digest="").count() == 31

    with django_assert_max_num_queries(24) as queries:
        assert pull(client_of_salesforce, clock).read == 31

    assert not any("FOR " in query["sql"] and "UPDATE" in query["sql"] for query in queries.captured_queries)
    assert len(standin.store.all(LEAD.name)) == 31


@pytest.mark.parametrize(
    ("name", "value", "there"),
    [("company.name", "Globex", "Company"), ("company.industry", "Mining", "Industry")],
)
def test_what_changed_of_a_company_reaches_the_records_of_all_its_leads(
    standin: StandIn,
    client_of_salesforce: SalesforceClient,
    clock: StoppedClock,
    lead: Lead,
    name: str,
    value: str,
    there: str,
) -> None:
    colleague = make_known(LeadFactory(company=lead.company), client_of_salesforce, clock)

    correct_lead(lead, changes={name: value}, by=None, at=clock.now, via="test")
    spread_company_changes(now=clock.now)
    push(client_of_salesforce, clock)

    assert record_of(standin, colleague)[there] == value
