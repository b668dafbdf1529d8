"""The editor of the field mapping, against a real stand-in (CRM-2)."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.http import HttpResponse
from django.test import Client

from accounts.models import User
from crm.changes import fold_changes
from crm.client import SalesforceClient
from crm.fitting import check_against_org, check_mapping
from crm.models import (
    Connection,
    FieldMapping,
    LeadChange,
    LeadSync,
    ObjectDescription,
    OwnerMapping,
    StatusMapping,
)
from crm.rules import LEADS_AT_ONCE, load_rules, mark_next_leads
from crm.standin.server import StandIn
from crm.tasks import check_mapping_task
from notifications.models import Notification
from tests.crm.conftest import CLIENT_ID, CLIENT_SECRET
from tests.factories import NOON, LeadFactory

EDITOR = "/admin/crm/fieldmapping/"
ADD = f"{EDITOR}add/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def connected(settings, standin: StandIn) -> StandIn:
    settings.SALESFORCE_URL = standin.base_url
    settings.SALESFORCE_CLIENT_ID, settings.SALESFORCE_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
    return standin


@pytest.fixture
def signed_in(operator: User) -> Client:
    signed_in = Client()
    signed_in.force_login(operator)
    return signed_in


def mapping_of(salesforce_field: str) -> FieldMapping:
    return FieldMapping.objects.get(object_name="Lead", salesforce_field=salesforce_field)


def rows(signed_in: Client) -> dict[str, object]:
    """The editor's form as it was shown."""
    formset = signed_in.get(EDITOR).context["formset"]
    shown = {f"{formset.prefix}-TOTAL_FORMS": formset.total_form_count(),
             f"{formset.prefix}-INITIAL_FORMS": formset.initial_form_count()}  # fmt: skip
    for form in formset.forms:
        shown[form.add_prefix("id")] = form.instance.pk
        for name in form.fields:
            if name != "id":
                value = form.initial[name]
                shown |= {form.add_prefix(name): value, form.add_initial_prefix(name): value}
    return {name: value for name, value in shown.items() if value is not False}


def row(shown: dict[str, object], mapping: FieldMapping) -> str:
    return next(name for name, value in shown.items() if name.endswith("-id") and value == mapping.pk)[:-3]


def save(signed_in: Client, mapping: FieldMapping, **changes: object) -> HttpResponse:
    shown = rows(signed_in)
    prefix = row(shown, mapping)
    return signed_in.post(EDITOR, shown | {f"{prefix}-{name}": value for name, value in changes.items()})


def messages_of(response: HttpResponse) -> str:
    return " ".join(str(message) for message in response.context["messages"])


class TestEditor:
    def test_is_for_operators(self, signed_in: Client, manager: User, bdr: User) -> None:
        assert signed_in.get(EDITOR).status_code == 200
        for stranger, answer in ((manager, 403), (bdr, 302)):  # who has no admin at all is sent to sign in
            other = Client()
            other.force_login(stranger)
            assert other.get(EDITOR).status_code == answer
            assert other.post(EDITOR, {}).status_code == answer
            assert other.post(f"{EDITOR}check/").status_code == answer

    def test_shows_every_field_in_a_fixed_number_of_queries(
        self, signed_in: Client, django_assert_num_queries
    ) -> None:
        with django_assert_num_queries(8):  # session, person, rows, descriptions, three counts, and messages
            page = signed_in.get(EDITOR)

        shown = [row.mapping for group in page.context["groups"] for row in group.rows]
        assert len(shown) == FieldMapping.objects.count() > 30
        assert page.context["groups"][0].heading == "Person"
        assert page.context["groups"][-1].heading == "Task of a handoff"

    def test_a_change_is_saved_logged_and_has_all_leads_compared(self, signed_in: Client) -> None:
        phone = mapping_of("Phone")

        response = save(signed_in, phone, direction="push", rule="newest")

        assert response.status_code == 302
        phone.refresh_from_db()
        assert (phone.direction, phone.rule) == ("push", "newest")
        assert [entry.object_id for entry in LogEntry.objects.all()] == [str(phone.pk)]
        assert Connection.objects.get().compare_after == 0

    def test_nothing_changed_costs_nothing(self, signed_in: Client) -> None:
        signed_in.post(EDITOR, rows(signed_in))

        assert not LogEntry.objects.exists()
        assert not Connection.objects.filter(compare_after__isnull=False).exists()

    def test_what_somebody_else_saved_meanwhile_stays(self, signed_in: Client) -> None:
        shown = rows(signed_in)
        FieldMapping.objects.filter(salesforce_field="Title").update(direction="off")

        signed_in.post(EDITOR, shown | {f"{row(shown, mapping_of('Phone'))}-direction": "push"})

        assert mapping_of("Title").direction == "off"
        assert mapping_of("Phone").direction == "push"

    def test_rules_that_cannot_be_are_refused_each_at_its_row(self, signed_in: Client) -> None:
        shown = rows(signed_in)
        last_name, title, score = map(mapping_of, ("LastName", "Title", "Portal_Score__c"))

        page = signed_in.post(
            EDITOR,
            shown
            | {f"{row(shown, last_name)}-direction": "pull"}
            | {f"{row(shown, title)}-sends_blanks": "on"}
            | {f"{row(shown, score)}-direction": "both"},
        )

        errors = {form.instance: str(form.errors) for form in page.context["formset"].forms if form.errors}
        assert set(errors) == {last_name, title, score}
        assert "makes no lead without LastName" in errors[last_name]
        assert "By this rule a blank there is filled from here" in errors[title]
        assert "Select a valid choice" in errors[score]
        assert mapping_of("LastName").direction == "both"


