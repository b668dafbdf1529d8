from django.db import migrations


class Migration(migrations.Migration):
    """Half of each page stays free, so that re-scoring updates rows in place (HOT) and leaves indexes alone."""

    dependencies = [("scoring", "0002_published_is_immutable")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE scoring_leadscore SET (fillfactor = 50)",
            "ALTER TABLE scoring_leadscore RESET (fillfactor)",
        )
    ]
