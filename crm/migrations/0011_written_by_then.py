from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("crm", "0010_our_calls")]

    operations = [
        migrations.RemoveField(model_name="bulkjob", name="began_at"),
        migrations.AlterField(
            model_name="leadsync",
            name="acknowledged_at",
            field=models.DateTimeField(
                null=True,
                help_text="By Salesforce's clock, to the second: by then that had taken effect.",
            ),
        ),
    ]
