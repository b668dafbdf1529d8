"""Indexes from which the live board counts, and the source of clocks that run or ran of late."""

from django.db import migrations, models
from django.db.models import Q

# As far back as figures reach. New clocks have it from their start. The category of older ones stays blank,
# which is "not known": that of the lead may have changed since, and handoffs lie above.
FILL = """
UPDATE sla_clock SET source = leads_lead.source
FROM leads_lead
WHERE leads_lead.id = sla_clock.lead_id AND sla_clock.started_at > now() - interval '366 days'
    AND sla_clock.source = '' AND leads_lead.source <> ''
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_absence_says_why"),
        ("leads", "0010_unsubscribed_and_escalated"),
        ("sla", "0005_versions_are_kept"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="clock", name="clock_late"),
        migrations.RemoveIndex(model_name="clock", name="clock_risk"),
        migrations.AddIndex(
            model_name="clock",
            index=models.Index(
                condition=Q(outcome="running", paused_at=None),
                fields=["due_at"],
                include=["owner", "team"],
                name="clock_late",
            ),
        ),
        migrations.AddIndex(
            model_name="clock",
            index=models.Index(
                condition=Q(
                    outcome="running", paused_at=None, risk_at__isnull=False, breach_recorded_at=None
                ),
                fields=["risk_at"],
                include=["due_at", "owner", "team"],
                name="clock_at_risk",
            ),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
