"""Who may own records in Salesforce is asked there, and their leads follow (CRM-3)."""

import pytest

from accounts.models import User
from crm.changes import fold_changes
from crm.client import SalesforceClient
from crm.fitting import check_against_org
from crm.models import LeadSync, OwnerMapping, QueueMapping
from crm.owners import map_queues_by_name, refresh_activity
from crm.push import push_batch
from crm.standin.schema import LEAD, USER
from crm.standin.server import StandIn
from leads.models import LeadEvent
from leads.services import log_event
from tests.crm.conftest import StoppedClock
from tests.factories import HandoffFactory, LeadFactory, PoolFactory

pytestmark = pytest.mark.django_db


def push(client: SalesforceClient, clock: StoppedClock) -> None:
    fold_changes(now=clock.now)
    push_batch(client, now=clock.now)


def test_who_left_there_hands_their_leads_to_the_queue_and_gets_them_back(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, bdr: User
) -> None:
    sam = standin.org.sales_user_id
    OwnerMapping.objects.create(user=bdr, salesforce_user_id=sam)
    lead = LeadFactory(owner=bdr)
    handoff = HandoffFactory(lead=lead, owner=bdr)
    QueueMapping.objects.create(pool=handoff.pool, queue_id=standin.org.queue_id)
    log_event(lead, LeadEvent.Kind.CREATED, at=clock.now)
    push(client_of_salesforce, clock)
    owners = []
    for is_active in (False, True):
        user = standin.org.get(USER, sam)
        standin.org.write(user, {"IsActive": is_active}, by=None)
        assert refresh_activity(client_of_salesforce, now=clock.now) == 1
        assert refresh_activity(client_of_salesforce, now=clock.now) == 0
        push(client_of_salesforce, clock)
        owners.append(standin.store.all(LEAD.name)[0]["OwnerId"])

    assert owners == [standin.org.queue_id, sam]
    assert OwnerMapping.objects.get().checked_at == clock.now
    assert not LeadSync.objects.parked().exists()


def test_pools_find_the_queue_of_their_name_and_what_waits_in_them_goes_there(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
) -> None:
    handoff = HandoffFactory(owner=None)
    chosen = PoolFactory(name="Large")
    PoolFactory(name="Twice there")
    QueueMapping.objects.create(pool=chosen, queue_id=standin.org.queue_id)
    queue_id = standin.org.add_queue(f" {handoff.pool.name.upper()}")
    for name in ("Large", "Twice there", "Twice there"):
        standin.org.add_queue(name)
    log_event(handoff.lead, LeadEvent.Kind.CREATED, at=clock.now)
    push(client_of_salesforce, clock)

    check_against_org(client_of_salesforce, now=clock.now)
    push(client_of_salesforce, clock)

    assert dict(QueueMapping.objects.values_list("pool", "queue_id")) == {
        handoff.pool_id: queue_id,
        chosen.pk: standin.org.queue_id,
    }
    assert standin.store.all(LEAD.name)[0]["OwnerId"] == queue_id
    assert map_queues_by_name(now=clock.now) == 0
