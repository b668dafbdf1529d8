"""The comparison of both sides against a stand-in over HTTP (CRM-9): what differs is found, what explains
itself is told apart, and the rest is mended on request."""

from collections import Counter
from io import StringIO

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from crm.client import SalesforceClient
from crm.models import Connection, Drift, LeadSync, Reconciliation, TaskSync
from crm.pull import pull_changes
from crm.reconciling import begin_comparison, compare_next_page
from crm.reconciling.leads import ROWS_PER_PAGE
from crm.standin.faults import Fault
from crm.standin.org import Caller
from crm.standin.schema import LEAD, TASK
from crm.standin.server import StandIn
from handoffs.models import Handoff
from leads.models import Lead, LeadEvent
from leads.services import correct_lead, log_event
from notifications.models import Notification
from tests.crm.conftest import CLIENT_ID, CLIENT_SECRET, StoppedClock
from tests.crm.pull.conftest import edit, make_known, push, record_of
from tests.factories import HandoffFactory, LeadFactory

pytestmark = pytest.mark.django_db

Why = Reconciliation.Why


@pytest.fixture
def lead(client_of_salesforce: SalesforceClient, clock: StoppedClock) -> Lead:
    return make_known(
        LeadFactory(stage=Lead.Stage.MQL, title="CTO", email="ada@example.org"), client_of_salesforce, clock
    )


def compare(client: SalesforceClient, clock: StoppedClock, *, repairs: bool = False) -> Reconciliation:
    """A whole comparison, an hour after whatever was done before."""
    now = clock.forward(hours=1)
    run = begin_comparison(repairs=repairs, by=None, now=now)
    while compare_next_page(client, now=now):
        pass
    run.refresh_from_db()
    assert run.finished_at is not None
    return run


def drifts(run: Reconciliation) -> Counter[tuple[str, str]]:
    return Counter(run.drifts.values_list("kind", "field"))


def hand_over(lead: Lead, clock: StoppedClock) -> Handoff:
    handoff = HandoffFactory(lead=lead)
    log_event(lead, LeadEvent.Kind.HANDED_OFF, at=clock.now, handoff_id=handoff.pk)
    return handoff


def write_there(standin: StandIn, lead: Lead, **values: object) -> None:
    """A change that leaves no trace for the poll, as one that was missed."""
    record = record_of(standin, lead)
    standin.store.replace({**record, **values}, old=record)


def delete_there(standin: StandIn, lead: Lead) -> None:
    caller = Caller(standin.org.sales_user_id, auto_assign=False)
    standin.org.delete(LEAD, record_of(standin, lead)["Id"], caller=caller)


def test_sides_that_agree_differ_in_nothing(
    client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
) -> None:
    hand_over(lead, clock)
    push(client_of_salesforce, clock)

    run = compare(client_of_salesforce, clock)

    assert (run.compared, run.differing, run.explained) == (2, 0, {})


def test_a_field_of_ours_that_was_overwritten_is_sent_again_on_request(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
) -> None:
    edit(standin, lead, Portal_Stage__c="customer")
    push(client_of_salesforce, clock)
    assert record_of(standin, lead)["Portal_Stage__c"] == "customer", "a push has no reason to look"

    found = compare(client_of_salesforce, clock)
    mended = compare(client_of_salesforce, clock, repairs=True)
    push(client_of_salesforce, clock)

    assert (found.differing, found.mended) == (1, 0)
    [drift] = mended.drifts.all()
    assert (drift.field, drift.ours, drift.theirs) == ("Portal_Stage__c", "mql", "customer")
    assert (drift.is_mended, drift.lead) == (True, lead)
    assert record_of(standin, lead)["Portal_Stage__c"] == "mql"
    assert compare(client_of_salesforce, clock).differing == 0


def test_what_a_poll_missed_is_taken_over_by_the_rule_of_the_field_and_shown_masked(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
) -> None:
    clock.forward(hours=1)
    pull_changes(client_of_salesforce, now=clock.now)
    write_there(standin, lead, Phone="+44 20 7946 0000", Status="Working - Contacted")

    run = compare(client_of_salesforce, clock, repairs=True)

    assert drifts(run) == {("field", "Phone"): 1, ("field", "Status"): 1}
    assert run.mended == 2
    lead.refresh_from_db()
    assert lead.phone == "+44 20 7946 0000"
    assert LeadSync.objects.get(pk=lead.pk).remote_status == "Working - Contacted"
    assert "7946" not in run.drifts.get(field="Phone").theirs
    assert compare(client_of_salesforce, clock).differing == 0


