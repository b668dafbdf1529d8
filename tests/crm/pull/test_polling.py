"""The poll, against a stand-in over HTTP: what people did there comes in once, and nothing of ours echoes."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from accounts.models import User
from common.parking import MAX_ATTEMPTS
from crm.changes import fold_changes
from crm.claims import claim_waiting
from crm.client import SalesforceClient
from crm.models import LeadSync, PullCursor, PullFailure
from crm.pull import OVERLAP, PullResult, pull_changes
from crm.pull.batches import BATCH
from crm.standin.faults import Fault
from crm.standin.org import Caller
from crm.standin.schema import LEAD
from crm.standin.server import StandIn
from crm.unread import read_again
from handoffs.models import Handoff
from leads.models import Lead, LeadEvent
from leads.services import correct_lead, log_event, move_stage
from notifications.models import Notification
from tests.crm.conftest import StoppedClock
from tests.crm.pull.conftest import changes, edit, push
from tests.factories import HandoffFactory, LeadFactory
from tests.poison import heal, poison

pytestmark = pytest.mark.django_db


def test_status_and_owner_come_in_once(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
) -> None:
    before = standin.org.integration_user_id
    edit(standin, lead, Status="Working - Contacted", OwnerId=standin.org.sales_user_id)

    assert pull_changes(client_of_salesforce, now=clock.now).changed == 1
    assert pull_changes(client_of_salesforce, now=clock.now).changed == 0

    assert changes(lead) == [
        ("OwnerId", before, standin.org.sales_user_id),
        ("Status", "Open - Not Contacted", "Working - Contacted"),
    ]
    sync = LeadSync.objects.get(pk=lead.pk)
    assert (sync.remote_status, sync.remote_owner_name) == ("Working - Contacted", "Sam Seller")


def test_our_own_writes_do_not_come_back_as_news(
    client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
) -> None:
    move_stage(lead, to=Lead.Stage.SAL, at=clock.now)
    push(client_of_salesforce, clock)
    clock.forward(minutes=1)

    result = pull_changes(client_of_salesforce, now=clock.now)

    assert (result.read, result.changed) == (1, 0)
    assert changes(lead) == []


def test_a_write_whose_answer_was_lost_does_not_come_back_as_news_either(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
) -> None:
    move_stage(lead, to=Lead.Stage.SAL, at=clock.now)
    standin.faults.add(Fault("reset_after", "collections"))
    push(client_of_salesforce, clock)
    clock.forward(minutes=10)

    pull_changes(client_of_salesforce, now=clock.now)

    assert changes(lead) == []


def test_a_pull_makes_no_push_that_makes_a_pull(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
) -> None:
    edit(standin, lead, Status="Working - Contacted")
    pull_changes(client_of_salesforce, now=clock.now)
    calls = len(standin.traffic)

    push(client_of_salesforce, clock)

    assert len(standin.traffic) == calls
    assert standin.store.all(LEAD.name)[0]["Status"] == "Working - Contacted"


def test_a_late_commit_is_found_by_the_overlap(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
) -> None:
    clock.forward(minutes=30)
    pull_changes(client_of_salesforce, now=clock.now)
    standin.org.change_setup(late_commit_seconds=300)
    edit(standin, lead, Status="Working - Contacted")

    pull_changes(client_of_salesforce, now=clock.now)

    assert len(changes(lead)) == 1


def test_a_reading_that_breaks_off_is_gone_on_with(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
) -> None:
    """Of very many rows none would ever be the last."""
    begin = clock.forward(days=1)
    for number in range(BATCH + 1):
        if number == BATCH:
            clock.forward(hours=1)
        values = {"LastName": "L", "Company": "C", "Portal_Lead_Id__c": f"{number}"}
        standin.org.create(LEAD, values, caller=Caller(standin.org.sales_user_id))
    clock.forward(hours=1)
    standin.api.page_size = BATCH
    standin.faults.add(Fault("error", "query", nth=2))

    assert pull_changes(client_of_salesforce, now=clock.now).is_paused
    assert PullCursor.objects.get(object_name="Lead").cursor == begin + OVERLAP
    PullCursor.objects.filter(object_name="Lead").update(cursor=begin + OVERLAP + timedelta(seconds=1))

    assert pull_changes(client_of_salesforce, now=clock.forward(minutes=1)).read == 1


def test_only_the_window_is_read(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
) -> None:
    clock.forward(seconds=OVERLAP.total_seconds() + 60)
    assert pull_changes(client_of_salesforce, now=clock.now).read == 1
    assert pull_changes(client_of_salesforce, now=clock.now).read == 0


def test_a_rejection_without_a_reason_is_asked_about_and_not_stored(
    standin: StandIn,
    client_of_salesforce: SalesforceClient,
    clock: StoppedClock,
    lead: Lead,
    bdr: User,
    manager: User,
) -> None:
    handoff = HandoffFactory(lead=lead, owner=bdr)
    edit(standin, lead, Status="Closed - Not Converted")

    pull_changes(client_of_salesforce, now=clock.now)
    pull_changes(client_of_salesforce, now=clock.now)

    handoff.refresh_from_db()
    assert handoff.status == Handoff.Status.OFFERED
    [flag] = LeadEvent.objects.filter(kind=LeadEvent.Kind.CRM_FLAGGED)
    assert (flag.handoff_id, flag.detail["missing"]) == (handoff.pk, "reason")
    assert set(Notification.objects.values_list("recipient", flat=True)) == {bdr.pk, manager.pk}


def test_a_converted_lead_is_noted_and_not_written_any_more(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
) -> None:
    [remote] = standin.store.all(LEAD.name)
    with standin.store.transaction():
        stamp = clock.now.strftime("%Y-%m-%dT%H:%M:%S.000+0000")
        standin.store.replace({**remote, "IsConverted": True, "SystemModstamp": stamp})

    pull_changes(client_of_salesforce, now=clock.now)
    correct_lead(lead, changes={"title": "CEO"}, by=None, at=clock.now, via="test")
    writes = sum(call.operation == "collections" for call in standin.traffic)
    push(client_of_salesforce, clock)

    assert changes(lead) == [("IsConverted", "false", "true")]
    assert sum(call.operation == "collections" for call in standin.traffic) == writes
    assert not LeadSync.objects.parked().exists()


class TestCursor:
    def test_is_on_salesforce_s_clock(
        self, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
    ) -> None:
        pull_changes(client_of_salesforce, now=clock.now + timedelta(hours=3))

        cursor = PullCursor.objects.get(object_name="Lead")
        assert timedelta() < clock.now - cursor.cursor < timedelta(seconds=10)
        assert cursor.succeeded_at == clock.now + timedelta(hours=3)

    def test_does_not_pass_a_lead_that_is_on_its_way_out(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
    ) -> None:
        clock.forward(minutes=20)
        edit(standin, lead, Status="Working - Contacted")
        edited_at = clock.now
        log_event(lead, LeadEvent.Kind.OPENED, at=clock.now)
        fold_changes(now=clock.now)
        claim_waiting(now=clock.now)
        clock.forward(hours=2)

        assert pull_changes(client_of_salesforce, now=clock.now) == PullResult(read=1, postponed=1)
        assert PullCursor.objects.get(object_name="Lead").cursor == edited_at

        LeadSync.objects.update(in_flight_since=None)
        assert pull_changes(client_of_salesforce, now=clock.now).changed == 1
        assert PullCursor.objects.get(object_name="Lead").cursor > edited_at

    def test_does_not_pass_a_row_that_may_be_older_than_our_own_last_write(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
    ) -> None:
        """Read just before the write took effect, it would undo it here."""
        clock.forward(minutes=20)
        edit(standin, lead, Status="Working - Contacted")
        LeadSync.objects.update(acknowledged_at=clock.now)

        assert pull_changes(client_of_salesforce, now=clock.now) == PullResult(read=1, postponed=1)
        clock.forward(seconds=10)
        assert pull_changes(client_of_salesforce, now=clock.now) == PullResult(read=1, changed=1)

    def test_stays_when_the_poll_breaks_off(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
    ) -> None:
        before = PullCursor.objects.get(object_name="Lead").cursor
        clock.forward(minutes=20)
        standin.faults.add(Fault("html", "query", status=503))

        assert pull_changes(client_of_salesforce, now=clock.now).is_paused

        cursor = PullCursor.objects.get(object_name="Lead")
        assert (cursor.cursor, cursor.failed_at) == (before, clock.now)
        assert cursor.error

    def test_a_foreign_portal_id_is_passed_over(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
    ) -> None:
        caller = Caller(standin.org.sales_user_id)
        for portal_id in ("typed by hand", "7d444840-9dc0-11d1-b245-5ffdce74fad2"):
            values = {"LastName": "Other", "Company": "Other", "Portal_Lead_Id__c": portal_id}
            standin.org.create(LEAD, values, caller=caller)

        assert pull_changes(client_of_salesforce, now=clock.now) == PullResult(read=3)


@pytest.mark.django_db(transaction=True)
def test_a_busy_lead_is_read_again_and_does_not_hold_up_the_poll(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
) -> None:
    leads = LeadFactory.create_batch(2)
    for lead in leads:
        log_event(lead, LeadEvent.Kind.CREATED, at=clock.now)
    push(client_of_salesforce, clock)
    clock.forward(seconds=10)
    pull_changes(client_of_salesforce, now=clock.now)
    for lead in leads:
        edit(standin, lead, Status="Working - Contacted")
    locked, done = threading.Event(), threading.Event()

    def hold_the_first() -> None:
        with transaction.atomic():
            Lead.objects.lock(leads[0].pk)
            locked.set()
            done.wait(20)
        connection.close()

    holder = threading.Thread(target=hold_the_first)
    holder.start()
    locked.wait(20)
    try:
        result = pull_changes(client_of_salesforce, now=clock.now)
    finally:
        done.set()
        holder.join()

    assert (result.changed, result.postponed) == (1, 1)
    assert pull_changes(client_of_salesforce, now=clock.now).changed == 1
    assert [len(changes(lead)) for lead in leads] == [1, 1]


class TestPoisonedRow:
    def test_holds_up_the_cursor_a_few_times_and_is_then_set_aside(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
    ) -> None:
        clock.forward(hours=1)
        pull_changes(client_of_salesforce, now=clock.now)
        edit(standin, lead, Status="Working - Contacted")
        edited_at = clock.now
        poison(lead)
        clock.forward(hours=1)

        cursors = []
        for _ in range(MAX_ATTEMPTS):
            pull_changes(client_of_salesforce, now=clock.now)
            cursors.append(PullCursor.objects.get(object_name="Lead").cursor)

        assert cursors[:-1] == [edited_at] * (MAX_ATTEMPTS - 1)
        assert cursors[-1] > edited_at
        [failure] = PullFailure.objects.all()
        assert (failure.stamp, failure.parked_at, failure.attempts) == (edited_at, clock.now, MAX_ATTEMPTS)
        assert failure.error

    def test_is_read_again_when_a_person_asks(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
    ) -> None:
        edit(standin, lead, Status="Working - Contacted")
        poison(lead)
        for _ in range(MAX_ATTEMPTS):
            clock.forward(hours=1)
            pull_changes(client_of_salesforce, now=clock.now)
        heal()
        assert pull_changes(client_of_salesforce, now=clock.now).read == 0

        assert read_again(now=clock.now) == 1

        assert pull_changes(client_of_salesforce, now=clock.now).changed == 1
        assert not PullFailure.objects.exists()

    def test_keeps_no_other_from_coming_in_however_malformed(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
    ) -> None:
        other = LeadFactory(stage=Lead.Stage.MQL)
        log_event(other, LeadEvent.Kind.CREATED, at=clock.now)
        push(client_of_salesforce, clock)
        pull_changes(client_of_salesforce, now=clock.now)
        edit(standin, other, Status="Working - Contacted")
        [remote] = standin.store.find(LEAD.name, "Portal_Lead_Id__c", str(lead.public_id))
        with standin.store.transaction():
            standin.store.replace({**remote, "Portal_Lead_Id__c": 42})
        clock.forward(minutes=1)

        assert pull_changes(client_of_salesforce, now=clock.now).changed == 1

        failure = PullFailure.objects.get()
        assert (failure.salesforce_id, failure.stamp, failure.parked_at) == (remote["Id"], None, clock.now)
