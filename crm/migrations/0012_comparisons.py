"""What a comparison of both sides explains and how far it is; the org that all we know comes from."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("crm", "0011_written_by_then")]

    operations = [
        migrations.AddField(
            model_name="connection",
            name="organization_id",
            field=models.CharField(
                blank=True,
                editable=False,
                help_text="The org that all we know of Salesforce comes from. Signing in to another one is "
                "refused.",
                max_length=18,
            ),
        ),
        migrations.AlterField(
            model_name="leadsync",
            name="salesforce_id",
            field=models.CharField(blank=True, db_collation="C", max_length=18),
        ),
        migrations.AddField(
            model_name="reconciliation",
            name="explained",
            field=models.JSONField(
                default=dict, help_text="By why: records whose difference explains itself."
            ),
        ),
        migrations.AddField(
            model_name="reconciliation",
            name="stage",
            field=models.CharField(
                choices=[
                    ("leads", "Leads"),
                    ("unknown_there", "Leads that Salesforce does not know"),
                    ("tasks", "Tasks"),
                ],
                default="leads",
                max_length=13,
            ),
        ),
        migrations.AlterField(
            model_name="reconciliation",
            name="reached",
            field=models.CharField(
                blank=True,
                help_text="What was compared last of its stage: an id there, or a key.",
                max_length=255,
            ),
        ),
    ]
