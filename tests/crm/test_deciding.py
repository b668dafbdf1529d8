"""What a person decides about a lead that Salesforce did not take, against a real stand-in."""

from datetime import datetime

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from crm.changes import fold_changes
from crm.claims import claim_waiting
from crm.client import RowResult, SalesforceClient
from crm.comparing import SAME, TAKEN, compare_lead
from crm.deciding import CannotAdopt, adopt_record, find_matches, leave_removed, make_anew, send_now
from crm.models import Exchange, LeadSync
from crm.outcomes import Outcome, record_outcomes
from crm.parked import NotParked
from crm.problems import sort_problem
from crm.push import push_batch
from crm.standin.org import Caller
from crm.standin.schema import LEAD
from crm.standin.server import StandIn
from leads.models import Lead, LeadEvent
from leads.services import correct_lead, log_event
from tests.crm.conftest import CLIENT_ID, CLIENT_SECRET, StoppedClock
from tests.factories import LeadFactory

pytestmark = pytest.mark.django_db


def push(client: SalesforceClient, now: datetime) -> None:
    fold_changes(now=now)
    push_batch(client, now=now)


@pytest.fixture
def rep(standin: StandIn) -> Caller:
    return Caller(standin.org.sales_user_id)


@pytest.fixture
def parked(clock: StoppedClock) -> LeadSync:
    """A lead that a duplicate rule blocked."""
    lead = LeadFactory(email="ada@acme.example", first_name="Ada", last_name="Byron", phone="+44 1")
    return LeadSync.objects.create(lead=lead, parked_at=clock.now, error_code="DUPLICATES_DETECTED")


@pytest.fixture
def known(client_of_salesforce: SalesforceClient, clock: StoppedClock) -> LeadSync:
    """A lead that Salesforce knows."""
    lead = LeadFactory(phone="+44 1", stage=Lead.Stage.MQL)
    log_event(lead, LeadEvent.Kind.CREATED, at=clock.now)
    push(client_of_salesforce, clock.now)
    return LeadSync.objects.get(lead=lead)


class TestAdopting:
    def test_the_record_stands_for_the_lead_and_keeps_what_reps_entered(
        self,
        parked: LeadSync,
        client_of_salesforce: SalesforceClient,
        standin: StandIn,
        rep: Caller,
        clock: StoppedClock,
        operator: User,
    ) -> None:
        values = {"LastName": "Byron", "Company": "Acme", "Email": "ada@acme.example", "Phone": "+44 999"}
        there = standin.org.create(LEAD, values, caller=rep)

        (match,) = find_matches(client_of_salesforce, parked)
        adopt_record(
            client_of_salesforce, parked, salesforce_id=match.salesforce_id, by=operator, now=clock.now
        )
        push(client_of_salesforce, clock.now)

        record = standin.org.get(LEAD, there)
        assert record["Portal_Lead_Id__c"] == str(parked.lead.public_id)
        assert (record["FirstName"], record["Phone"]) == ("Ada", "+44 999")
        assert len(standin.org.store.all(LEAD.name)) == 1
        parked.refresh_from_db()
        assert (parked.salesforce_id, parked.parked_at, parked.send_at) == (there, None, None)
        assert Exchange.objects.filter(outcome=Exchange.Outcome.TAKEN_OVER).exists()

    def test_a_record_of_another_lead_is_not_taken_away(
        self,
        parked: LeadSync,
        known: LeadSync,
        client_of_salesforce: SalesforceClient,
        clock: StoppedClock,
        operator: User,
    ) -> None:
        with pytest.raises(CannotAdopt, match="stands for another lead"):
            adopt_record(
                client_of_salesforce, parked, salesforce_id=known.salesforce_id, by=operator, now=clock.now
            )

        parked.refresh_from_db()
        assert parked.parked_at is not None

    def test_is_done_on_the_page(
        self, parked: LeadSync, standin: StandIn, rep: Caller, operator: User, settings
    ) -> None:
        settings.SALESFORCE_URL = standin.base_url
        settings.SALESFORCE_CLIENT_ID, settings.SALESFORCE_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
        values = {"LastName": "Byron", "Company": "Acme", "Email": "ada@acme.example"}
        there = standin.org.create(LEAD, values, caller=rep)
        browser = Client()
        browser.force_login(operator)

        found = browser.post(reverse("crm:matches", args=[parked.pk])).content.decode()
        wrong = browser.post(reverse("crm:adopt", args=[parked.pk]), {"salesforce_id": "005Hp0000000001AAA"})
        adopted = browser.post(
            reverse("crm:adopt", args=[parked.pk]), {"salesforce_id": there}, follow=True
        ).content.decode()

        assert f'value="{there}"' in found
        assert "ada@acme.example" in found
        assert wrong.status_code == 422
        assert "Adopted." in adopted


