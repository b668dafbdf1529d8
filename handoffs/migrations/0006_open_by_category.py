from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("handoffs", "0005_decision_shares"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="handoff",
            index=models.Index(
                condition=models.Q(("closed_at", None)),
                fields=["category", "created_at", "id"],
                name="handoff_open_by_category",
            ),
        ),
    ]
