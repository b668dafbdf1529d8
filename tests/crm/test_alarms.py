"""SLA-6: what fails with Salesforce is a ticket of the operators, a return without its reason a manager's."""

from __future__ import annotations

import pytest

from accounts.models import User
from crm.alarms import raise_sync_alarms
from crm.changes import fold_changes
from crm.client import SalesforceClient
from crm.models import LeadSync, PullCursor
from crm.parked import retry_all
from crm.pull import pull_changes
from crm.pull.cursors import HISTORY
from crm.push import push_batch
from crm.standin.faults import Fault
from crm.standin.org import Caller
from crm.standin.schema import LEAD
from crm.standin.server import StandIn
from crm.standing import read_standing
from feedback.models import RejectionReason, Verdict
from feedback.presets import PRESETS, load_feedback_preset
from feedback.services import reject_handoff
from handoffs.alarms import raise_alarms
from handoffs.models import Handoff
from leads.models import Lead, LeadEvent
from leads.services import correct_lead, log_event
from notifications.models import Notification
from sla.models import Ticket
from sla.tickets import close_ticket
from tests.crm.conftest import StoppedClock
from tests.factories import HandoffFactory, LeadFactory
from tests.sla.alarm_settings import set_alarm

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def alarms(db, settings, standin: StandIn) -> None:
    settings.SALESFORCE_URL = standin.base_url
    set_alarm(Ticket.Alarm.CRM_FAILING, after_minutes=30, answer_minutes=60)
    set_alarm(Ticket.Alarm.UNEXPLAINED_RETURN, answer_minutes=60)


def sync(client: SalesforceClient, clock: StoppedClock) -> None:
    fold_changes(now=clock.now)
    push_batch(client, now=clock.now)
    pull_changes(client, now=clock.now)


@pytest.fixture
def lead(client_of_salesforce: SalesforceClient, clock: StoppedClock) -> Lead:
    """A lead that Salesforce knows."""
    lead = LeadFactory(stage=Lead.Stage.MQL)
    log_event(lead, LeadEvent.Kind.CREATED, at=clock.now)
    sync(client_of_salesforce, clock)
    clock.forward(seconds=10)
    sync(client_of_salesforce, clock)
    return lead


