import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("handoffs", "0006_open_by_category"),
    ]

    operations = [
        migrations.AddField(
            model_name="qualificationgate",
            name="evidence_needed",
            field=models.BooleanField(
                default=False, help_text="On: each yes that is needed must say what the lead said."
            ),
        ),
        migrations.AlterField(
            model_name="poolmembership",
            name="weight",
            field=models.PositiveSmallIntegerField(
                default=1, validators=[django.core.validators.MinValueValidator(1)]
            ),
        ),
    ]
