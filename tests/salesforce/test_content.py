"""The SFDX project holds what the portal needs in an org: fields, rights, views, the client app (CRM-2)."""

from importlib import import_module

import pytest

from crm.checks import PERMISSION_SET
from crm.mapping import LEAD_KEY, TASK_KEY
from crm.mapping.catalogue import PORTAL_FIELDS, Kind
from crm.standin.schema import LEAD, TASK
from handoffs.models import Handoff
from leads.models import Lead
from scoring.models import LeadScore
from tests.salesforce.metadata import elements, fields_of, files, kind_of, read, text, texts, the

seeded = import_module("crm.migrations.0006_seed_mapping")

FITTING = {
    Kind.TEXT: {"Text", "LongTextArea"},
    Kind.CHOICE: {"Picklist"},
    Kind.LINK: {"Url"},
    Kind.NUMBER: {"Number"},
    Kind.MOMENT: {"DateTime"},
    Kind.YES_NO: {"Checkbox"},
}
# The word of `describe` for each type, and how many characters the API holds where the type says it.
DESCRIBED = {
    "Text": ("string", 0),
    "LongTextArea": ("textarea", 0),
    "Picklist": ("picklist", 255),
    "Url": ("url", 255),
    "Number": ("double", 0),
    "DateTime": ("datetime", 0),
    "Checkbox": ("boolean", 0),
}
# Salesforce lets nobody restrict these of a lead: it requires them, or builds the name from them.
ALWAYS_VISIBLE = {"FirstName", "LastName", "Company"}
# Rights to the parts of an address are given for the whole.
PARTS_OF = {"Country": "Address"}
# Standard columns of a list view of leads, under the names that the Metadata API has for them.
STANDARD_COLUMNS = {
    "FULL_NAME",
    "LEAD.COMPANY",
    "LEAD.PHONE",
    "LEAD.EMAIL",
    "LEAD.STATUS",
    "CORE.USERS.ALIAS",
}
OF_LEAD = (*seeded.CORRECTED_BY_REPS, *seeded.TOLD, *seeded.OURS_ALONE)


def rights(permission_set: str) -> dict[str, bool]:
    """Whether each field that it shows may be edited, too."""
    shown = elements(the(f"{permission_set}.permissionset-meta.xml"), "fieldPermissions")
    assert all(text(one, "readable") == "true" for one in shown)
    return {text(one, "field"): text(one, "editable") == "true" for one in shown}


def custom_fields() -> set[str]:
    return {f"Lead.{name}" for name in fields_of("Lead")} | {f"Task.{name}" for name in fields_of("Activity")}


@pytest.mark.parametrize(
    ("folder", "mapped"), [("Lead", OF_LEAD), ("Activity", seeded.OF_TASK)], ids=["lead", "task"]
)
def test_each_mapped_portal_field_has_a_fitting_field(folder, mapped):
    fields = fields_of(folder)
    ours = [row for row in mapped if row[1].endswith("__c")]

    assert ours
    for portal_field, name, max_length in ours:
        kind = text(fields[name], "type")
        assert kind in FITTING[PORTAL_FIELDS[portal_field].kind], name
        if max_length is not None:
            assert int(text(fields[name], "length") or DESCRIBED[kind][1]) >= max_length, name


def test_the_integration_may_write_each_mapped_field():
    may_edit = rights("Lead_Handoff_Integration")
    of_lead = {PARTS_OF.get(name, name) for _, name, _ in OF_LEAD} - ALWAYS_VISIBLE

    assert all(may_edit[f"Lead.{name}"] for name in of_lead | {LEAD_KEY})
    assert all(may_edit[f"Task.{name}"] for name in {name for _, name, _ in seeded.OF_TASK} | {TASK_KEY})


def test_both_permission_sets_show_every_field_of_ours_and_sales_edits_none():
    integration, sales = rights("Lead_Handoff_Integration"), rights("Lead_Handoff_Sales")

    assert {name for name in integration if name.endswith("__c")} == custom_fields() == set(sales)
    assert all(integration[name] for name in custom_fields())
    assert not any(sales.values())


def test_the_check_list_calls_the_permission_set_by_its_name():
    assert text(the("Lead_Handoff_Integration.*"), "label") == PERMISSION_SET


def test_the_integration_reads_all_and_deletes_nothing():
    granted = {
        text(one, "object"): one for one in elements(the("Lead_Handoff_Integration.*"), "objectPermissions")
    }
    allowed = texts(the("Lead_Handoff_Integration.*"), "userPermissions", "name")

    assert set(granted) == {"Account", "Campaign", "Contact", "Lead", "Opportunity"}
    for name, one in granted.items():
        assert text(one, "allowRead") == text(one, "viewAllRecords") == "true"
        assert text(one, "allowDelete") == text(one, "modifyAllRecords") == "false"
        assert (text(one, "allowCreate") == text(one, "allowEdit") == "true") == (name == "Lead")
    # Tasks know no object permission: these two stand for it.
    assert {"ApiEnabled", "ActivitiesAccess", "EditTask", "TransferAnyLead"} == set(allowed)


