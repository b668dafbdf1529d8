"""Our API calls, counted by the hour; and when a spent share was probed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("crm", "0008_bulk_jobs")]

    operations = [
        migrations.CreateModel(
            name="CallCount",
            fields=[
                (
                    "hour",
                    models.DateTimeField(help_text="Its beginning.", primary_key=True, serialize=False),
                ),
                ("calls", models.PositiveIntegerField()),
            ],
        ),
        migrations.AddField(
            model_name="connection",
            name="probed_at",
            field=models.DateTimeField(
                help_text="When a call was last let through to learn new figures.", null=True
            ),
        ),
    ]
