"""The push, against a stand-in over HTTP: nothing lost, nothing doubled, one bad row holds nobody up."""

from datetime import timedelta

import pytest

from accounts.models import User
from crm.changes import fold_changes, send_again
from crm.claims import CLAIM_EXPIRES, MAX_ATTEMPTS, claim_waiting, release_forgotten_claims
from crm.client import SalesforceClient
from crm.models import Connection, LeadSync, TaskSync
from crm.outcomes import Outcome, record_outcomes
from crm.owners import map_owner, map_owners_by_email
from crm.parked import NotParked, retry_all, retry_push
from crm.push import PushResult, push_batch
from crm.standin.faults import Fault
from crm.standin.org import Caller
from crm.standin.schema import LEAD, TASK, USER
from crm.standin.server import StandIn
from handoffs.escalation import escalate_due_clocks
from handoffs.models import Handoff
from handoffs.services import withdraw_handoff
from leads.models import Lead, LeadEvent
from leads.services import correct_lead, log_event, move_stage
from notifications.models import Notification
from sla.models import Clock
from sla.services import stop_clock
from sla.sweep import sweep_clocks
from tests.crm.conftest import StoppedClock
from tests.factories import CompanyFactory, HandoffFactory, LeadFactory
from tests.sla.factories import ClockFactory, ladder

pytestmark = pytest.mark.django_db


def changed_lead(clock: StoppedClock, **values: object) -> Lead:
    """A lead with something in its log, which is what makes it stale."""
    lead = LeadFactory(**values)
    log_event(lead, LeadEvent.Kind.CREATED, at=clock.now)
    fold_changes(now=clock.now)
    return lead


def waiting_leads(count: int, clock: StoppedClock) -> list[Lead]:
    company = CompanyFactory()
    leads = Lead.objects.bulk_create([LeadFactory.build(company=company) for _ in range(count)])
    fold_changes(now=clock.now)
    return leads


def push(client: SalesforceClient, clock: StoppedClock) -> PushResult:
    fold_changes(now=clock.now)
    return push_batch(client, now=clock.now)


def remote_leads(standin: StandIn) -> list[dict]:
    return standin.store.all(LEAD.name)


def collections_calls(standin: StandIn) -> int:
    return sum(call.operation == "collections" for call in standin.traffic)


