from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("handoffs", "0004_routing_cadence_contract")]

    operations = [
        migrations.AddField(
            model_name="routingdecision",
            name="shares",
            field=models.JSONField(
                help_text="What the turns are booked with for this lead, {user_id: part}; null: as before.",
                null=True,
            ),
        ),
    ]