class TestComparison:
    def test_finds_what_an_administrator_broke_and_when_it_is_mended(
        self, connected: StandIn, signed_in: Client
    ) -> None:
        FieldMapping.objects.filter(salesforce_field="Title").update(salesforce_field="Job_Title__c")
        FieldMapping.objects.filter(salesforce_field="Phone").update(salesforce_field="CreatedDate")
        FieldMapping.objects.filter(salesforce_field="Portal_Score__c").update(
            salesforce_field="Rating_At__c"
        )

        page = signed_in.post(f"{EDITOR}check/", follow=True)

        assert "3 of the fields need attention" in messages_of(page)
        assert mapping_of("Job_Title__c").problem.startswith("Lead has no field Job_Title__c")
        assert mapping_of("CreatedDate").problem.startswith("Our user may not edit")

        FieldMapping.objects.filter(salesforce_field="Job_Title__c").update(salesforce_field="Title")
        FieldMapping.objects.filter(salesforce_field="CreatedDate").update(salesforce_field="Phone")
        FieldMapping.objects.filter(salesforce_field="Rating_At__c").update(direction="off")
        assert "every field fits" in messages_of(signed_in.post(f"{EDITOR}check/", follow=True))

    def test_learns_types_and_lengths_which_the_rules_then_go_by(
        self, client_of_salesforce: SalesforceClient
    ) -> None:
        check_against_org(client_of_salesforce, now=NOON)

        rule = load_rules().by_salesforce_field["Lead", "Title"]
        assert (rule.remote_type, rule.max_length) == ("string", 128)
        assert load_rules().by_salesforce_field["Lead", "Portal_Handoff_At__c"].remote_type == "datetime"

    @pytest.mark.parametrize(
        ("field", "changed", "words"),
        [
            (
                "Portal_Score__c",
                {"type": "date"},
                "“Score” is a number, and “Portal Score” is of the type date",
            ),
            ("Email", {"length": 40}, "holds 40 characters; longer values are refused"),
            (
                "LeadSource",
                {"restrictedPicklist": True, "picklistValues": [{"value": "Web", "active": True}]},
                "does not take “Fair”. Add",
            ),
            (
                "Portal_Warmth__c",
                {"restrictedPicklist": True, "picklistValues": [{"value": "cold", "active": False}]},
                "does not take “accumulated”, “cold”, “hand_raiser” and 1 more.",
            ),
            ("Title", {"createable": False}, "Our user may not edit “Title”"),
        ],
        ids=["type", "length", "values in use", "portal's words", "not editable"],
    )
    def test_says_in_words_what_does_not_fit(
        self, client_of_salesforce: SalesforceClient, field: str, changed: dict, words: str
    ) -> None:
        LeadFactory(source="Web")
        LeadFactory(source="Fair")
        check_against_org(client_of_salesforce, now=NOON)
        described = ObjectDescription.objects.get(object_name="Lead")
        next(one for one in described.content["fields"] if one["name"] == field).update(changed)
        described.save()

        (wrong,) = check_mapping(now=NOON + timedelta(days=1))

        assert wrong.salesforce_field == field
        assert words in wrong.problem
        assert wrong.checked_at == NOON + timedelta(days=1)

    def test_without_an_org_or_an_answer_it_says_so(
        self, settings, connected: StandIn, signed_in: Client
    ) -> None:
        settings.SALESFORCE_URL = ""
        assert "No Salesforce org is connected" in messages_of(signed_in.post(f"{EDITOR}check/", follow=True))

        settings.SALESFORCE_URL = "http://127.0.0.1:9"
        assert "Salesforce did not tell" in messages_of(signed_in.post(f"{EDITOR}check/", follow=True))

    def test_each_day_operators_are_told_what_does_not_fit(self, connected: StandIn, operator: User) -> None:
        check_mapping_task()
        assert not Notification.objects.exists()

        FieldMapping.objects.filter(salesforce_field="Title").update(salesforce_field="Job_Title__c")
        check_mapping_task()
        check_mapping_task()

        told = Notification.objects.get()
        assert told.recipient == operator
        assert "Lead.Job_Title__c" in told.body


