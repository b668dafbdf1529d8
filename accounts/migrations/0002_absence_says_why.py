from django.db import migrations, models


class Migration(migrations.Migration):
    """Only the words for a person: the database has the constraint."""

    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.AlterConstraint(
            model_name="absence",
            name="absence_ends_after_it_starts",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_at__gt", models.F("starts_at"))),
                name="absence_ends_after_it_starts",
                violation_error_message="An absence ends after it starts: give a later end.",
            ),
        ),
    ]
