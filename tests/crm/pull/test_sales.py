"""What sales does in Salesforce moves the handoff: owner, status, conversion (CRM-3)."""

from datetime import timedelta

import pytest

from accounts.models import User
from crm.client import SalesforceClient
from crm.models import Conversion, LeadSync, OwnerMapping, StatusMapping
from crm.pull.status import Meaning, meaning_of
from crm.standin.conversion import convert_lead
from crm.standin.server import StandIn
from handoffs.models import Handoff
from handoffs.routing.reassignment import reassign_handoff
from leads.models import Lead, LeadEvent
from leads.services import correct_lead, log_event
from notifications.models import Notification
from tests.crm.conftest import StoppedClock
from tests.crm.pull.conftest import changes, edit, entries, pull, push, record_of
from tests.factories import HandoffFactory, LeadFactory

pytestmark = pytest.mark.django_db

STATUSES = {"mql": "Open", "sal": "Working", "sql": "Qualified", "nurture": "Closed", "lost": "Closed"}


@pytest.fixture
def handoff(lead: Lead, bdr: User, clock: StoppedClock) -> Handoff:
    lead.owner = bdr
    lead.save(update_fields=["owner"])
    return HandoffFactory(lead=lead, owner=bdr, created_at=clock.now)


@pytest.fixture
def sam(standin: StandIn, other_bdr: User) -> User:
    """The person who sells over there."""
    OwnerMapping.objects.create(user=other_bdr, salesforce_user_id=standin.org.sales_user_id)
    return other_bdr


def writes(standin: StandIn) -> int:
    return sum(call.operation == "collections" for call in standin.traffic)


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        ("Open", Meaning.NOTHING),
        ("Working", Meaning.TAKEN_UP),
        ("Qualified", Meaning.QUALIFIED),
        ("Closed", Meaning.TURNED_DOWN),
        ("Somebody's own", Meaning.NOTHING),
    ],
)
def test_a_status_means_what_all_its_stages_share(status: str, meaning: Meaning) -> None:
    assert meaning_of(status, statuses=STATUSES) is meaning


def test_a_status_of_several_stages_says_the_least_of_them() -> None:
    assert meaning_of("W", statuses={"sal": "W", "sql": "W"}) is Meaning.TAKEN_UP
    assert meaning_of("W", statuses={"mql": "W", "sal": "W"}) is Meaning.NOTHING


class TestOwner:
    def test_becomes_the_owner_here_and_is_not_sent_back(
        self,
        standin: StandIn,
        client_of_salesforce: SalesforceClient,
        clock: StoppedClock,
        handoff: Handoff,
        sam: User,
    ) -> None:
        push(client_of_salesforce, clock)
        edit(standin, handoff.lead, OwnerId=standin.org.sales_user_id)

        assert pull(client_of_salesforce, clock).changed == 1
        push(client_of_salesforce, clock)
        before = writes(standin)
        assert pull(client_of_salesforce, clock).changed == 0
        push(client_of_salesforce, clock)

        handoff.refresh_from_db()
        assert (handoff.owner, handoff.lead.owner) == (sam, sam)
        assert record_of(standin, handoff.lead)["OwnerId"] == standin.org.sales_user_id
        assert writes(standin) == before
        [moved] = entries(handoff.lead, LeadEvent.Kind.ASSIGNED)
        assert moved.detail["why"] == "Owner changed in Salesforce"

    def test_of_a_lead_without_a_handoff_counts_as_well(
        self,
        standin: StandIn,
        client_of_salesforce: SalesforceClient,
        clock: StoppedClock,
        lead: Lead,
        sam: User,
    ) -> None:
        edit(standin, lead, OwnerId=standin.org.sales_user_id)

        pull(client_of_salesforce, clock)

        assert Lead.objects.get().owner == sam

    def test_whom_nobody_knows_leaves_the_owner_and_is_told_once(
        self,
        standin: StandIn,
        client_of_salesforce: SalesforceClient,
        clock: StoppedClock,
        handoff: Handoff,
        bdr: User,
        operator: User,
    ) -> None:
        for owner in (standin.org.sales_user_id, standin.org.queue_id, standin.org.sales_user_id):
            edit(standin, handoff.lead, OwnerId=owner)
            pull(client_of_salesforce, clock)

        handoff.refresh_from_db()
        assert handoff.owner == bdr
        assert [became for _, _, became in changes(handoff.lead)] == [
            standin.org.sales_user_id,
            standin.org.queue_id,
            standin.org.sales_user_id,
        ]
        [told] = Notification.objects.filter(recipient=operator)
        assert "Sam Seller" in told.body

    @pytest.mark.parametrize("wins", ["here", "there"])
    def test_given_on_both_sides_is_whose_it_became_last(
        self,
        standin: StandIn,
        client_of_salesforce: SalesforceClient,
        clock: StoppedClock,
        handoff: Handoff,
        bdr: User,
        sam: User,
        manager: User,
        wins: str,
    ) -> None:
        robin = standin.org.user_id("robin.rep@standin.example")
        OwnerMapping.objects.create(user=manager, salesforce_user_id=robin)
        OwnerMapping.objects.create(
            user=bdr, salesforce_user_id=standin.org.user_id("alex.account@standin.example")
        )
        push(client_of_salesforce, clock)
        pull(client_of_salesforce, clock)
        late, early = clock.now + timedelta(minutes=4), clock.now + timedelta(minutes=2)
        here_at, there_at = (late, early) if wins == "here" else (early, late)
        reassign_handoff(handoff, to=manager, by=manager, now=here_at, reason="Mine")
        clock.now = there_at
        edit(standin, handoff.lead, OwnerId=standin.org.sales_user_id)
        clock.now = late

        pull(client_of_salesforce, clock)
        push(client_of_salesforce, clock)

        handoff.refresh_from_db()
        assert handoff.owner == (manager if wins == "here" else sam)
        owner_there = robin if wins == "here" else standin.org.sales_user_id
        assert record_of(standin, handoff.lead)["OwnerId"] == owner_there
        [conflict] = entries(handoff.lead, LeadEvent.Kind.CRM_CONFLICT)
        assert conflict.detail["field"] == "owner"


