"""A bulk job is filled before it is handed over, and may be followed by the job of its tasks."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("crm", "0006_seed_mapping")]

    operations = [
        migrations.AddField(
            model_name="bulkjob",
            name="operation",
            field=models.CharField(
                choices=[("upsert", "New records"), ("update", "Changes of known records")],
                default="upsert",
                max_length=6,
            ),
        ),
        migrations.AlterField(
            model_name="bulkjob",
            name="state",
            field=models.CharField(
                choices=[
                    ("filling", "Being filled"),
                    ("opening", "Being handed over"),
                    ("uploaded", "Handed to Salesforce"),
                    ("done", "Done"),
                    ("failed", "Failed"),
                ],
                default="filling",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="bulkjob", name="rows", field=models.PositiveIntegerField(default=0)
        ),
        migrations.AddField(
            model_name="bulkjob",
            name="follows",
            field=models.ForeignKey(
                help_text="The job of the leads whose tasks this one carries, once it is done.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="followers",
                to="crm.bulkjob",
            ),
        ),
        migrations.AddField(
            model_name="bulkjob",
            name="processed",
            field=models.PositiveIntegerField(default=0, help_text="As Salesforce told last."),
        ),
        migrations.AddField(
            model_name="bulkjob", name="handed_over_at", field=models.DateTimeField(null=True)
        ),
        migrations.AddField(
            model_name="bulkjob",
            name="began_at",
            field=models.DateTimeField(
                help_text="By Salesforce's clock: before it, nothing of this took effect.", null=True
            ),
        ),
    ]
