"""Leads deleted or merged in Salesforce are pointed to what is left, and never made anew (CRM-3)."""

import pytest

from accounts.models import User
from crm.client import SalesforceClient
from crm.models import LeadSync, PullCursor
from crm.standin.conversion import merge_leads
from crm.standin.org import Caller
from crm.standin.schema import LEAD
from crm.standin.server import StandIn
from leads.models import Lead, LeadEvent
from leads.services import correct_lead, log_event
from notifications.models import Notification
from tests.crm.conftest import StoppedClock
from tests.crm.pull.conftest import changes, entries, make_known, pull, push, record_of
from tests.factories import LeadFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def other(client_of_salesforce: SalesforceClient, clock: StoppedClock) -> Lead:
    return make_known(LeadFactory(), client_of_salesforce, clock)


def delete(standin: StandIn, record_id: str) -> None:
    standin.org.delete(LEAD, record_id, caller=Caller(standin.org.sales_user_id))


def standing(lead: Lead) -> LeadSync:
    return LeadSync.objects.get(lead=lead)


def test_a_deleted_lead_waits_for_an_operator_and_is_not_made_anew(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead, operator: User
) -> None:
    clock.forward(minutes=10)
    delete(standin, standing(lead).salesforce_id)

    assert pull(client_of_salesforce, clock, after=600).changed == 1
    assert pull(client_of_salesforce, clock, after=600).changed == 0
    correct_lead(lead, changes={"title": "CEO"}, by=None, at=clock.now, via="test")
    push(client_of_salesforce, clock)

    sync = standing(lead)
    assert (sync.removed_at is not None, sync.error_code) == (True, "ENTITY_IS_DELETED")
    assert sync.parked_at is not None
    assert changes(lead) == [("IsDeleted", "", "true")]
    assert Notification.objects.filter(recipient=operator, title__contains="deleted").count() == 1
    assert standin.store.all(LEAD.name) == []


def test_out_of_the_recycle_bin_it_goes_on(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
) -> None:
    clock.forward(minutes=10)
    record_id = standing(lead).salesforce_id
    delete(standin, record_id)
    pull(client_of_salesforce, clock, after=600)
    correct_lead(lead, changes={"title": "CEO"}, by=None, at=clock.now, via="test")
    standin.org.undelete(LEAD, record_id, caller=Caller(standin.org.sales_user_id))

    pull(client_of_salesforce, clock, after=600)
    push(client_of_salesforce, clock)

    sync = standing(lead)
    assert (sync.removed_at, sync.parked_at, sync.error_code) == (None, None, "")
    assert record_of(standin, lead)["Title"] == "CEO"


def test_a_merged_lead_follows_the_record_that_is_left_and_both_say_so(
    standin: StandIn,
    client_of_salesforce: SalesforceClient,
    clock: StoppedClock,
    lead: Lead,
    other: Lead,
) -> None:
    clock.forward(minutes=10)
    winner, loser = standing(other).salesforce_id, standing(lead).salesforce_id
    merge_leads(standin.org, winner, [loser], by=standin.org.sales_user_id)

    pull(client_of_salesforce, clock, after=600)

    sync = standing(lead)
    assert (sync.salesforce_id, sync.master_id, sync.removed_at) == (winner, winner, None)
    assert (standing(other).salesforce_id, standing(other).master_id) == (winner, "")
    whys = [entries(each, LeadEvent.Kind.CRM_CHANGED)[-1].detail["why"] for each in (lead, other)]
    assert whys == [
        f"merged in Salesforce with lead {other.pk}",
        f"lead {lead.pk} was merged into it in Salesforce",
    ]


def test_merged_twice_it_follows_to_the_last(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead, other: Lead
) -> None:
    clock.forward(minutes=10)
    by = standin.org.sales_user_id
    last = standin.org.create(LEAD, {"LastName": "Last", "Company": "Last"}, caller=Caller(by))
    merge_leads(standin.org, standing(other).salesforce_id, [standing(lead).salesforce_id], by=by)
    merge_leads(standin.org, last, [standing(other).salesforce_id], by=by)

    pull(client_of_salesforce, clock, after=600)

    assert {sync.master_id for sync in LeadSync.objects.all()} == {last}


def test_one_that_is_on_its_way_out_is_noted_with_the_next_poll(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
) -> None:
    clock.forward(minutes=10)
    delete(standin, standing(lead).salesforce_id)
    log_event(lead, LeadEvent.Kind.OPENED, at=clock.now)
    LeadSync.objects.update(in_flight_since=clock.now)
    pull(client_of_salesforce, clock, after=600)
    assert standing(lead).removed_at is None

    LeadSync.objects.update(in_flight_since=None)
    pull(client_of_salesforce, clock, after=600)

    assert standing(lead).removed_at is not None


def test_deletions_are_asked_for_every_few_minutes_only(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
) -> None:
    before = PullCursor.objects.get(object_name="Lead removals").cursor
    pull(client_of_salesforce, clock, after=60)
    assert PullCursor.objects.get(object_name="Lead removals").cursor == before

    pull(client_of_salesforce, clock, after=600)
    assert PullCursor.objects.get(object_name="Lead removals").cursor > before