def test_differences_that_explain_themselves_are_counted_apart(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
) -> None:
    waiting, parked, kept, converted, unread, removed = (
        make_known(LeadFactory(title="CTO"), client_of_salesforce, clock) for _ in range(6)
    )
    delete_there(standin, removed)
    LeadSync.objects.filter(pk=removed.pk).update(removed_at=clock.now)
    for each in (waiting, parked):
        correct_lead(each, changes={"title": "CEO"}, by=None, at=clock.now, via="test")
    LeadSync.objects.filter(pk=parked.pk).update(parked_at=clock.now, error_code="X", error="Too long.")
    write_there(standin, kept, Email="own@example.org")
    write_there(standin, converted, Portal_Stage__c="customer", IsConverted=True)
    LeadSync.objects.filter(pk=converted.pk).update(is_converted=True)
    clock.forward(hours=1)
    edit(standin, unread, Title="CFO")

    run = compare(client_of_salesforce, clock, repairs=True)

    assert run.differing == 0
    assert run.explained == dict.fromkeys(
        (Why.WAITING, Why.PARKED, Why.KEPT_THERE, Why.CONVERTED, Why.UNREAD, Why.REMOVED), 1
    )


def test_what_was_emptied_here_stays_filled_there_for_a_reason(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
) -> None:
    correct_lead(lead, changes={"title": ""}, by=None, at=clock.now, via="test")
    push(client_of_salesforce, clock)

    run = compare(client_of_salesforce, clock)

    assert record_of(standin, lead)["Title"] == "CTO"
    assert (run.differing, run.explained) == (0, {Why.KEPT_THERE: 1})


def test_records_that_are_missing_doubled_or_nobodys_are_told_apart(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock
) -> None:
    gone, keyless, twice, never = (
        make_known(LeadFactory(email=f"{name}@example.org"), client_of_salesforce, clock)
        for name in ("gone", "keyless", "twice", "never")
    )
    caller = Caller(standin.org.sales_user_id, auto_assign=False)
    keyless_id = record_of(standin, keyless)["Id"]
    delete_there(standin, gone)
    standin.org.update(LEAD, keyless_id, {"Portal_Lead_Id__c": None}, caller=caller)
    first = record_of(standin, twice)["Id"]
    standin.org.update(LEAD, first, {"Portal_Lead_Id__c": None}, caller=caller)
    person = {"LastName": "Lovelace", "Company": "Analytical"}
    second = {**person, "Portal_Lead_Id__c": str(twice.public_id)}
    second_id = standin.org.create(LEAD, second, caller=caller)
    stranger = {**person, "Portal_Lead_Id__c": "5b1f7a0e-0000-4000-8000-000000000000"}
    stranger_id = standin.org.create(LEAD, stranger, caller=caller)
    delete_there(standin, never)
    LeadSync.objects.filter(pk=never.pk).update(salesforce_id="")

    run = compare(client_of_salesforce, clock, repairs=True)
    push(client_of_salesforce, clock)

    found = {(each.kind, each.lead_id, each.salesforce_id, each.is_mended) for each in run.drifts.all()}
    gone_id = LeadSync.objects.get(pk=gone.pk).salesforce_id
    assert found == {
        ("missing_there", gone.pk, gone_id, True),
        ("missing_there", never.pk, "", True),
        ("field", keyless.pk, keyless_id, True),
        ("doubled", twice.pk, second_id, False),
        ("unknown_here", None, stranger_id, False),
    }
    # What people deleted is theirs to decide about; what never came is sent, and what lost our key gets it.
    assert LeadSync.objects.get(pk=gone.pk).removed_at is not None
    assert standin.store.find(LEAD.name, "Portal_Lead_Id__c", str(gone.public_id)) == []
    assert record_of(standin, keyless)["Id"] == keyless_id
    assert record_of(standin, never)


def test_a_record_that_is_there_again_is_no_deleted_one(
    client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
) -> None:
    clock.forward(hours=1)
    pull_changes(client_of_salesforce, now=clock.now)
    LeadSync.objects.filter(pk=lead.pk).update(removed_at=clock.now)

    run = compare(client_of_salesforce, clock, repairs=True)

    assert (drifts(run), run.mended) == ({("field", "IsDeleted"): 1}, 1)
    assert LeadSync.objects.get(pk=lead.pk).removed_at is None


