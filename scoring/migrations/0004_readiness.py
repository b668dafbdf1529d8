from django.db import migrations, models


class Migration(migrations.Migration):
    """The second axis of the category matrix is readiness, which is fit in the additive formula."""

    dependencies = [("scoring", "0003_lead_score_room")]

    operations = [
        migrations.RenameField("categorytier", "min_fit", "min_readiness"),
        migrations.AddField("leadscore", "readiness", models.IntegerField(default=0)),
        migrations.RunSQL("UPDATE scoring_leadscore SET readiness = fit", migrations.RunSQL.noop),
    ]
