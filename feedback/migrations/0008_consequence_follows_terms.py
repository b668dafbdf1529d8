from django.db import migrations, models

# A delay that is written out would no longer be true once somebody changes it.
FOLLOW_THE_DELAY = """
UPDATE feedback_rejectionreason
SET consequence = replace(consequence, recycle_after_days || ' days', '{days}')
WHERE recycle_after_days IS NOT NULL
"""


class Migration(migrations.Migration):
    dependencies = [("feedback", "0007_what_reasons_ask")]

    operations = [
        migrations.AlterField(
            model_name="rejectionreason",
            name="consequence",
            field=models.CharField(
                help_text="Shown under the option when a rep chooses. {days} and {attributes} are filled in: the "
                "delay, and what must change.",
                max_length=200,
            ),
        ),
        migrations.RunSQL(FOLLOW_THE_DELAY, reverse_sql=migrations.RunSQL.noop),
    ]
