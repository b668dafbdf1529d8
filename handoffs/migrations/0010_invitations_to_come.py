from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("handoffs", "0009_activity_is_checked"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="calendarinvitation",
            index=models.Index(fields=["starts_at"], name="invitation_to_come"),
        ),
    ]
