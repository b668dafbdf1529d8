"""What the push does about records that sales converted, merged, deleted or edited, and owners who left."""

from datetime import timedelta

import pytest

from accounts.models import User
from crm.changes import fold_changes, send_again
from crm.models import (
    AttemptSync,
    Connection,
    Conversion,
    Exchange,
    Lane,
    LeadSync,
    OwnerMapping,
    QueueMapping,
)
from crm.outcomes import PushResult
from crm.owners import map_owner
from crm.push import push_batch
from crm.standin.conversion import convert_lead, merge_leads
from crm.standin.faults import Fault
from crm.standin.org import Caller
from crm.standin.schema import LEAD, TASK
from crm.standin.server import StandIn
from handoffs.models import Attempt
from leads.services import correct_lead
from tests.crm.conftest import StoppedClock
from tests.factories import HandoffFactory, LeadFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def push(client_of_salesforce, clock: StoppedClock):
    def run() -> PushResult:
        fold_changes(now=clock.now)
        return push_batch(client_of_salesforce, now=clock.now)

    return run


def correct(lead, clock: StoppedClock, **changes: object) -> None:
    correct_lead(lead, changes=changes, by=None, at=clock.now, via="test")


def remote(standin: StandIn, lead) -> dict:
    [record] = standin.store.find(LEAD.name, "Portal_Lead_Id__c", str(lead.public_id))
    return record


def as_rep(standin: StandIn) -> Caller:
    return Caller(standin.org.sales_user_id, auto_assign=False)


class TestConverted:
    def test_is_written_no_more_and_its_tasks_go_to_the_contact(
        self, standin: StandIn, clock: StoppedClock, push, bdr: User
    ) -> None:
        handoff = HandoffFactory(lead=LeadFactory(title="VP"), owner=bdr)
        push()
        convert_lead(standin.org, remote(standin, handoff.lead)["Id"], by=standin.org.sales_user_id)
        correct(handoff.lead, clock, title="CEO")
        push()
        sync = LeadSync.objects.get(pk=handoff.lead_id)
        assert (sync.is_converted, sync.parked_at) == (True, None)

        # The poll reads what it became; the next change is for the contact.
        contact = remote(standin, handoff.lead)["ConvertedContactId"]
        Conversion.objects.create(lead=handoff.lead, contact_id=contact)
        Attempt.objects.create(handoff=handoff, by=bdr, at=clock.now, channel="call", outcome="connected")
        correct(handoff.lead, clock, title="CFO")
        assert push().pushed == 1

        assert remote(standin, handoff.lead)["Title"] == "VP"
        assert {task["WhoId"] for task in standin.store.all(TASK.name)} == {contact}


class TestMerged:
    def test_into_another_lead_of_ours_that_one_speaks_for_the_record(
        self, standin: StandIn, clock: StoppedClock, push
    ) -> None:
        winner, loser = LeadFactory(title="Winner"), LeadFactory(title="Loser")
        push()
        kept = remote(standin, winner)["Id"]
        merge_leads(standin.org, kept, [remote(standin, loser)["Id"]], by=standin.org.sales_user_id)
        correct(loser, clock, title="Changed")
        HandoffFactory(lead=loser)
        for _ in range(3):
            push()

        sync = LeadSync.objects.get(pk=loser.pk)
        assert (sync.salesforce_id, sync.master_id, sync.parked_at) == (kept, kept, None)
        assert [record["Title"] for record in standin.store.all(LEAD.name)] == ["Winner"]
        # What is to be done about the lead is done with the record that is left.
        assert [task["WhoId"] for task in standin.store.all(TASK.name)] == [kept]

    def test_into_a_record_that_is_nobody_s_that_becomes_ours(
        self, standin: StandIn, clock: StoppedClock, push
    ) -> None:
        lead = LeadFactory(title="VP")
        push()
        fields = {"LastName": "Doe", "Company": "Engines", "Title": "Typed there"}
        kept = standin.org.create(LEAD, fields, caller=as_rep(standin))
        merge_leads(standin.org, kept, [remote(standin, lead)["Id"]], by=standin.org.sales_user_id)
        correct(lead, clock, title="CEO")
        push()
        push()

        # What somebody typed there is for the poll to settle.
        ours = remote(standin, lead)
        assert (ours["Id"], ours["Title"], ours["Portal_Stage__c"]) == (kept, "Typed there", "lead")
        assert LeadSync.objects.get(pk=lead.pk).master_id == ""


class TestOwners:
    def test_one_who_left_there_is_replaced_by_the_queue_of_the_pool(
        self, standin: StandIn, clock: StoppedClock, push, bdr: User
    ) -> None:
        mara = standin.org.add_user("Mara", "Lind", "mara@portal.example")
        map_owner(bdr, salesforce_user_id=mara, now=clock.now)
        handoff = HandoffFactory(lead=LeadFactory(owner=bdr), owner=bdr)
        QueueMapping.objects.create(pool=handoff.pool, queue_id=standin.org.queue_id)
        standin.faults.add(Fault("row", "collections", code="INACTIVE_OWNER_OR_USER", message="inactive"))

        assert push() == PushResult(waiting=1)
        assert push() == PushResult(pushed=1)

        assert not OwnerMapping.objects.get(user=bdr).is_active_there
        [task] = standin.store.all(TASK.name)
        assert remote(standin, handoff.lead)["OwnerId"] == standin.org.queue_id
        # A queue cannot have tasks.
        assert task["OwnerId"] != standin.org.queue_id