class TestStatus:
    def test_of_work_accepts_it_for_its_owner_at_that_time(
        self,
        standin: StandIn,
        client_of_salesforce: SalesforceClient,
        clock: StoppedClock,
        handoff: Handoff,
        bdr: User,
    ) -> None:
        worked_at = clock.forward(minutes=3)
        edit(standin, handoff.lead, Status="Working - Contacted")
        clock.forward(minutes=20)
        edit(standin, handoff.lead, Rating="Hot")

        pull(client_of_salesforce, clock)
        push(client_of_salesforce, clock)

        handoff.refresh_from_db()
        assert (handoff.status, handoff.accepted_by, handoff.accepted_at) == ("accepted", bdr, worked_at)
        assert Lead.objects.get().stage == Lead.Stage.SAL
        assert changes(handoff.lead) == [("Status", "Open - Not Contacted", "Working - Contacted")]

    def test_and_owner_in_one_go_make_it_the_work_of_the_new_one(
        self,
        standin: StandIn,
        client_of_salesforce: SalesforceClient,
        clock: StoppedClock,
        handoff: Handoff,
        sam: User,
    ) -> None:
        edit(standin, handoff.lead, Status="Working - Contacted", OwnerId=standin.org.sales_user_id)

        pull(client_of_salesforce, clock)

        handoff.refresh_from_db()
        assert (handoff.owner, handoff.accepted_by) == (sam, sam)

    def test_of_work_on_what_nobody_owns_is_asked_about_once(
        self,
        standin: StandIn,
        client_of_salesforce: SalesforceClient,
        clock: StoppedClock,
        lead: Lead,
        manager: User,
    ) -> None:
        handoff = HandoffFactory(lead=lead, owner=None, offered_at=None)
        for status in ("Working - Contacted", "Open - Not Contacted", "Working - Contacted"):
            edit(standin, lead, Status=status)
            pull(client_of_salesforce, clock)

        handoff.refresh_from_db()
        assert handoff.status == Handoff.Status.OFFERED
        assert [flag.detail["missing"] for flag in entries(lead, LeadEvent.Kind.CRM_FLAGGED)] == ["owner"]
        assert Notification.objects.filter(recipient=manager).count() == 1


class TestConversion:
    def convert(self, standin: StandIn, lead: Lead, **how: object) -> None:
        by = standin.org.sales_user_id
        convert_lead(standin.org, record_of(standin, lead)["Id"], by=by, **how)

    def test_with_a_deal_makes_the_handoff_an_opportunity(
        self,
        standin: StandIn,
        client_of_salesforce: SalesforceClient,
        clock: StoppedClock,
        handoff: Handoff,
    ) -> None:
        converted_at = clock.forward(minutes=5)
        self.convert(standin, handoff.lead, amount=12_000.0)

        pull(client_of_salesforce, clock)

        handoff.refresh_from_db()
        assert (handoff.status, handoff.qualified_at) == (Handoff.Status.OPPORTUNITY, converted_at)
        conversion = Conversion.objects.get(lead=handoff.lead)
        remote = standin.store.get(LeadSync.objects.get().salesforce_id)
        assert conversion.contact_id == remote["ConvertedContactId"]
        assert (conversion.opportunity_id, conversion.amount) == (remote["ConvertedOpportunityId"], 12_000)
        assert handoff.opportunity.amount == 12_000
        assert LeadSync.objects.get().is_converted

    def test_that_the_push_met_first_is_read_all_the_same(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
    ) -> None:
        StatusMapping.objects.all().delete()
        lead = LeadFactory(stage=Lead.Stage.MQL)
        log_event(lead, LeadEvent.Kind.CREATED, at=clock.now)
        push(client_of_salesforce, clock)
        self.convert(standin, lead)
        correct_lead(lead, changes={"title": "CFO"}, by=None, at=clock.now, via="test")
        push(client_of_salesforce, clock)
        assert LeadSync.objects.get().is_converted

        pull(client_of_salesforce, clock)

        assert Conversion.objects.get().contact_id

    def test_without_a_deal_accepts_it(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, handoff: Handoff
    ) -> None:
        self.convert(standin, handoff.lead, with_opportunity=False)

        pull(client_of_salesforce, clock)

        handoff.refresh_from_db()
        assert handoff.status == Handoff.Status.ACCEPTED

    def test_of_what_nobody_owns_is_followed_once_a_manager_assigns_it(
        self,
        standin: StandIn,
        client_of_salesforce: SalesforceClient,
        clock: StoppedClock,
        lead: Lead,
        bdr: User,
        manager: User,
    ) -> None:
        handoff = HandoffFactory(lead=lead, owner=None, offered_at=None, created_at=clock.now)
        self.convert(standin, lead)
        pull(client_of_salesforce, clock)
        reassign_handoff(handoff, to=bdr, by=manager, now=clock.forward(minutes=1), reason="Yours")

        pull(client_of_salesforce, clock)

        handoff.refresh_from_db()
        assert (handoff.status, handoff.qualified_by) == (Handoff.Status.OPPORTUNITY, bdr)

    def test_deals_are_not_asked_for_where_nothing_was_converted(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
    ) -> None:
        before = len(standin.traffic)

        pull(client_of_salesforce, clock)

        assert len(standin.traffic) - before == 1
