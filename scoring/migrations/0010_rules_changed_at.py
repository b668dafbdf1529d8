from django.db import migrations, models

# What was listed before: by the latest change that had begun by then.
FILL = """
UPDATE scoring_releaseitem item SET rules_changed_at = coalesce(
    (SELECT max(started_at) FROM scoring_rescoring rescoring
     WHERE rescoring.version_id = item.version_id AND rescoring.started_at <= item.listed_at),
    item.listed_at)
"""


class Migration(migrations.Migration):
    """A listed lead remembers when the rules changed for it: a pilot's end is later than its publish."""

    dependencies = [("scoring", "0009_proposed_against")]

    operations = [
        migrations.AddField("releaseitem", "rules_changed_at", models.DateTimeField(null=True)),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AlterField("releaseitem", "rules_changed_at", models.DateTimeField()),
        migrations.AlterField(
            "releaseitem",
            "decision",
            models.CharField(
                blank=True,
                choices=[
                    ("released", "Released to sales"),
                    ("dismissed", "Kept back"),
                    ("overtaken", "Went without release"),
                ],
                max_length=12,
            ),
        ),
    ]