class TestContested:
    def test_what_a_rep_changed_is_left_to_the_poll_and_the_rest_is_sent(
        self, standin: StandIn, clock: StoppedClock, push
    ) -> None:
        lead = LeadFactory(title="VP", phone="1")
        push()
        there = remote(standin, lead)["Id"]
        standin.org.update(LEAD, there, {"Title": "Head of sales"}, caller=as_rep(standin))
        correct(lead, clock, title="CEO", phone="2")
        push()

        assert (remote(standin, lead)["Title"], remote(standin, lead)["Phone"]) == ("Head of sales", "2")
        assert LeadSync.objects.get(pk=lead.pk).acknowledged["Title"] == "VP"


class TestOtherTrouble:
    def test_rows_rolled_back_with_others_lose_no_attempt(
        self, standin: StandIn, clock: StoppedClock, push
    ) -> None:
        lead = LeadFactory()
        fault = Fault("row", "collections", code="ALL_OR_NONE_OPERATION_ROLLED_BACK", message="rolled back")
        standin.faults.add(fault)

        assert push() == PushResult(waiting=1)
        assert LeadSync.objects.get(pk=lead.pk).attempts == 0
        assert push() == PushResult(pushed=1)

    def test_what_was_confirmed_before_the_connection_failed_is_not_sent_again(
        self, standin: StandIn, clock: StoppedClock, push
    ) -> None:
        lead = HandoffFactory(lead=LeadFactory()).lead
        # The leads' call goes through, the tasks' does not.
        standin.faults.add(Fault("error", "collections", nth=2))

        assert push().is_paused
        sync = LeadSync.objects.get(pk=lead.pk)
        assert (sync.salesforce_id[:3], sync.sending, sync.attempts) == ("00Q", {}, 0)

        clock.forward(minutes=10)
        assert push().pushed == 1
        sent = Exchange.objects.filter(outcome=Exchange.Outcome.CONFIRMED)
        assert sorted(sent.values_list("object_name", flat=True)) == ["Lead", "Task"]


class TestAttempts:
    def test_whose_answer_was_lost_is_known_by_the_next_try(
        self, standin: StandIn, clock: StoppedClock, push, bdr: User
    ) -> None:
        """Salesforce takes the kind of a task only when it is made."""
        handoff = HandoffFactory(lead=LeadFactory(), owner=bdr)
        push()
        Attempt.objects.create(handoff=handoff, by=bdr, at=clock.now, channel="call", outcome="no_answer")
        send_again(LeadSync.objects.all(), now=clock.now)
        # The task of the handoff tells of the attempt, too: it goes before.
        standin.faults.add(Fault("reset_after", "collections", nth=2))
        assert push().is_paused
        [task] = [each for each in standin.store.all(TASK.name) if each["TaskSubtype"] == "Call"]
        assert not AttemptSync.objects.exists()

        Connection.objects.update(paused_until=None)
        push()

        sync = LeadSync.objects.get()
        assert (sync.parked_at, sync.error, sync.send_at) == (None, "", None)
        assert AttemptSync.objects.get().salesforce_id == task["Id"]

    def test_become_completed_tasks_once(
        self, standin: StandIn, clock: StoppedClock, push, bdr: User
    ) -> None:
        handoff = HandoffFactory(lead=LeadFactory(first_name="Ada", last_name="Byron"), owner=bdr)
        attempt = Attempt.objects.create(
            handoff=handoff, by=bdr, at=clock.now, channel="call", outcome="no_answer", note="Try at four"
        )
        push()
        correct(handoff.lead, clock, title="CEO")
        push()

        [task] = [task for task in standin.store.all(TASK.name) if task["Status"] == "Completed"]
        assert task["Subject"] == "Call: no answer (Ada Byron)"
        assert (task["TaskSubtype"], task["Description"]) == ("Call", "Try at four")
        assert AttemptSync.objects.get(attempt=attempt).salesforce_id == task["Id"]


class TestHistory:
    def test_tells_what_was_sent_without_personal_data(
        self, standin: StandIn, clock: StoppedClock, push
    ) -> None:
        """Of a refusal it tells which records stand in the way."""
        lead = LeadFactory(first_name="Ada", last_name="Byron", email="ada@engines.example")
        push()
        push()

        entry = Exchange.objects.get(lead=lead)
        assert (entry.outcome, entry.object_name, entry.at) == ("confirmed", "Lead", clock.now)
        assert entry.fields["LastName"] == "B… (5 letters)"
        assert entry.fields["Portal_Stage__c"] == "lead"
        assert "ada@engines" not in str(entry.fields)

    def test_a_handoff_waits_in_the_first_lane(self, clock: StoppedClock) -> None:
        lead = HandoffFactory(lead=LeadFactory(stage="mql")).lead
        fold_changes(now=clock.now + timedelta(seconds=1))

        assert LeadSync.objects.get(pk=lead.pk).lane == Lane.HANDOFF