@pytest.mark.parametrize(("folder", "key"), [("Lead", LEAD_KEY), ("Activity", TASK_KEY)])
def test_the_keys_are_unique_external_ids_that_hold_a_uuid(folder, key):
    field = fields_of(folder)[key]

    assert text(field, "type") == "Text"
    assert text(field, "length") == "36"
    assert text(field, "externalId") == text(field, "unique") == "true"
    assert text(field, "caseSensitive") == "false"


@pytest.mark.parametrize(
    ("name", "choices"),
    [
        ("Portal_Stage__c", Lead.Stage.choices),
        ("Portal_Handoff_Status__c", Handoff.Status.choices),
        ("Portal_Category__c", LeadScore.Category.choices),
        ("Portal_Warmth__c", LeadScore.Warmth.choices),
    ],
    ids=["stage", "status", "category", "warmth"],
)
def test_picklists_offer_the_words_of_the_portal_and_take_new_ones(name, choices):
    values = fields_of("Lead")[name]
    path = ("valueSet", "valueSetDefinition", "value")

    assert [*zip(texts(values, *path, "fullName"), texts(values, *path, "label"), strict=True)] == choices
    assert text(values, "valueSet", "restricted") == "false"


@pytest.mark.parametrize(("folder", "sobject"), [("Lead", LEAD), ("Activity", TASK)], ids=["lead", "task"])
def test_the_stand_in_has_the_same_fields(folder, sobject):
    """What is tried with the stand-in holds for an org that has the project."""
    theirs = {field.name: field for field in sobject.fields if field.is_custom}
    ours = fields_of(folder)

    assert set(ours) == set(theirs)
    for name, field in ours.items():
        kind, length = DESCRIBED[text(field, "type")]
        assert theirs[name].type == kind, name
        assert theirs[name].length == int(text(field, "length") or length), name
        assert theirs[name].unique == (text(field, "unique") == "true"), name
        assert theirs[name].upsert_key == (text(field, "externalId") == "true"), name


def test_list_views_show_and_filter_by_fields_that_are_there():
    views = {path.name.partition(".")[0]: read(path) for path in files() if kind_of(read(path)) == "ListView"}
    known = STANDARD_COLUMNS | set(fields_of("Lead"))

    assert {text(view, "label") for view in views.values()} >= {"My open handoffs", "SLA breached"}
    for name, view in views.items():
        assert set(texts(view, "columns")) <= known, name
        assert set(texts(view, "filters", "field")) <= set(fields_of("Lead")), name
        assert (text(view, "queue") is not None) == (text(view, "filterScope") == "Queue"), name


def test_list_views_mean_by_open_what_the_portal_means():
    path = ("filters", "value")

    assert texts(the("Portal_My_Open_Handoffs.*"), *path) == [",".join(Handoff.OPEN)]
    assert texts(the("Portal_SLA_Breached.*"), *path) == ["1", ",".join(Handoff.OPEN)]


def test_the_queue_takes_leads_and_has_a_list_view():
    queue = the("Portal_Handoffs.queue-meta.xml")

    assert texts(queue, "queueSobject", "sobjectType") == ["Lead"]
    assert text(the("Portal_Handoffs_Without_Owner.*"), "queue") == "Portal_Handoffs"


def test_the_report_type_offers_every_field_of_ours():
    report = the("Portal_Handoffs.reportType-meta.xml")
    columns = zip(
        texts(report, "sections", "columns", "table"),
        texts(report, "sections", "columns", "field"),
        strict=True,
    )
    ours = {f"{table}.{field}" for table, field in columns if field.endswith("__c")}

    assert ours == {f"Lead.{name}" for name in fields_of("Lead")} | {f"Lead.Activities.{TASK_KEY}"}


def test_the_parts_of_the_client_app_belong_together():
    parts = [read(path) for path in files() if kind_of(read(path)).startswith("ExtlClntApp")]
    policies = the("*.ecaOauthPlcy-meta.xml")

    assert len(parts) == 3
    assert {text(part, "externalClientApplication") for part in parts} == {"Handoff_Portal"}
    assert the("Handoff_Portal.eca-meta.xml") is not None
    assert text(the("*.ecaOauth-meta.xml"), "commaSeparatedOauthScopes") == "Api"
    assert text(policies, "permittedUsersPolicyType") == "AdminApprovedPreAuthorized"
    assert text(policies, "commaSeparatedPermissionSet") == "Lead_Handoff_Integration"
