"""A lead that came by a campaign becomes its member in Salesforce, once (CRM-2)."""

from datetime import timedelta

import pytest

from crm.changes import fold_changes
from crm.client import SalesforceClient
from crm.members import enrol_leads
from crm.models import CampaignMatch, CampaignMembership, Connection, Exchange, LeadSync, PullCursor
from crm.push import push_batch
from crm.standin.conversion import convert_lead
from crm.standin.faults import Fault
from crm.standin.org import Caller
from crm.standin.schema import CAMPAIGN, CAMPAIGN_MEMBER, LEAD
from crm.standin.server import StandIn
from crm.tasks import enrol_leads_task
from leads.models import Lead, LeadEvent
from leads.services import log_event
from tests.crm.conftest import CLIENT_ID, CLIENT_SECRET, StoppedClock
from tests.factories import LeadFactory

pytestmark = pytest.mark.django_db


def add_campaign(standin: StandIn, name: str, **values: object) -> str:
    caller = Caller(standin.org.sales_user_id)
    return standin.org.create(CAMPAIGN, {"Name": name, **values}, caller=caller)


def pushed(client: SalesforceClient, clock: StoppedClock, *campaigns: str) -> list[Lead]:
    leads = [LeadFactory(campaign=name) for name in campaigns]
    for lead in leads:
        log_event(lead, LeadEvent.Kind.CREATED, at=clock.now)
    fold_changes(now=clock.now)
    push_batch(client, now=clock.now)
    return leads


def enrol(client: SalesforceClient, clock: StoppedClock) -> int:
    return enrol_leads(client, now=clock.now, may_go_on=lambda: True)


def members(standin: StandIn) -> set[tuple[str, str]]:
    return {(row["CampaignId"], row["LeadId"]) for row in standin.store.all(CAMPAIGN_MEMBER.name)}


def record_id(lead: Lead) -> str:
    return LeadSync.objects.get(pk=lead.pk).salesforce_id


def test_leads_become_members_of_the_active_campaign_of_that_name_once(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
) -> None:
    active = add_campaign(standin, "Spring Fair", IsActive=True)
    add_campaign(standin, "spring fair", IsActive=False)
    one, other, *_ = pushed(client_of_salesforce, clock, "spring fair ", "SPRING FAIR", "Nobody's", "")

    first = enrol(client_of_salesforce, clock)
    before = len(standin.traffic)
    again = enrol(client_of_salesforce, clock)

    assert (first, again, len(standin.traffic)) == (2, 0, before)
    assert members(standin) == {(active, record_id(one)), (active, record_id(other))}
    assert set(CampaignMembership.objects.values_list("lead", flat=True)) == {one.pk, other.pk}
    entry = Exchange.objects.get(lead=one, object_name="CampaignMember")
    assert (entry.outcome, entry.fields["CampaignId"]) == (Exchange.Outcome.CONFIRMED, active)


def test_a_campaign_that_is_made_later_takes_those_along_who_were_there_before(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
) -> None:
    [early] = pushed(client_of_salesforce, clock, "Webinar")
    assert enrol(client_of_salesforce, clock) == 0
    campaign = add_campaign(standin, "Webinar")

    clock.forward(hours=23)
    too_soon = enrol(client_of_salesforce, clock)
    clock.forward(hours=2)
    found = enrol(client_of_salesforce, clock)
    [late] = pushed(client_of_salesforce, clock, "webinar")

    assert (too_soon, found, enrol(client_of_salesforce, clock)) == (0, 1, 1)
    assert members(standin) == {(campaign, record_id(early)), (campaign, record_id(late))}
    assert CampaignMatch.objects.get().look_at == clock.now + timedelta(days=7)


def test_an_answer_that_was_lost_doubles_nobody(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
) -> None:
    add_campaign(standin, "Webinar")
    [lead] = pushed(client_of_salesforce, clock, "Webinar")
    standin.faults.add(Fault("reset_after", "collections"))
    with pytest.raises(Exception, match="NO_ANSWER"):
        enrol(client_of_salesforce, clock)

    enrol(client_of_salesforce, clock)

    [member] = standin.store.all(CAMPAIGN_MEMBER.name)
    assert CampaignMembership.objects.get(lead=lead).member_id == member["Id"]