def test_a_task_is_found_twice_and_a_changed_link_is_sent_again(
    standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
) -> None:
    handoff = hand_over(lead, clock)
    push(client_of_salesforce, clock)
    [task] = standin.store.all(TASK.name)
    url = task["Portal_URL__c"]
    standin.store.replace({**task, "Portal_URL__c": "https://elsewhere.example"}, old=task)
    # Two of one key come about where an administrator made the field no unique one.
    standin.store.insert(TASK.name, {**task, "Id": "00THp0000009999AAA"})

    run = compare(client_of_salesforce, clock, repairs=True)
    push(client_of_salesforce, clock)

    assert drifts(run) == {("field", "Portal_URL__c"): 1, ("doubled", "Portal_Task_Id__c"): 1}
    assert run.drifts.get(kind="doubled").lead == lead
    known_id = TaskSync.objects.get(handoff=handoff).salesforce_id
    assert standin.store.get(known_id)["Portal_URL__c"] == url


class TestCourse:
    def test_hundreds_of_leads_take_one_call_and_few_statements(
        self,
        standin: StandIn,
        client_of_salesforce: SalesforceClient,
        clock: StoppedClock,
        lead: Lead,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        self._copy(standin, lead, 400)
        before = len(standin.traffic)

        # Most of them for the mark, the budget and the counts of three pages.
        with django_assert_max_num_queries(95):
            run = compare(client_of_salesforce, clock)

        # The other one asks for tasks.
        assert [call.operation for call in list(standin.traffic)[before:]] == ["query"] * 2
        assert (run.compared, run.differing, ROWS_PER_PAGE) == (401, 0, 2000)

    def _copy(self, standin: StandIn, lead: Lead, number: int) -> None:
        """Leads like this one, on both sides, without sending each."""
        record, sync = record_of(standin, lead), LeadSync.objects.get(pk=lead.pk)
        leads = LeadFactory.build_batch(number, stage=lead.stage, title=lead.title, company=lead.company)
        Lead.objects.bulk_create(leads)
        syncs = []
        with standin.store.transaction():
            for each in leads:
                own = {"Portal_Lead_Id__c": str(each.public_id), "Id": standin.store.next_id("00Q")}
                standin.store.insert(LEAD.name, {**record, **own})
                syncs.append(LeadSync(lead=each, salesforce_id=own["Id"], acknowledged=sync.acknowledged))
        LeadSync.objects.bulk_create(syncs)

    def test_a_comparison_goes_on_where_it_was_cut_off(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
    ) -> None:
        edit(standin, lead, Portal_Stage__c="customer")
        now = clock.forward(hours=1)
        begin_comparison(repairs=False, by=None, now=now)
        assert compare_next_page(client_of_salesforce, now=now)
        standin.faults.add(Fault("html", "query"))
        assert compare_next_page(client_of_salesforce, now=now)
        assert not compare_next_page(client_of_salesforce, now=now)

        run = compare(client_of_salesforce, clock)

        assert Reconciliation.objects.get() == run
        assert (run.compared, run.differing) == (1, 1)

    def test_what_is_left_is_told_to_operators_once(
        self,
        standin: StandIn,
        client_of_salesforce: SalesforceClient,
        clock: StoppedClock,
        lead: Lead,
        operator: User,
    ) -> None:
        edit(standin, lead, Portal_Stage__c="customer")

        compare(client_of_salesforce, clock)

        [notification] = Notification.objects.filter(recipient=operator)
        assert "left 1 difference" in notification.title

    def test_calls_that_handoffs_may_need_are_not_spent(
        self, standin: StandIn, client_of_salesforce: SalesforceClient, clock: StoppedClock, lead: Lead
    ) -> None:
        begin_comparison(repairs=False, by=None, now=clock.now)
        Connection.objects.update(calls_used=100, calls_allowed=100, usage_at=clock.now)
        before = len(standin.traffic)

        assert not compare_next_page(client_of_salesforce, now=clock.now)

        assert len(standin.traffic) == before


def test_the_command_fails_as_long_as_a_difference_is_left(
    standin: StandIn,
    client_of_salesforce: SalesforceClient,
    clock: StoppedClock,
    lead: Lead,
    settings: LazySettings,
) -> None:
    settings.SALESFORCE_URL = standin.base_url
    settings.SALESFORCE_CLIENT_ID, settings.SALESFORCE_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
    edit(standin, lead, Portal_Stage__c="customer")
    clock.forward(hours=1)
    out = StringIO()

    with pytest.raises(SystemExit) as left:
        call_command("salesforce_reconcile", stdout=out)
    call_command("salesforce_reconcile", "--repair", stdout=out)

    assert left.value.code == 1
    assert "Portal_Stage__c. The portal is right" in out.getvalue()
    assert "1 differences, 1 mended" in out.getvalue()
    assert Drift.objects.filter(is_mended=True).count() == 1
