from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("crm", "0006_seed_mapping")]

    operations = [
        migrations.AddConstraint(
            model_name="connection",
            constraint=models.CheckConstraint(
                condition=models.Q(("changed_at", None), ("changed_by", None))
                | models.Q(("changed_at__isnull", False), ("changed_by__isnull", False)),
                name="connection_changed_has_time_and_person",
            ),
        ),
    ]
