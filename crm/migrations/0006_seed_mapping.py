"""The mapping that a portal begins with."""

from django.db import migrations

# Ours, theirs, and how many characters a new org's field holds. A rep corrects what a lead said of itself, and
# the lead fills what nobody knows.
CORRECTED_BY_REPS = (
    ("first_name", "FirstName", 40),
    ("last_name", "LastName", 80),
    ("title", "Title", 128),
    ("phone", "Phone", 40),
    ("website", "Website", 255),
    ("country", "Country", 80),
    ("industry", "Industry", 40),
    ("employee_count", "NumberOfEmployees", None),
    # An unticked box says nothing: whichever side hears of it first tells the other.
    ("unsubscribed", "HasOptedOutOfEmail", None),
)
TOLD = (
    ("email", "Email", 80),
    # A lead who changes employers is no reason to rename the company that others share.
    ("company", "Company", 255),
    ("source", "LeadSource", 40),
    ("campaign", "Portal_Campaign__c", 120),
    ("language", "Portal_Language__c", 40),
    ("product_line", "Portal_Product_Line__c", 80),
    ("deal_size", "Portal_Deal_Size__c", None),
    ("budget", "Portal_Budget__c", 200),
    ("timeline", "Portal_Timeline__c", 200),
    ("current_solution", "Portal_Current_Solution__c", 500),
    ("pain_point", "Portal_Pain_Point__c", 1000),
    ("consent_at", "Portal_Consent_At__c", None),
)
OURS_ALONE = (
    ("stage", "Portal_Stage__c", 255),
    ("score", "Portal_Score__c", None),
    ("fit", "Portal_Fit__c", None),
    ("engagement", "Portal_Engagement__c", None),
    ("category", "Portal_Category__c", 255),
    ("warmth", "Portal_Warmth__c", 255),
    ("handoff_status", "Portal_Handoff_Status__c", 255),
    ("handoff_at", "Portal_Handoff_At__c", None),
    ("accepted_at", "Portal_Accepted_At__c", None),
    ("rejected_at", "Portal_Rejected_At__c", None),
    ("first_contact_at", "Portal_First_Contact_At__c", None),
    ("attempts", "Portal_Attempts__c", None),
    ("rejection_reason", "Portal_Rejection_Reason__c", 80),
    ("sla_due_at", "Portal_SLA_Due__c", None),
    ("sla_breached", "Portal_SLA_Breached__c", None),
    ("lead_url", "Portal_URL__c", 255),
)
OF_TASK = (("handoff_url", "Portal_URL__c", 255),)


def seed(apps, schema_editor):
    FieldMapping = apps.get_model("crm", "FieldMapping")

    def mappings(fields, **how):
        for portal_field, salesforce_field, max_length in fields:
            yield FieldMapping(
                portal_field=portal_field, salesforce_field=salesforce_field, max_length=max_length, **how
            )

    FieldMapping.objects.bulk_create(
        [
            *mappings(CORRECTED_BY_REPS, direction="both", rule="ours_if_blank"),
            *mappings(TOLD, direction="push"),
            *mappings(OURS_ALONE, direction="push", sends_blanks=True),
            *mappings(OF_TASK, object_name="Task", direction="push", sends_blanks=True),
        ]
    )


class Migration(migrations.Migration):
    dependencies = [("crm", "0005_marks_by_trigger")]

    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
