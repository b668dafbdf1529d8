"""A lead that both sides know, and somebody in Salesforce who changes it."""

import pytest

from crm.changes import fold_changes
from crm.client import SalesforceClient
from crm.pull import PullResult, pull_changes
from crm.push import push_batch
from crm.standin.org import Caller
from crm.standin.schema import LEAD
from crm.standin.server import StandIn
from crm.standin.store import Record
from leads.models import Lead, LeadEvent
from leads.services import log_event
from tests.crm.conftest import StoppedClock
from tests.factories import LeadFactory


def push(client: SalesforceClient, clock: StoppedClock) -> None:
    fold_changes(now=clock.now)
    push_batch(client, now=clock.now)


def pull(client: SalesforceClient, clock: StoppedClock, *, after: float = 10) -> PullResult:
    """Read so many seconds later: at once, a row might have been read before our own last write."""
    return pull_changes(client, now=clock.forward(seconds=after))


def make_known(lead: Lead, client: SalesforceClient, clock: StoppedClock) -> Lead:
    """A lead that Salesforce knows and whose first reading is done."""
    log_event(lead, LeadEvent.Kind.CREATED, at=clock.now)
    push(client, clock)
    pull(client, clock)
    return lead


@pytest.fixture
def lead(client_of_salesforce: SalesforceClient, clock: StoppedClock) -> Lead:
    return make_known(LeadFactory(stage=Lead.Stage.MQL), client_of_salesforce, clock)


def record_of(standin: StandIn, lead: Lead) -> Record:
    """The lead's live record over there."""
    [record] = standin.store.find(LEAD.name, "Portal_Lead_Id__c", str(lead.public_id))
    return record


def edit(standin: StandIn, lead: Lead, **values: object) -> None:
    """Change the lead as a person in Salesforce."""
    caller = Caller(standin.org.sales_user_id, auto_assign=False)
    standin.org.update(LEAD, record_of(standin, lead)["Id"], values, caller=caller)


def changes(lead: Lead) -> list[tuple[str, str, str]]:
    """What the lead's log says was changed in Salesforce."""
    events = LeadEvent.objects.filter(lead=lead, kind=LeadEvent.Kind.CRM_CHANGED).order_by("id")
    return [(event.detail["field"], event.detail["was"], event.detail["became"]) for event in events]


def entries(lead: Lead, kind: LeadEvent.Kind) -> list[LeadEvent]:
    return list(LeadEvent.objects.filter(lead=lead, kind=kind).order_by("id"))