class TestLead:
    def test_a_changed_lead_arrives_once_with_its_facts(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
    ) -> None:
        lead = changed_lead(clock, first_name="Ada", last_name="Byron")

        assert push(client_of_salesforce, clock) == PushResult(pushed=1)
        assert push(client_of_salesforce, clock) == PushResult()

        [remote] = remote_leads(standin)
        assert remote["Portal_Lead_Id__c"] == str(lead.public_id)
        assert (remote["Name"], remote["Company"]) == ("Ada Byron", lead.company.name)
        assert remote["Portal_URL__c"].endswith(f"/leads/{lead.pk}/")
        assert LeadSync.objects.get(pk=lead.pk).salesforce_id == remote["Id"]

    def test_ten_changes_are_one_upsert_of_the_present_state(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
    ) -> None:
        lead = changed_lead(clock)
        for number in range(10):
            correct_lead(lead, changes={"title": f"Title {number}"}, by=None, at=clock.now, via="test")

        push(client_of_salesforce, clock)

        assert collections_calls(standin) == 1
        assert remote_leads(standin)[0]["Title"] == "Title 9"

    def test_two_hundred_leads_are_one_call(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
    ) -> None:
        waiting_leads(201, clock)

        assert push(client_of_salesforce, clock).pushed == 201
        assert collections_calls(standin) == 2
        assert len(remote_leads(standin)) == 201

    def test_a_batch_that_takes_too_long_goes_on_with_the_next_one(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, monkeypatch
    ) -> None:
        """Or a slow org would have every worker killed in the middle of it."""
        monkeypatch.setattr("crm.push.ROWS_PER_CALL", 2)
        monkeypatch.setattr("crm.push.SECONDS_PER_BATCH", 0.0)
        waiting_leads(3, clock)

        assert push(client_of_salesforce, clock) == PushResult(waiting=3)
        assert len(remote_leads(standin)) == 2
        assert push(client_of_salesforce, clock) == PushResult(pushed=3)
        assert len(remote_leads(standin)) == 3
        assert not LeadSync.objects.exclude(attempts=0).exists()

    def test_what_both_may_change_is_read_in_one_call_and_a_deleted_record_is_found_out(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
    ) -> None:
        leads = waiting_leads(3, clock)
        push(client_of_salesforce, clock)
        deleted = LeadSync.objects.get(pk=leads[0].pk).salesforce_id
        standin.org.delete(LEAD, deleted, caller=Caller(standin.org.sales_user_id))
        Lead.objects.update(title="Countess", revision=1)

        push(client_of_salesforce, clock)

        assert [record["Title"] for record in remote_leads(standin)] == ["Countess", "Countess"]
        assert LeadSync.objects.get(pk=leads[0].pk).error_code == "ENTITY_IS_DELETED"
        assert standin.traffic[-1].operation == "query"
        # One creates them, one reads them and one updates them.
        assert collections_calls(standin) == 3

    def test_a_change_that_salesforce_need_not_know_costs_no_call(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
    ) -> None:
        lead = changed_lead(clock)
        push(client_of_salesforce, clock)
        log_event(lead, LeadEvent.Kind.OPENED, at=clock.now)

        assert push(client_of_salesforce, clock).pushed == 1
        assert collections_calls(standin) == 1
        assert not LeadSync.objects.stale().exists()

    def test_what_a_rep_changed_there_is_not_overwritten(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
    ) -> None:
        lead = changed_lead(clock, title="VP", phone="1")
        push(client_of_salesforce, clock)
        [remote] = remote_leads(standin)
        rep = Caller(standin.org.sales_user_id, auto_assign=False)
        standin.org.update(LEAD, remote["Id"], {"Title": "CEO", "OwnerId": rep.user_id}, caller=rep)

        correct_lead(lead, changes={"phone": "2"}, by=None, at=clock.now, via="test")
        push(client_of_salesforce, clock)

        [remote] = remote_leads(standin)
        assert (remote["Title"], remote["Phone"], remote["OwnerId"]) == ("CEO", "2", rep.user_id)

    def test_a_field_hidden_there_holds_up_no_other_lead(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
    ) -> None:
        lead = changed_lead(clock)
        push(client_of_salesforce, clock)
        standin.org.change_setup(hidden_fields=("Lead.Industry",))

        correct_lead(lead, changes={"title": "Head of Sales"}, by=None, at=clock.now, via="test")
        result = push(client_of_salesforce, clock)

        assert result == PushResult(pushed=1)
        assert remote_leads(standin)[0]["Title"] == "Head of Sales"

    def test_a_change_committed_after_the_push_read_the_lead_is_still_sent(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
    ) -> None:
        lead = changed_lead(clock)
        [claim] = claim_waiting(now=clock.now)
        # Its time is before the push; a comparison of times would miss it for ever.
        correct_lead(
            lead, changes={"title": "Late"}, by=None, at=clock.now - timedelta(minutes=1), via="test"
        )
        LeadSync.objects.filter(pk=claim.sync.pk).update(in_flight_since=None)

        push(client_of_salesforce, clock)

        assert remote_leads(standin)[0]["Title"] == "Late"


