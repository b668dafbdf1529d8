"""Many leads by Bulk API (CRM-4): few calls, nothing lost or doubled; what goes wrong goes by collections."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import User
from crm.bulk import carry_on, lanes_in_bulk
from crm.bulk.files import file_of
from crm.bulk.jobs import LEASE, LONGEST_WAIT, PATIENCE
from crm.bulk.lanes import SPARED_AFTER_FAILURE
from crm.changes import fold_changes, send_again
from crm.claims import claim_waiting, release_forgotten_claims
from crm.client import SalesforceClient
from crm.connection import connection_state
from crm.models import BulkJob, Connection, Lane, LeadSync, TaskSync
from crm.push import push_batch
from crm.standin.faults import Fault
from crm.standin.messages import Reply, Request
from crm.standin.org import Caller
from crm.standin.schema import LEAD, TASK
from crm.standin.server import StandIn
from handoffs.models import Handoff
from leads.models import Lead
from leads.services import correct_lead
from sla.models import Clock, Target
from tests.crm.conftest import CLIENT_ID, CLIENT_SECRET, StoppedClock, client_of
from tests.factories import CompanyFactory, HandoffFactory, LeadFactory
from tests.killing import start_worker, was_killed
from tests.sla.factories import ClockFactory

pytestmark = pytest.mark.django_db

State = BulkJob.State
# More leads than this travel in bulk.
FEW = 3


@pytest.fixture(autouse=True)
def _bulk_from_a_few() -> None:
    connection_state()
    Connection.objects.update(bulk_from=FEW)


def waiting_leads(count: int, clock: StoppedClock, **values: Any) -> list[Lead]:
    company = CompanyFactory()
    leads = [LeadFactory.build(company=company, **values) for _ in range(count)]
    made = Lead.objects.bulk_create(leads)
    fold_changes(now=clock.now)
    return made


def drain(client: SalesforceClient, standin: StandIn, clock: StoppedClock) -> None:
    """Let the bulk tasks run until no job is under way."""
    for _ in range(60):
        while carry_on(client, now=clock.now):
            standin.ingest.runner.finish()
        if not BulkJob.objects.filter(look_at__isnull=False).exists():
            return
        clock.forward(seconds=60)
    raise AssertionError("Jobs are still under way.")


def push_all(client: SalesforceClient, clock: StoppedClock) -> None:
    while push_batch(client, now=clock.now).claimed:
        pass


def records(standin: StandIn, sobject: Any = LEAD) -> dict[str, dict[str, Any]]:
    """By our key; two of one key would be a double."""
    found = standin.store.all(sobject.name)
    key = "Portal_Lead_Id__c" if sobject is LEAD else "Portal_Task_Id__c"
    by_key = {record[key]: record for record in found}
    assert len(by_key) == len(found)
    return by_key


def ended_jobs() -> list[tuple[str, str, str]]:
    return list(BulkJob.objects.order_by("pk").values_list("object_name", "operation", "state"))


class TestLeads:
    def test_many_waiting_leads_arrive_in_one_job(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
    ) -> None:
        leads = waiting_leads(FEW + 1, clock, last_name="Byron")

        drain(client_of_salesforce, standin, clock)

        arrived = records(standin)
        assert set(arrived) == {str(lead.public_id) for lead in leads}
        for sync in LeadSync.objects.select_related("lead"):
            assert sync.salesforce_id == arrived[str(sync.lead.public_id)]["Id"]
            assert sync.acknowledged["LastName"] == "Byron"
            assert (sync.send_at, sync.job, sync.in_flight_since, sync.sending) == (None, None, None, {})
            assert sync.acknowledged_at is not None
        job = BulkJob.objects.get(operation="upsert")
        assert (job.state, job.rows, job.processed, job.refused) == (State.DONE, FEW + 1, FEW + 1, 0)
        assert standin.usage.used <= 6

    def test_few_leads_are_left_to_collections(
        self, client_of_salesforce: SalesforceClient, clock: StoppedClock
    ) -> None:
        waiting_leads(FEW, clock)

        assert lanes_in_bulk(now=clock.now) == set()
        assert not carry_on(client_of_salesforce, now=clock.now)

    def test_few_handoffs_go_ahead_by_collections(self, clock: StoppedClock) -> None:
        waiting_leads(FEW + 1, clock)
        waiting_leads(FEW, clock, stage=Lead.Stage.MQL)

        assert lanes_in_bulk(now=clock.now) == {Lane.LATER}

    def test_known_records_are_updated_by_their_id_and_never_made_anew(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
    ) -> None:
        """Deleted there by somebody, it must not come back by itself."""
        leads = waiting_leads(FEW + 2, clock)
        drain(client_of_salesforce, standin, clock)
        deleted = records(standin)[str(leads[0].public_id)]
        standin.org.delete(LEAD, deleted["Id"], caller=Caller(standin.org.sales_user_id))
        Lead.objects.update(campaign="Spring", revision=1)
        fold_changes(now=clock.now)

        drain(client_of_salesforce, standin, clock)

        assert len(records(standin)) == FEW + 1
        assert {record["Portal_Campaign__c"] for record in records(standin).values()} == {"Spring"}
        assert LeadSync.objects.get(pk=leads[0].pk).error_code == "ENTITY_IS_DELETED"

    def test_what_reps_may_have_changed_is_left_to_collections(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
    ) -> None:
        waiting_leads(FEW + 1, clock)
        drain(client_of_salesforce, standin, clock)
        Lead.objects.update(title="Countess", revision=1)
        fold_changes(now=clock.now)

        drain(client_of_salesforce, standin, clock)

        assert {record["Title"] for record in records(standin).values()} != {"Countess"}
        push_all(client_of_salesforce, clock)
        assert {record["Title"] for record in records(standin).values()} == {"Countess"}

    def test_not_even_after_a_worker_was_killed_while_sorting_leads_out(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
    ) -> None:
        leads = waiting_leads(FEW + 1, clock)
        drain(client_of_salesforce, standin, clock)
        for lead in leads:
            correct_lead(lead, changes={"phone": "+44 1"}, by=None, at=clock.now, via="test")
        fold_changes(now=clock.now)
        job = BulkJob.objects.create(
            object_name="Lead", operation="update", state=State.OPENING, created_at=clock.now
        )
        assert len(claim_waiting(now=clock.now, job=job)) == FEW + 1

        with file_of(job, now=clock.now) as written:
            assert written.rows == 0

        assert LeadSync.objects.claimable(clock.now).count() == FEW + 1

    def test_nothing_to_tell_costs_no_call(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
    ) -> None:
        waiting_leads(FEW + 1, clock)
        drain(client_of_salesforce, standin, clock)
        used = standin.usage.used
        send_again(LeadSync.objects.all(), now=clock.now)
        fold_changes(now=clock.now)

        drain(client_of_salesforce, standin, clock)

        assert standin.usage.used == used
        assert not LeadSync.objects.stale().exists()

    def test_a_change_on_the_way_is_sent_afterwards(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
    ) -> None:
        lead, *_ = waiting_leads(FEW + 1, clock)
        standin.ingest.runner.hold()
        while not BulkJob.objects.filter(state=State.UPLOADED).exists():
            carry_on(client_of_salesforce, now=clock.now)
        correct_lead(lead, changes={"title": "Countess"}, by=None, at=clock.now, via="test")
        fold_changes(now=clock.now)
        assert LeadSync.objects.get(pk=lead.pk).in_flight_since

        drain(client_of_salesforce, standin, clock)
        push_all(client_of_salesforce, clock)

        assert records(standin)[str(lead.public_id)]["Title"] == "Countess"

    def test_a_value_that_means_nothing_in_a_file_goes_by_collections(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
    ) -> None:
        leads = waiting_leads(FEW + 2, clock)
        Lead.objects.filter(pk=leads[0].pk).update(last_name="#N/A")

        drain(client_of_salesforce, standin, clock)
        assert len(records(standin)) == FEW + 1
        push_all(client_of_salesforce, clock)

        assert records(standin)[str(leads[0].public_id)]["LastName"] == "#N/A"


class TestTasks:
    def handed_off(self, count: int, clock: StoppedClock, owner: User) -> list[Handoff]:
        leads = waiting_leads(count, clock, stage=Lead.Stage.SAL, owner=owner)
        return [HandoffFactory(lead=lead, owner=owner) for lead in leads]

    def test_many_tasks_follow_their_leads_in_a_job_of_their_own(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, bdr: User
    ) -> None:
        handoffs = self.handed_off(FEW + 1, clock, bdr)

        drain(client_of_salesforce, standin, clock)

        assert ended_jobs()[0] == ("Lead", "upsert", "done")
        assert ended_jobs()[-1] == ("Task", "upsert", "done")
        assert set(records(standin, TASK)) == {str(handoff.public_id) for handoff in handoffs}
        assert TaskSync.objects.exclude(salesforce_id="").count() == FEW + 1
        assert not LeadSync.objects.stale().exists()

    def test_few_tasks_go_by_collections(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, bdr: User
    ) -> None:
        waiting_leads(FEW, clock, stage=Lead.Stage.SAL)
        [handoff] = self.handed_off(1, clock, bdr)

        drain(client_of_salesforce, standin, clock)
        assert records(standin, TASK) == {}
        push_all(client_of_salesforce, clock)

        assert set(records(standin, TASK)) == {str(handoff.public_id)}
        assert not LeadSync.objects.stale().exists()

    def test_the_transfer_clock_runs_until_the_task_has_arrived(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, bdr: User
    ) -> None:
        handoffs = self.handed_off(FEW + 1, clock, bdr)
        running = ClockFactory(
            lead=handoffs[0].lead, handoff_id=handoffs[0].pk, kind=Target.Kind.CRM_TRANSFER
        )
        while not BulkJob.objects.filter(object_name="Task").exists():
            clock.forward(seconds=5)
            carry_on(client_of_salesforce, now=clock.now)
            standin.ingest.runner.finish()
        running.refresh_from_db()
        assert running.outcome == Clock.Outcome.RUNNING

        drain(client_of_salesforce, standin, clock)

        running.refresh_from_db()
        assert running.outcome == Clock.Outcome.DONE


class TestTrouble:
    def test_a_refused_lead_is_parked_and_holds_nobody_up(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
    ) -> None:
        good = waiting_leads(FEW, clock)
        [bad] = waiting_leads(1, clock, email="nobody")

        drain(client_of_salesforce, standin, clock)

        sync = LeadSync.objects.get(pk=bad.pk)
        assert (sync.error_code, sync.parked_at) == ("INVALID_EMAIL_ADDRESS", clock.now)
        assert set(records(standin)) == {str(lead.public_id) for lead in good}

    @pytest.mark.parametrize("code", ["UNABLE_TO_LOCK_ROW", "DUPLICATES_DETECTED"])
    def test_a_row_that_can_be_told_better_is_tried_by_collections(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, code: str
    ) -> None:
        leads = waiting_leads(FEW + 1, clock)
        unlucky = str(leads[0].public_id)
        standin.faults.add(Fault("row", operation="ingest_batch", code=code, message="busy", key=unlucky))

        drain(client_of_salesforce, standin, clock)
        assert unlucky not in records(standin)
        clock.forward(minutes=5)
        push_all(client_of_salesforce, clock)

        assert len(records(standin)) == FEW + 1

    def test_a_job_that_fails_leaves_its_leads_to_collections(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
    ) -> None:
        waiting_leads(FEW + 2, clock)
        standin.ingest.runner.batch_rows = 2
        standin.faults.add(Fault("error", operation="ingest_batch", nth=2, message="Too many retries"))

        drain(client_of_salesforce, standin, clock)

        job = BulkJob.objects.get(operation="upsert")
        assert job.state == State.FAILED
        assert "Too many retries" in job.error
        assert LeadSync.objects.stale().count() == FEW
        # It is not tried again at once.
        waiting_leads(FEW + 1, clock)
        assert lanes_in_bulk(now=clock.now) == set()
        assert lanes_in_bulk(now=clock.now + SPARED_AFTER_FAILURE) == {Lane.LATER}
        push_all(client_of_salesforce, clock)
        assert len(records(standin)) == FEW + 2 + FEW + 1

    def test_a_job_that_is_not_there_any_more_is_given_up(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
    ) -> None:
        waiting_leads(FEW + 1, clock)
        standin.ingest.runner.hold()
        while not BulkJob.objects.filter(state=State.UPLOADED).exists():
            carry_on(client_of_salesforce, now=clock.now)
        job = BulkJob.objects.get(state=State.UPLOADED)
        client_of_salesforce.abort_job(job.salesforce_id)
        standin.ingest.runner.finish()
        standin.ingest.shelf.remove(job.salesforce_id)

        drain(client_of_salesforce, standin, clock)

        job.refresh_from_db()
        assert job.state == State.FAILED
        push_all(client_of_salesforce, clock)
        assert len(records(standin)) == FEW + 1

    def test_a_job_that_salesforce_does_not_come_to_is_aborted(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
    ) -> None:
        """Its leads could not tell of an acceptance as long as they travel."""
        waiting_leads(FEW + 1, clock)
        standin.ingest.runner.hold()
        while not BulkJob.objects.filter(state=State.UPLOADED).exists():
            carry_on(client_of_salesforce, now=clock.now)

        for _ in range(3):
            clock.forward(seconds=(PATIENCE + LONGEST_WAIT).total_seconds() / 2)
            carry_on(client_of_salesforce, now=clock.now)

        assert BulkJob.objects.get().state == State.FAILED
        push_all(client_of_salesforce, clock)
        assert len(records(standin)) == FEW + 1
        standin.ingest.runner.finish()
        assert len(records(standin)) == FEW + 1

    def test_an_outage_pauses_everything_and_loses_no_job(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
    ) -> None:
        waiting_leads(FEW + 1, clock)
        standin.faults.add(Fault("html", operation="ingest", times=6))

        for _ in range(8):
            carry_on(client_of_salesforce, now=clock.now)
        assert Connection.objects.get().paused_until is not None
        clock.forward(minutes=10)
        for _ in range(30):
            clock.forward(minutes=10)
            carry_on(client_of_salesforce, now=clock.now)
        standin.ingest.runner.finish()
        drain(client_of_salesforce, standin, clock)
        push_all(client_of_salesforce, clock)

        assert len(records(standin)) == FEW + 1
        assert not LeadSync.objects.stale().exists()

    def test_claims_of_a_job_are_never_forgotten_ones(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
    ) -> None:
        waiting_leads(FEW + 1, clock)
        standin.ingest.runner.hold()
        while not BulkJob.objects.filter(state=State.UPLOADED).exists():
            carry_on(client_of_salesforce, now=clock.now)

        assert release_forgotten_claims(now=clock.now + timedelta(hours=6)) == 0
        assert not push_batch(client_of_salesforce, now=clock.now + timedelta(hours=6)).claimed


class Assassin(StandIn):
    """Kills the worker at one point of the conversation, the first time it gets there."""

    kills_at: tuple[str, str, str] = ("", "", "")
    victim = 0

    def answer(self, request: Request) -> Reply:
        self._reach("before", request)
        reply = super().answer(request)
        self._reach("after", request)
        return reply

    def _reach(self, when: str, request: Request) -> None:
        last = request.path.rstrip("/").rpartition("/")[2]
        name = "job" if last.startswith("750") else last
        if self.victim and self.kills_at == (when, request.method, name):
            os.kill(self.victim, signal.SIGKILL)
            self.victim = 0


@pytest.fixture
def assassin(clock: StoppedClock) -> Iterator[Assassin]:
    with Assassin(client_id=CLIENT_ID, client_secret=CLIENT_SECRET, clock=clock) as standin:
        yield standin


CARRY_ON = """
from datetime import timedelta
from crm.bulk import carry_on
from crm.client import connected_client
now = datetime.fromisoformat('{now}')
while True:
    while carry_on(connected_client(), now=now):
        pass
    now += timedelta(seconds=5)
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "kills_at",
    [
        ("after", "PUT", "batches"),
        ("after", "PATCH", "job"),
        ("before", "GET", "successfulResults"),
    ],
    ids=["with its file", "on its way", "processed"],
)
def test_a_worker_killed_at_any_step_loses_and_doubles_nothing(
    assassin: Assassin, clock: StoppedClock, kills_at: tuple[str, str, str]
) -> None:
    leads = waiting_leads(FEW + 3, clock)
    environment = {
        "SALESFORCE_URL": assassin.base_url,
        "SALESFORCE_CLIENT_ID": CLIENT_ID,
        "SALESFORCE_CLIENT_SECRET": CLIENT_SECRET,
    }
    worker = start_worker(CARRY_ON.format(now=clock.now.isoformat()), environment)
    assassin.kills_at, assassin.victim = kills_at, worker.pid
    assert was_killed(worker)
    assert not LeadSync.objects.filter(send_at=None).exists()

    clock.forward(minutes=60)
    clock.now += LEASE
    client = client_of(assassin)
    drain(client, assassin, clock)

    arrived = records(assassin)
    assert set(arrived) == {str(lead.public_id) for lead in leads}
    assert not LeadSync.objects.stale().exists()
    assert all(sync.salesforce_id for sync in LeadSync.objects.all())
