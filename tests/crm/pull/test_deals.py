"""What becomes of a deal in Salesforce comes back into the handoff (CRM-3)."""

from datetime import date
from decimal import Decimal

import pytest

from accounts.models import User
from crm.client import SalesforceClient
from crm.models import Conversion, PullFailure
from crm.standin.conversion import convert_lead
from crm.standin.org import Caller
from crm.standin.schema import OPPORTUNITY
from crm.standin.server import StandIn
from handoffs.contact.opportunities import correct_opportunity
from handoffs.models import Handoff
from leads.models import Lead, LeadEvent
from notifications.models import Notification
from tests.crm.conftest import StoppedClock
from tests.crm.pull.conftest import changes, entries, pull, record_of
from tests.factories import HandoffFactory
from tests.poison import heal, poison

pytestmark = pytest.mark.django_db


@pytest.fixture
def deal(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead, bdr: User
) -> Handoff:
    """A handoff whose lead was converted with a deal of 12,000."""
    handoff = HandoffFactory(lead=lead, owner=bdr, created_at=clock.now)
    record = record_of(standin, lead)
    convert_lead(standin.org, record["Id"], by=standin.org.sales_user_id, amount=12_000.0)
    pull(client_of_salesforce, clock)
    handoff.refresh_from_db()
    return handoff


def edit_deal(standin: StandIn, **values: object) -> None:
    [deal] = standin.store.all(OPPORTUNITY.name)
    standin.org.update(OPPORTUNITY, deal["Id"], values, caller=Caller(standin.org.sales_user_id))


def test_stage_amount_and_close_date_come_in(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, deal: Handoff
) -> None:
    edit_deal(standin, StageName="Negotiation/Review", Amount=15_500.5, CloseDate="2027-03-31")

    assert pull(client_of_salesforce, clock).changed == 1
    assert pull(client_of_salesforce, clock).changed == 0

    opportunity = Handoff.objects.get().opportunity
    assert (opportunity.amount, opportunity.close_on) == (Decimal("15500.50"), date(2027, 3, 31))
    assert changes(deal.lead)[-1] == ("StageName", "Prospecting", "Negotiation/Review")
    assert Conversion.objects.get().deal_stage == "Negotiation/Review"


def test_what_was_entered_here_stays_as_long_as_it_is_not_changed_there(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, deal: Handoff
) -> None:
    correct_opportunity(deal, changes={"amount": Decimal(9000)}, by=deal.owner, now=clock.now)
    edit_deal(standin, CloseDate="2027-03-31")

    pull(client_of_salesforce, clock)

    assert Handoff.objects.get().opportunity.amount == 9000


def test_a_deal_won_there_is_won_here(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, deal: Handoff
) -> None:
    won_at = clock.forward(hours=1)
    edit_deal(standin, StageName="Closed Won")

    pull(client_of_salesforce, clock)

    deal.refresh_from_db()
    assert (deal.status, deal.closed_at, deal.opportunity.won_at) == (Handoff.Status.WON, won_at, won_at)
    assert Lead.objects.get().stage == Lead.Stage.CUSTOMER


def test_a_deal_lost_there_is_lost_here_for_what_its_stage_says(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, deal: Handoff
) -> None:
    edit_deal(standin, StageName="Closed Lost", Amount=-5.0)

    pull(client_of_salesforce, clock)

    deal.refresh_from_db()
    assert (deal.status, deal.opportunity.lost_reason) == (Handoff.Status.LOST, "Closed Lost")


def test_a_deal_deleted_there_is_for_people_to_judge_and_comes_back(
    standin: StandIn,
    client_of_salesforce: SalesforceClient,
    clock: StoppedClock,
    deal: Handoff,
    bdr: User,
    operator: User,
) -> None:
    [record] = standin.store.all(OPPORTUNITY.name)
    caller = Caller(standin.org.sales_user_id)
    standin.org.delete(OPPORTUNITY, record["Id"], caller=caller)
    for _ in range(2):
        pull(client_of_salesforce, clock)

    told = list(Notification.objects.filter(title="A deal was deleted in Salesforce"))
    assert {each.recipient for each in told} == {bdr, operator}
    assert len(told) == 2
    assert (Conversion.objects.get().deal_stage, Handoff.objects.get().is_open) == ("Deleted", True)

    standin.org.undelete(OPPORTUNITY, record["Id"], caller=caller)
    pull(client_of_salesforce, clock)

    assert Conversion.objects.get().deal_stage == "Prospecting"
    assert changes(deal.lead)[-1] == ("StageName", "Deleted", "Prospecting")


def test_a_deal_reopened_there_leaves_the_handoff_closed_and_its_owner_knows(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, deal: Handoff, bdr: User
) -> None:
    for stage in ("Closed Won", "Negotiation/Review", "Closed Won"):
        edit_deal(standin, StageName=stage)
        pull(client_of_salesforce, clock)

    assert Handoff.objects.get().status == Handoff.Status.WON
    [told] = Notification.objects.filter(title="Deal reopened in Salesforce")
    assert told.recipient == bdr
    assert "is in “Negotiation/Review” there. The handoff was closed as won" in told.body
    [flag] = entries(deal.lead, LeadEvent.Kind.CRM_FLAGGED)
    assert flag.detail["why"] == "deal reopened in Salesforce, the handoff stays won"


def test_a_deal_that_our_user_may_not_see_is_asked_for_once(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, deal: Handoff
) -> None:
    Conversion.objects.update(deal_stamp=None, opportunity_id="006000000000001AAA")
    for _ in range(2):
        pull(client_of_salesforce, clock)
    before = len(standin.traffic)

    pull(client_of_salesforce, clock)

    # The leads, and the deals that changed.
    assert len(standin.traffic) - before == 2


def test_an_old_deal_that_could_not_be_taken_over_is_asked_for_again(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, deal: Handoff
) -> None:
    Conversion.objects.update(deal_stamp=None, deal_stage="", amount=None)
    correct_opportunity(deal, changes={"amount": Decimal(9000)}, by=deal.owner, now=clock.now)
    clock.forward(hours=1)
    poison(deal.lead)
    pull(client_of_salesforce, clock)
    assert PullFailure.objects.count() == 1
    heal()

    pull(client_of_salesforce, clock)

    assert Conversion.objects.get().deal_stage == "Prospecting"
    assert not PullFailure.objects.exists()


def test_a_deal_that_was_won_before_anybody_owned_its_handoff_is_won_here_too(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead, bdr: User
) -> None:
    handoff = HandoffFactory(lead=lead, owner=None, created_at=clock.now)
    convert_lead(standin.org, record_of(standin, lead)["Id"], by=standin.org.sales_user_id, amount=12_000.0)
    pull(client_of_salesforce, clock)
    edit_deal(standin, StageName="Closed Won")
    pull(client_of_salesforce, clock)

    Handoff.objects.update(owner=bdr)
    pull(client_of_salesforce, clock)

    handoff.refresh_from_db()
    assert (handoff.status, handoff.opportunity.amount) == (Handoff.Status.WON, 12_000)


def test_a_later_handoff_of_a_lead_whose_deal_was_lost_is_new_work(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, deal: Handoff
) -> None:
    edit_deal(standin, StageName="Closed Lost")
    pull(client_of_salesforce, clock)
    Lead.objects.update(stage=Lead.Stage.MQL)
    later = HandoffFactory(lead=deal.lead, owner=deal.owner, created_at=clock.now)

    pull(client_of_salesforce, clock)

    later.refresh_from_db()
    assert later.status == Handoff.Status.OFFERED
