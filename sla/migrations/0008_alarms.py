from django.db import migrations

# Starting values: how long what is missed may be missed, and how long the owner of the ticket has, both in
# minutes of working time. The protocol gives no numbers; managers set their own in the admin.
USUAL = {
    "not_opened": (60, 120),
    "no_activity": (480, 240),
    "unexplained_return": (None, 480),
    "crm_failing": (30, 120),
    "cadence_abandoned": (None, 480),
    "escalated": (None, 240),
}


def seed(apps, schema_editor):
    settings = apps.get_model("sla", "AlarmSetting").objects
    for alarm, (after, answer) in USUAL.items():
        settings.get_or_create(alarm=alarm, defaults={"after_minutes": after, "answer_minutes": answer})


class Migration(migrations.Migration):
    dependencies = [("sla", "0005_versions_are_kept")]

    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