class TestHandoff:
    def test_becomes_a_task_of_its_rep_and_stops_the_transfer_clock(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, bdr: User
    ) -> None:
        mara = standin.org.add_user("Mara", "Lind", "mara@portal.example")
        map_owner(bdr, salesforce_user_id=mara, now=clock.now)
        lead = changed_lead(clock, stage=Lead.Stage.MQL, owner=bdr, first_name="Ada", last_name="Byron")
        handoff = HandoffFactory(lead=lead, owner=bdr, category="A")
        transfer, decision = (
            Clock.objects.create(
                lead=lead,
                handoff_id=handoff.pk,
                kind=kind,
                owner=bdr,
                policy_name="classic",
                mode="wall",
                minutes=minutes,
                started_at=clock.now,
                due_at=clock.now + timedelta(minutes=minutes),
            )
            for kind, minutes in (("crm_transfer", 5), ("decision", 60))
        )
        clock.forward(minutes=1)

        push(client_of_salesforce, clock)

        [remote], [task] = remote_leads(standin), standin.store.all(TASK.name)
        assert (remote["OwnerId"], task["OwnerId"]) == (mara, mara)
        assert (task["WhoId"], task["Portal_Task_Id__c"]) == (remote["Id"], str(handoff.public_id))
        assert task["Subject"].startswith("Contact Ada Byron")
        assert task["ActivityDate"] == "2026-03-03"
        assert (remote["Portal_Handoff_Status__c"], remote["Status"]) == ("offered", "Open - Not Contacted")
        transfer.refresh_from_db()
        decision.refresh_from_db()
        assert (transfer.outcome, transfer.stopped_at) == (Clock.Outcome.DONE, clock.now)
        assert decision.outcome == Clock.Outcome.RUNNING

    def test_a_decision_updates_lead_and_task_in_place(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, bdr: User
    ) -> None:
        lead = changed_lead(clock, stage=Lead.Stage.MQL)
        handoff = HandoffFactory(lead=lead, owner=bdr)
        push(client_of_salesforce, clock)

        Handoff.objects.filter(pk=handoff.pk).update(
            status=Handoff.Status.ACCEPTED, accepted_by=bdr, accepted_at=clock.now
        )
        move_stage(lead, to=Lead.Stage.SAL, at=clock.now)
        push(client_of_salesforce, clock)

        [remote], [task] = remote_leads(standin), standin.store.all(TASK.name)
        assert (remote["Status"], remote["Portal_Accepted_At__c"]) == (
            "Working - Contacted",
            "2026-03-03T12:00:00.000+0000",
        )
        assert task["Status"] == "In Progress"

    def test_a_step_of_escalation_shows_in_the_task_until_the_handoff_is_closed(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, manager: User
    ) -> None:
        """SLA-5."""
        handoff = HandoffFactory(lead=changed_lead(clock))
        ClockFactory(
            lead=handoff.lead, handoff_id=handoff.pk, owner=handoff.owner, policy_version=ladder("flag_crm@0")
        )
        push(client_of_salesforce, clock)

        clock.forward(minutes=61)
        sweep_clocks(now=clock.now)
        escalate_due_clocks(now=clock.now)
        push(client_of_salesforce, clock)
        [flagged] = standin.store.all(TASK.name)
        handoff.refresh_from_db()
        withdraw_handoff(handoff, by=manager, now=clock.now, reason="Late enough")
        push(client_of_salesforce, clock)
        [closed] = standin.store.all(TASK.name)

        assert (flagged["Priority"], flagged["Subject"][:9]) == ("High", "Overdue: ")
        assert (closed["Priority"], closed["Subject"][:8]) == ("Normal", "Contact ")

    def test_a_task_is_overdue_for_as_long_as_something_is(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
    ) -> None:
        """SLA-5."""
        handoff = HandoffFactory(lead=changed_lead(clock))
        missed = ClockFactory(
            lead=handoff.lead, handoff_id=handoff.pk, owner=handoff.owner, policy_version=ladder("flag_crm@0")
        )
        clock.forward(minutes=61)
        sweep_clocks(now=clock.now)
        escalate_due_clocks(now=clock.now)
        push(client_of_salesforce, clock)
        [flagged] = standin.store.all(TASK.name)

        stop_clock(handoff.lead, handoff_id=handoff.pk, kind=missed.kind, at=clock.now)
        push(client_of_salesforce, clock)
        [done] = standin.store.all(TASK.name)

        assert (flagged["Priority"], done["Priority"]) == ("High", "Normal")
        assert done["Status"] == "Not Started"

    def test_a_refused_task_waits_while_its_lead_is_confirmed(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
    ) -> None:
        handoff = HandoffFactory(lead=changed_lead(clock))
        standin.faults.add(
            Fault("row", "collections", nth=2, code="UNABLE_TO_LOCK_ROW", key=str(handoff.public_id))
        )

        assert push(client_of_salesforce, clock).waiting == 1
        assert standin.store.all(TASK.name) == []
        clock.forward(minutes=5)
        assert push(client_of_salesforce, clock).pushed == 1

        assert len(remote_leads(standin)) == len(standin.store.all(TASK.name)) == 1
        assert TaskSync.objects.get().salesforce_id.startswith("00T")