class TestDeleted:
    @pytest.fixture
    def deleted(self, known: LeadSync, standin: StandIn, rep: Caller, clock: StoppedClock) -> LeadSync:
        standin.org.delete(LEAD, known.salesforce_id, caller=rep)
        known.parked_at = known.removed_at = clock.now
        known.error_code = "ENTITY_IS_DELETED"
        known.save()
        return known

    def test_is_made_anew_whole(
        self,
        deleted: LeadSync,
        client_of_salesforce: SalesforceClient,
        standin: StandIn,
        clock: StoppedClock,
        operator: User,
    ) -> None:
        before = deleted.salesforce_id

        make_anew(deleted, by=operator, now=clock.now)
        push(client_of_salesforce, clock.now)

        deleted.refresh_from_db()
        assert deleted.salesforce_id not in ("", before)
        assert standin.org.get(LEAD, deleted.salesforce_id)["Phone"] == "+44 1"

    def test_left_it_is_not_sent_any_more_until_somebody_thinks_better_of_it(
        self,
        deleted: LeadSync,
        client_of_salesforce: SalesforceClient,
        standin: StandIn,
        clock: StoppedClock,
        operator: User,
    ) -> None:
        leave_removed(deleted, by=operator, now=clock.now)
        log_event(deleted.lead, LeadEvent.Kind.ATTRIBUTES_CHANGED, at=clock.now)
        push(client_of_salesforce, clock.now)
        deleted.refresh_from_db()
        assert (deleted.parked_at, deleted.error_code) == (None, "")
        assert deleted.state(revision=deleted.lead.revision) == LeadSync.State.REMOVED

        with pytest.raises(NotParked):
            leave_removed(deleted, by=operator, now=clock.now)
        make_anew(deleted, by=operator, now=clock.now)
        push(client_of_salesforce, clock.now)

        deleted.refresh_from_db()
        assert standin.org.get(LEAD, deleted.salesforce_id)["Portal_Lead_Id__c"]


class TestComparing:
    def test_tells_each_field_on_both_sides_and_what_follows(
        self, known: LeadSync, client_of_salesforce: SalesforceClient, standin: StandIn, rep: Caller
    ) -> None:
        standin.org.update(LEAD, known.salesforce_id, {"Phone": "+44 999"}, caller=rep)

        fields = {one.salesforce_field: one for one in compare_lead(client_of_salesforce, known) or []}

        phone = fields.pop("Phone")
        assert (phone.ours, phone.theirs, phone.verdict) == ("+44 1", "+44 999", TAKEN)
        fields.pop("OwnerId")  # nobody is mapped
        assert {one.verdict for one in fields.values()} == {SAME}

    def test_a_record_that_is_gone_is_told(
        self, known: LeadSync, client_of_salesforce: SalesforceClient, standin: StandIn, rep: Caller
    ) -> None:
        standin.org.delete(LEAD, known.salesforce_id, caller=rep)

        assert compare_lead(client_of_salesforce, known) is None


@pytest.mark.parametrize("answer", ["refused for a while", "cut off"])
def test_a_lead_on_its_way_may_be_asked_for_once_more(
    known: LeadSync, clock: StoppedClock, operator: User, answer: str
) -> None:
    correct_lead(known.lead, changes={"title": "CFO"}, by=None, at=clock.now, via="test")
    fold_changes(now=clock.now)
    [claim] = claim_waiting(now=clock.now)
    send_now(known.lead, by=operator, now=clock.now)
    outcome = Outcome(claim, was_cut_off=answer == "cut off")
    if not outcome.was_cut_off:
        outcome.result = RowResult(problem=sort_problem("UNABLE_TO_LOCK_ROW", "busy"))

    record_outcomes([outcome], now=clock.now, answered_at=None)

    known.refresh_from_db()
    assert known.in_flight_since is None
    assert known.send_at is not None
