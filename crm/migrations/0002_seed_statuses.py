"""The statuses of a Salesforce org as it comes. Operators change them in the admin."""

from django.db import migrations

STATUSES = {
    "lead": "Open - Not Contacted",
    "mql": "Open - Not Contacted",
    "sal": "Working - Contacted",
    "sql": "Working - Contacted",
    "opportunity": "Working - Contacted",
    "nurture": "Closed - Not Converted",
    "disqualified": "Closed - Not Converted",
    "lost": "Closed - Not Converted",
    # A customer has none: that status is set by converting the lead, never by writing it.
}


def seed(apps, schema_editor):
    StatusMapping = apps.get_model("crm", "StatusMapping")
    StatusMapping.objects.bulk_create(
        StatusMapping(stage=stage, status=status) for stage, status in STATUSES.items()
    )


class Migration(migrations.Migration):
    dependencies = [("crm", "0001_initial")]

    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