class TestFailures:
    def test_a_connection_cut_after_the_commit_doubles_nothing(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
    ) -> None:
        HandoffFactory(lead=changed_lead(clock))
        standin.faults.add(Fault("reset_after", "collections", times=2))

        for _ in range(4):
            push(client_of_salesforce, clock)
            clock.forward(minutes=10)

        assert len(remote_leads(standin)) == len(standin.store.all(TASK.name)) == 1
        assert not LeadSync.objects.stale().exists()

    def test_one_bad_row_is_parked_alone_with_what_to_do(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, operator: User
    ) -> None:
        good, bad, other = (
            changed_lead(clock),
            changed_lead(clock, email=f"{'x' * 80}@company.example"),
            changed_lead(clock),
        )

        assert push(client_of_salesforce, clock) == PushResult(pushed=2, parked=1)

        sync = LeadSync.objects.get(pk=bad.pk)
        assert sync.parked_at == clock.now
        assert sync.error == "Longer than Salesforce takes: e-mail address. Shorten it, then send again."
        assert {lead["Portal_Lead_Id__c"] for lead in remote_leads(standin)} == {
            str(good.public_id),
            str(other.public_id),
        }
        told = Notification.objects.get(recipient=operator)
        assert told.body == sync.error

    def test_a_parked_lead_goes_again_when_its_cause_is_mended(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, operator: User
    ) -> None:
        lead = changed_lead(clock, phone="1" * 40)
        Lead.objects.filter(pk=lead.pk).update(email=f"{'x' * 80}@company.example")
        push(client_of_salesforce, clock)
        Lead.objects.filter(pk=lead.pk).update(email="ada@engines.example")
        assert push(client_of_salesforce, clock) == PushResult()

        retry_push(LeadSync.objects.get(pk=lead.pk), by=operator, now=clock.now)

        assert push(client_of_salesforce, clock).pushed == 1
        assert LeadSync.objects.get(pk=lead.pk).error == ""
        with pytest.raises(NotParked):
            retry_push(LeadSync.objects.get(pk=lead.pk), by=operator, now=clock.now)

    def test_a_whole_cause_is_retried_at_once(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, operator: User
    ) -> None:
        standin.faults.add(Fault("row", "collections", code="INACTIVE_OWNER_OR_USER", message="inactive"))
        changed_lead(clock)
        changed_lead(clock)
        assert push(client_of_salesforce, clock).parked == 2

        assert retry_all("SOMETHING_ELSE", by=operator, now=clock.now) == 0
        assert retry_all("INACTIVE_OWNER_OR_USER", by=operator, now=clock.now) == 2
        assert push(client_of_salesforce, clock).pushed == 2

    def test_a_row_that_spoils_its_call_is_found_and_parked_alone(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
    ) -> None:
        leads = [changed_lead(clock) for _ in range(8)]
        spoiler = str(leads[5].public_id)
        standin.faults.add(
            Fault("row", "collections", times=9, status=400, code="JSON_PARSER_ERROR", key=spoiler)
        )

        assert push(client_of_salesforce, clock) == PushResult(pushed=7, parked=1)
        assert spoiler not in {lead["Portal_Lead_Id__c"] for lead in remote_leads(standin)}

    def test_a_locked_row_is_tried_again_later_and_later_then_parked(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
    ) -> None:
        lead = changed_lead(clock)
        standin.faults.add(Fault("row", "collections", times=99, code="UNABLE_TO_LOCK_ROW"))
        waits = []

        for _ in range(MAX_ATTEMPTS):
            push(client_of_salesforce, clock)
            sync = LeadSync.objects.get(pk=lead.pk)
            if sync.parked_at is None:
                waits.append(sync.send_at - clock.now)
                assert push(client_of_salesforce, clock) == PushResult()
                clock.now = sync.send_at

        assert sync.parked_at is not None
        assert sync.error == "The record was busy in Salesforce."
        assert waits[0] < timedelta(seconds=16)
        assert waits[-1] > timedelta(minutes=7)

    def test_an_outage_is_nobody_s_attempt_and_everything_arrives_after_it(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
    ) -> None:
        lead = changed_lead(clock)
        standin.faults.add(Fault("html", "any", times=20))

        for _ in range(10):
            push(client_of_salesforce, clock)
            clock.forward(minutes=6)
        assert LeadSync.objects.get(pk=lead.pk).attempts == 0
        standin.faults.clear()

        assert push(client_of_salesforce, clock).pushed == 1
        assert Connection.objects.get().error == ""

    def test_a_spent_allocation_parks_the_queue_not_the_leads(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, operator: User
    ) -> None:
        changed_lead(clock)
        standin.usage.daily_limit = 0

        assert push(client_of_salesforce, clock).is_paused
        calls = len(standin.traffic)
        clock.forward(minutes=14)
        assert push(client_of_salesforce, clock).is_paused
        assert len(standin.traffic) == calls
        assert Notification.objects.get(recipient=operator).title == "Salesforce: nothing goes through"

        standin.usage.daily_limit = 100
        clock.forward(minutes=2)
        assert push(client_of_salesforce, clock).pushed == 1
        assert Connection.objects.get().calls_allowed == 100

    def test_a_record_deleted_there_waits_for_a_person_and_is_never_made_anew_by_itself(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
    ) -> None:
        lead = changed_lead(clock, title="VP")
        push(client_of_salesforce, clock)
        rep = Caller(standin.org.sales_user_id)
        standin.org.delete(LEAD, remote_leads(standin)[0]["Id"], caller=rep)
        correct_lead(lead, changes={"phone": "2"}, by=None, at=clock.now, via="test")

        push(client_of_salesforce, clock)
        push(client_of_salesforce, clock)

        assert remote_leads(standin) == []
        sync = LeadSync.objects.get(pk=lead.pk)
        assert (sync.removed_at, sync.parked_at) == (clock.now, clock.now)
        assert sync.error.startswith("The record was deleted")

    def test_a_session_that_expires_midway_keeps_owners_ours(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, bdr: User
    ) -> None:
        mara = standin.org.add_user("Mara", "Lind", "mara@portal.example")
        map_owner(bdr, salesforce_user_id=mara, now=clock.now)
        HandoffFactory(lead=changed_lead(clock, owner=bdr), owner=bdr)
        push(client_of_salesforce, clock)
        lead = Lead.objects.get()
        standin.faults.add(Fault("expire", "collections"))

        correct_lead(lead, changes={"title": "CEO"}, by=None, at=clock.now, via="test")
        push(client_of_salesforce, clock)

        [remote] = remote_leads(standin)
        assert (remote["Title"], remote["OwnerId"]) == ("CEO", mara)


