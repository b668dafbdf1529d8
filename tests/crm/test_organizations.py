"""Another org's records are others: nothing is exchanged with it before somebody says so."""

from io import StringIO

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from crm.changes import fold_changes
from crm.client import Credentials, SalesforceClient
from crm.client.organization import admit_organization
from crm.models import Connection, LeadSync, OwnerMapping, PullCursor
from crm.pull import pull_changes
from crm.push import push_batch
from crm.rules import mark_next_leads
from crm.standin.schema import LEAD
from crm.standin.server import StandIn
from leads.models import Lead, LeadEvent
from leads.services import log_event
from tests.crm.conftest import CLIENT_ID, CLIENT_SECRET, StoppedClock
from tests.factories import LeadFactory, UserFactory

pytestmark = pytest.mark.django_db

STANDIN_ORG = "00DHp0000000001MAA"
FORMER_ORG = "00DHp0000000009EAA"


@pytest.fixture
def client(standin: StandIn, settings: LazySettings) -> SalesforceClient:
    """One like the portal's own, which the settings name, before it signs in."""
    settings.SALESFORCE_URL = standin.base_url
    settings.SALESFORCE_CLIENT_ID, settings.SALESFORCE_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
    credentials = Credentials(standin.base_url, CLIENT_ID, CLIENT_SECRET)
    return SalesforceClient(credentials, version="68.0", timeout_seconds=5, admit=admit_organization)


def org() -> str:
    return Connection.objects.get().organization_id


def waiting_lead(clock: StoppedClock) -> Lead:
    lead = LeadFactory()
    log_event(lead, LeadEvent.Kind.CREATED, at=clock.now)
    fold_changes(now=clock.now)
    return lead


def test_the_first_org_is_remembered(client: SalesforceClient) -> None:
    client.sign_in()
    client.sign_in()

    assert org() == STANDIN_ORG


def test_nothing_is_sent_to_another_org_nor_read_from_it(
    standin: StandIn, client: SalesforceClient, clock: StoppedClock
) -> None:
    lead = waiting_lead(clock)
    Connection.objects.create(organization_id=FORMER_ORG)

    assert push_batch(client, now=clock.now).is_paused
    assert pull_changes(client, now=clock.forward(hours=1)).is_paused

    assert {call.operation for call in standin.traffic} == {"token"}
    state = Connection.objects.get()
    assert (state.organization_id, state.error_code) == (FORMER_ORG, "ANOTHER_ORG")
    assert f"{STANDIN_ORG} instead of {FORMER_ORG}" in state.error
    assert LeadSync.objects.get(pk=lead.pk).send_at is not None


def test_a_session_that_ended_is_not_renewed_with_another_org(
    standin: StandIn, client: SalesforceClient, clock: StoppedClock
) -> None:
    client.sign_in()
    # As a sandbox that is refreshed while we are signed in.
    Connection.objects.update(organization_id=FORMER_ORG)
    standin.tokens.revoke()
    waiting_lead(clock)

    assert push_batch(client, now=clock.now).is_paused

    assert standin.store.all(LEAD.name) == []


def test_going_on_with_another_org_sends_everything_anew_once_it_is_named(
    standin: StandIn, client: SalesforceClient, clock: StoppedClock
) -> None:
    lead = waiting_lead(clock)
    push_batch(client, now=clock.now)
    pull_changes(client, now=clock.now)
    OwnerMapping.objects.create(user=UserFactory(), salesforce_user_id="005Hp0000000001AAA")
    known = LeadSync.objects.get(pk=lead.pk).salesforce_id
    standin.org.reset()
    Connection.objects.update(organization_id=FORMER_ORG)

    with pytest.raises(CommandError, match=f"exchanged with {FORMER_ORG}"):
        call_command("salesforce_adopt_org")
    assert LeadSync.objects.get(pk=lead.pk).salesforce_id == known
    call_command("salesforce_adopt_org", STANDIN_ORG, stdout=StringIO())

    assert org() == STANDIN_ORG
    assert not OwnerMapping.objects.exists()
    assert not PullCursor.objects.exists()
    while mark_next_leads(now=clock.now):
        fold_changes(now=clock.now)
    push_batch(client, now=clock.now)
    [record] = standin.store.all(LEAD.name)
    assert record["Portal_Lead_Id__c"] == str(lead.public_id)
    assert LeadSync.objects.get(pk=lead.pk).salesforce_id == record["Id"]
