import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0005_escalations_and_digests"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Digest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(choices=[("daily", "Daily"), ("weekly", "Weekly")], max_length=6)),
                (
                    "on",
                    models.DateField(help_text="The day, or the Monday of the week, by the person's clock."),
                ),
                ("made_at", models.DateTimeField()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="delivery",
            name="delivery_status_fits_its_times",
        ),
        migrations.AddField(
            model_name="delivery",
            name="held_at",
            field=models.DateTimeField(help_text="When it was put off because of quiet hours.", null=True),
        ),
        migrations.AddField(
            model_name="delivery",
            name="merged_into",
            field=models.ForeignKey(
                help_text="The summary of what waited for the end of quiet hours.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="notifications.delivery",
            ),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="status",
            field=models.CharField(
                choices=[
                    ("queued", "Waits"),
                    ("sending", "On its way"),
                    ("sent", "Sent"),
                    ("given_up", "Given up"),
                    ("merged", "In a summary"),
                ],
                default="queued",
                max_length=8,
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("attempts", 0), ("held_at__isnull", False), ("status", "queued")),
                fields=["recipient"],
                name="delivery_held",
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("next_try_at__isnull", False),
                        ("sent_at", None),
                        ("status__in", ["queued", "sending"]),
                    ),
                    models.Q(("next_try_at", None), ("sent_at__isnull", False), ("status", "sent")),
                    models.Q(("next_try_at", None), ("sent_at", None), ("status", "given_up")),
                    models.Q(
                        ("merged_into__isnull", False),
                        ("next_try_at", None),
                        ("sent_at", None),
                        ("status", "merged"),
                    ),
                    _connector="OR",
                ),
                name="delivery_status_fits_its_times",
            ),
        ),
        migrations.AddField(
            model_name="digest",
            name="person",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="digests",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="digest",
            constraint=models.UniqueConstraint(fields=("person", "kind", "on"), name="digest_is_made_once"),
        ),
    ]