class TestAddingAField:
    def given(self, **changes: object) -> dict[str, object]:
        return {
            "object_name": "Lead", "portal_field": "budget", "salesforce_field": "Description",
            "direction": "both", "rule": "newest", **changes,
        }  # fmt: skip

    def test_it_is_chosen_from_what_salesforce_has(
        self, signed_in: Client, client_of_salesforce: SalesforceClient
    ) -> None:
        check_against_org(client_of_salesforce, now=NOON)

        offered = signed_in.get(ADD).context["fields_there"]
        signed_in.post(ADD, self.given(salesforce_field="description"))

        assert "Description" in [field.name for _, field in offered]
        assert "Title" not in [field.name for _, field in offered]
        added = mapping_of("Description")
        assert (added.portal_field, added.remote_type, added.max_length) == ("budget", "textarea", 32000)
        assert Connection.objects.get().compare_after == 0

    def test_what_cannot_be_is_refused(
        self, signed_in: Client, client_of_salesforce: SalesforceClient
    ) -> None:
        check_against_org(client_of_salesforce, now=NOON)
        count = FieldMapping.objects.count()

        for changes, words in (
            (
                {"salesforce_field": "Descripton"},
                "no field Descripton that our user may see. Did you mean",
            ),
            ({"salesforce_field": "Title"}, "This field of Salesforce is mapped already."),
            ({"portal_field": "title"}, "“Job title” is read from Title already"),
            ({"portal_field": "nonsense"}, "Select a valid choice"),
            ({"salesforce_field": "a\x00b"}, "Null characters are not allowed"),
        ):
            page = signed_in.post(ADD, self.given(**changes))
            assert words in page.content.decode()
        assert FieldMapping.objects.count() == count


def test_what_a_lead_cannot_be_without_stays_mapped(signed_in: Client) -> None:
    last_name = mapping_of("LastName")
    change = f"{EDITOR}{last_name.pk}/change/"
    given = {"object_name": "Lead", "portal_field": "last_name", "salesforce_field": "MiddleName"}

    page = signed_in.post(change, {**given, "direction": "both", "rule": "ours"})

    assert "no lead without LastName: it stays mapped" in page.content.decode()
    assert signed_in.post(f"{EDITOR}{last_name.pk}/delete/", {"post": "yes"}).status_code == 403
    assert signed_in.post(f"{EDITOR}{mapping_of('Title').pk}/delete/", {"post": "yes"}).status_code == 302


class TestAfterAChange:
    def test_all_leads_are_marked_by_and_by(self, monkeypatch: pytest.MonkeyPatch) -> None:
        leads = LeadFactory.create_batch(5)
        fold_changes(now=NOON)
        monkeypatch.setattr("crm.rules.LEADS_AT_ONCE", 2)
        Connection.objects.update_or_create(singleton=True, defaults={"compare_after": 0})

        assert [mark_next_leads(now=NOON) for _ in range(5)] == [True, True, True, False, False]

        assert {change.lead_id for change in LeadChange.objects.all()} == {lead.pk for lead in leads}
        assert Connection.objects.get().compare_after is None
        assert LEADS_AT_ONCE > 2

    def test_a_change_in_the_meantime_begins_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        LeadFactory.create_batch(2)
        fold_changes(now=NOON)
        monkeypatch.setattr("crm.rules.LEADS_AT_ONCE", 1)
        Connection.objects.update_or_create(singleton=True, defaults={"compare_after": 0})
        mark_next_leads(now=NOON)

        Connection.objects.update(compare_after=0)
        while mark_next_leads(now=NOON):
            pass

        assert LeadChange.objects.count() == 3
        assert LeadSync.objects.count() == 2


def test_statuses_and_owners_are_chosen_among_salesforce_s(
    signed_in: Client, client_of_salesforce: SalesforceClient, standin: StandIn, bdr: User
) -> None:
    StatusMapping.objects.filter(stage="sal").update(status="Gone")
    check_against_org(client_of_salesforce, now=NOON)

    status = StatusMapping.objects.get(stage="sal")
    offered = signed_in.get(f"/admin/crm/statusmapping/{status.pk}/change/").context["adminform"].form
    signed_in.post(
        "/admin/crm/ownermapping/add/", {"user": bdr.pk, "salesforce_user_id": standin.org.sales_user_id}
    )
    refused = signed_in.post(
        "/admin/crm/ownermapping/add/", {"user": bdr.pk, "salesforce_user_id": "005000000000000AAA"}
    )

    labels = [label for _, label in offered.fields["status"].choices]
    assert "Working - Contacted" in labels
    assert "Closed - Converted" not in labels
    assert "Gone (not found in Salesforce)" in labels
    assert OwnerMapping.objects.get().user == bdr
    assert "Select a valid choice" in refused.content.decode()