def fail_for(minutes: int, client: SalesforceClient, clock: StoppedClock, standin: StandIn) -> None:
    """Nothing but errors from the other side, asked every five minutes."""
    standin.faults.add(Fault("html", "any", times=999))
    for _ in range(minutes // 5):
        clock.forward(minutes=5)
        pull_changes(client, now=clock.now)


# --- It does not answer ---------------------------------------------------------------------------


def test_an_outage_becomes_one_ticket_and_closes_when_it_is_over(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead, operator: User
) -> None:
    fail_for(25, client_of_salesforce, clock, standin)
    soon = raise_sync_alarms(now=clock.now)
    fail_for(10, client_of_salesforce, clock, standin)
    late, again = raise_sync_alarms(now=clock.now), raise_sync_alarms(now=clock.now)
    ticket = Ticket.objects.get()
    standin.faults.clear()
    clock.forward(minutes=10)
    pull_changes(client_of_salesforce, now=clock.now)
    raise_sync_alarms(now=clock.now)

    assert (soon, late, again) == (0, 1, 0)
    assert (ticket.owner, ticket.title.partition(":")[0]) == (operator, "Salesforce does not answer")
    ticket.refresh_from_db()
    assert (ticket.answer, ticket.closed_by) == ("It goes through again.", None)


def test_silence_is_a_ticket_although_nothing_fails(
    client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead, operator: User
) -> None:
    """CRM-3: the push goes through, and nobody reads."""
    clock.forward(minutes=29)
    push_batch(client_of_salesforce, now=clock.now)
    assert raise_sync_alarms(now=clock.now) == 0
    assert raise_sync_alarms(now=clock.forward(minutes=2)) == 1
    standing = read_standing(now=clock.now)

    pull_changes(client_of_salesforce, now=clock.now)
    raise_sync_alarms(now=clock.now)

    ticket = Ticket.objects.get()
    assert standing.silence is not None
    assert ticket.title == standing.silence.words == "Nothing is read from Salesforce. Is a worker running?"
    assert ticket.closed_at == clock.now


def test_an_org_that_tracks_no_history_is_not_silent(
    client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
) -> None:
    """Its cursor never succeeds: it tells what is wrong, and counts for nothing."""
    PullCursor.objects.create(object_name=HISTORY, failed_at=clock.now, error="Not tracked")

    standing = read_standing(now=clock.now)

    assert not standing.is_silent
    assert [one.cursor.object_name for one in standing.readings if one.is_silent] == []
    assert any(one.cursor.error == "Not tracked" for one in standing.readings)


def test_what_an_operator_has_answered_is_asked_again_only_for_the_next_outage(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead, operator: User
) -> None:
    fail_for(35, client_of_salesforce, clock, standin)
    raise_sync_alarms(now=clock.now)
    close_ticket(Ticket.objects.get(), answer="Their maintenance", by=operator, now=clock.now)
    fail_for(35, client_of_salesforce, clock, standin)
    same_outage = raise_sync_alarms(now=clock.now)
    standin.faults.clear()
    clock.forward(minutes=10)
    pull_changes(client_of_salesforce, now=clock.now)
    fail_for(35, client_of_salesforce, clock, standin)

    assert (same_outage, raise_sync_alarms(now=clock.now)) == (0, 1)


def test_without_salesforce_in_the_settings_nothing_fails(settings, clock: StoppedClock) -> None:
    settings.SALESFORCE_URL = ""

    assert raise_sync_alarms(now=clock.now) == 0


# --- It refuses leads -----------------------------------------------------------------------------


def test_refusals_of_one_cause_become_one_ticket_until_they_are_gone(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead, operator: User
) -> None:
    standin.faults.add(
        Fault("row", "collections", code="INACTIVE_OWNER_OR_USER", message="inactive", times=2)
    )
    correct_lead(lead, changes={"title": "CEO"}, by=operator, at=clock.now, via="test")
    sync(client_of_salesforce, clock)
    parked = LeadSync.objects.parked().count()
    clock.forward(minutes=29)
    pull_changes(client_of_salesforce, now=clock.now)
    soon = raise_sync_alarms(now=clock.now)
    clock.forward(minutes=1)
    late = raise_sync_alarms(now=clock.now)
    retry_all("INACTIVE_OWNER_OR_USER", by=operator, now=clock.now)
    raise_sync_alarms(now=clock.now)

    ticket = Ticket.objects.get()
    assert (parked, soon, late) == (1, 0, 1)
    assert ticket.subject_key == "cause-INACTIVE_OWNER_OR_USER"
    assert ticket.answer == "It goes through again."


# --- Returned without an explanation --------------------------------------------------------------


@pytest.fixture
def turned_down(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead, bdr: User
) -> Handoff:
    handoff = HandoffFactory(lead=lead, owner=bdr)
    set_status(standin, lead, "Closed - Not Converted")
    pull_changes(client_of_salesforce, now=clock.now)
    return handoff


def set_status(standin: StandIn, lead: Lead, status: str) -> None:
    """As a person in Salesforce."""
    [remote] = standin.store.find(LEAD.name, "Portal_Lead_Id__c", str(lead.public_id))
    caller = Caller(standin.org.sales_user_id, auto_assign=False)
    standin.org.update(LEAD, remote["Id"], {"Status": status}, caller=caller)


def test_a_manager_finds_out_why_and_only_the_rep_is_told_besides(
    manager: User, turned_down: Handoff, bdr: User
) -> None:
    ticket = Ticket.objects.get()

    told = dict(Notification.objects.values_list("recipient", "kind"))
    assert (ticket.alarm, ticket.owner) == (Ticket.Alarm.UNEXPLAINED_RETURN, manager)
    assert told == {manager.pk: Notification.Kind.TASK, bdr.pk: Notification.Kind.CRM}


def test_setting_the_status_back_closes_the_ticket(
    manager: User,
    turned_down: Handoff,
    standin: StandIn,
    client_of_salesforce: SalesforceClient,
    clock: StoppedClock,
) -> None:
    clock.forward(seconds=10)
    set_status(standin, turned_down.lead, "Working - Contacted")
    pull_changes(client_of_salesforce, now=clock.now)

    assert Ticket.objects.get().answer == "The status in Salesforce was set back."


def test_rejecting_it_here_closes_the_ticket(
    manager: User, turned_down: Handoff, bdr: User, clock: StoppedClock
) -> None:
    load_feedback_preset(PRESETS["classic"], by=None, now=clock.now)
    premature = RejectionReason.objects.get(code="premature")
    reject_handoff(turned_down, reason=premature, note="In May", by=bdr, via=Verdict.Via.PAGE, now=clock.now)

    raise_alarms(now=clock.forward(minutes=1))

    assert Ticket.objects.get().answer == "It was rejected here, with a reason."


def test_with_the_alarm_off_all_managers_are_asked(
    manager: User, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
) -> None:
    set_alarm(Ticket.Alarm.UNEXPLAINED_RETURN, is_active=False)
    handoff = HandoffFactory(lead=lead)
    set_status(standin, lead, "Closed - Not Converted")
    pull_changes(client_of_salesforce, now=clock.now)

    assert Ticket.objects.count() == 0
    assert set(Notification.objects.values_list("recipient", flat=True)) == {manager.pk, handoff.owner_id}