def test_a_refusal_is_told_in_words_holds_up_nobody_and_is_not_repeated(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
) -> None:
    add_campaign(standin, "Webinar")
    refused, _ = pushed(client_of_salesforce, clock, "Webinar", "Webinar")
    standin.org.delete(LEAD, record_id(refused), caller=Caller(standin.org.sales_user_id))

    first, again = enrol(client_of_salesforce, clock), enrol(client_of_salesforce, clock)

    assert (first, again) == (1, 0)
    assert CampaignMembership.objects.get(member_id="").lead_id == refused.pk
    entry = Exchange.objects.get(object_name="CampaignMember", outcome=Exchange.Outcome.REFUSED)
    assert (entry.lead_id, entry.words[-1]) == (refused.pk, ".")
    assert entry.code not in entry.words


def test_a_locked_row_is_tried_again_but_not_for_ever(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
) -> None:
    add_campaign(standin, "Webinar")
    pushed(client_of_salesforce, clock, "Webinar")
    standin.faults.add(Fault("row", "collections", code="UNABLE_TO_LOCK_ROW", message="locked", times=99))

    for _ in range(10):
        enrol(client_of_salesforce, clock)
        clock.forward(minutes=1)

    outcomes = list(Exchange.objects.filter(object_name="CampaignMember").values_list("outcome", flat=True))
    assert sorted(outcomes) == [Exchange.Outcome.REFUSED, *[Exchange.Outcome.RETRIED] * 7]


def test_an_org_that_lets_nobody_do_it_is_asked_once_an_hour_and_refuses_no_lead(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
) -> None:
    add_campaign(standin, "Webinar")
    pushed(client_of_salesforce, clock, "Webinar")
    fault = Fault("row", "collections", code="INSUFFICIENT_ACCESS_OR_READONLY", message="no access")
    standin.faults.add(fault)

    enrol(client_of_salesforce, clock)
    asked = len(standin.traffic)
    resting = enrol(client_of_salesforce, clock)

    assert (resting, len(standin.traffic)) == (0, asked)
    assert "may not" in PullCursor.objects.get(object_name="CampaignMember").error
    clock.forward(hours=1)
    assert enrol(client_of_salesforce, clock) == 1
    assert PullCursor.objects.get(object_name="CampaignMember").error == ""


def test_converted_leads_are_left_alone(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
) -> None:
    add_campaign(standin, "Webinar")
    [lead] = pushed(client_of_salesforce, clock, "Webinar")
    convert_lead(standin.org, record_id(lead), by=standin.org.sales_user_id)
    LeadSync.objects.update(is_converted=True)

    assert enrol(client_of_salesforce, clock) == 0


def test_a_run_that_is_cut_short_goes_on_where_it_was(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
) -> None:
    """Two leads to be enrolled after their campaign was found, and calls for one of three steps."""
    add_campaign(standin, "Webinar")
    pushed(client_of_salesforce, clock, "Webinar")
    allowed = iter([True, False])
    enrol_leads(client_of_salesforce, now=clock.now, may_go_on=lambda: next(allowed))
    assert CampaignMatch.objects.get().campaign_id == ""

    assert enrol(client_of_salesforce, clock) == 1


def test_the_clock_runs_it_only_while_the_budget_allows(
    settings, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
) -> None:
    """CRM-4: it waits behind handoffs."""
    settings.SALESFORCE_URL = standin.base_url
    settings.SALESFORCE_CLIENT_ID, settings.SALESFORCE_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
    add_campaign(standin, "Webinar")
    pushed(client_of_salesforce, clock, "Webinar")
    Connection.objects.update_or_create(
        defaults={"calls_used": 100, "calls_allowed": 100, "usage_at": clock.now}
    )
    enrol_leads_task(clock)
    assert members(standin) == set()

    Connection.objects.update(calls_used=0)
    enrol_leads_task(clock)
    assert len(members(standin)) == 1