class TestCrash:
    @pytest.fixture
    def crashed(self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock) -> Lead:
        """A worker that died between the call and its record."""
        lead = changed_lead(clock)
        [claim] = claim_waiting(now=clock.now)
        row = {"Portal_Lead_Id__c": claim.record.facts.public_id, **claim.changes}
        client_of_salesforce.upsert_rows("Lead", key="Portal_Lead_Id__c", rows=[row])
        return lead

    def test_the_claim_is_released_and_the_lead_sent_again_onto_itself(
        self, crashed: Lead, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
    ) -> None:
        assert push(client_of_salesforce, clock) == PushResult()
        assert release_forgotten_claims(now=clock.now) == 0

        clock.forward(seconds=CLAIM_EXPIRES.total_seconds() + 1)
        assert release_forgotten_claims(now=clock.now) == 1
        assert push(client_of_salesforce, clock).pushed == 1

        assert len(remote_leads(standin)) == 1

    def test_what_kills_its_worker_every_time_is_parked_and_takes_nobody_along(
        self, client_of_salesforce: SalesforceClient, clock: StoppedClock
    ) -> None:
        poison, bystander = changed_lead(clock), changed_lead(clock)
        for attempt in range(MAX_ATTEMPTS):
            claims = claim_waiting(now=clock.now)
            if attempt >= 3:
                assert [claim.sync.lead_id for claim in claims] == [poison.pk]
            clock.forward(seconds=CLAIM_EXPIRES.total_seconds() + 1)
            release_forgotten_claims(now=clock.now)
            if attempt == 2:
                # Alone from now on; the other one goes through meanwhile.
                LeadSync.objects.filter(pk=bystander.pk).update(attempts=0)
                LeadSync.objects.filter(pk=poison.pk).update(send_at=clock.now + timedelta(seconds=1))
                assert push(client_of_salesforce, clock).pushed == 1
                clock.forward(seconds=1)

        sync = LeadSync.objects.get(pk=poison.pk)
        assert (sync.parked_at, sync.in_flight_since) == (clock.now, None)
        assert sync.error.startswith("The worker stopped 8 times")


class TestOwners:
    def test_people_are_found_by_their_address_and_their_leads_sent_with_them(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, bdr: User
    ) -> None:
        changed_lead(clock, owner=bdr)
        push(client_of_salesforce, clock)
        mara = standin.org.add_user("Mara", "Lind", "MARA@portal.example")

        assert map_owners_by_email(client_of_salesforce, now=clock.now) == 1
        assert map_owners_by_email(client_of_salesforce, now=clock.now) == 0
        push(client_of_salesforce, clock)

        assert remote_leads(standin)[0]["OwnerId"] == mara

    def test_a_shared_address_is_nobody_s(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, bdr: User
    ) -> None:
        for username in ("one@standin.example", "two@standin.example"):
            user_id = standin.org.add_user("Mara", "Lind", username)
            caller = Caller(standin.org.sales_user_id)
            standin.org.update(USER, user_id, {"Email": bdr.email}, caller=caller)

        assert map_owners_by_email(client_of_salesforce, now=clock.now) == 0

    def test_a_mapping_changed_while_a_lead_is_on_its_way_is_not_forgotten(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
    ) -> None:
        lead = changed_lead(clock)
        push(client_of_salesforce, clock)
        send_again(LeadSync.objects.filter(pk=lead.pk), now=clock.now)
        fold_changes(now=clock.now)
        [claim] = claim_waiting(now=clock.now)
        send_again(LeadSync.objects.filter(pk=lead.pk), now=clock.now)
        fold_changes(now=clock.now)
        record_outcomes([Outcome(claim)], now=clock.now, answered_at=clock.now)

        assert LeadSync.objects.claimable(clock.now).filter(pk=lead.pk).exists()
