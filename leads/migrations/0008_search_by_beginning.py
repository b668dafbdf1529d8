import django.contrib.postgres.indexes
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("leads", "0007_what_routing_asks"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="company",
            index=models.Index(
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Upper("name"), name="text_pattern_ops"
                ),
                name="company_name_begins",
            ),
        ),
        migrations.AddIndex(
            model_name="company",
            index=models.Index(
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Upper("domain"), name="text_pattern_ops"
                ),
                name="company_domain_begins",
            ),
        ),
        migrations.AddIndex(
            model_name="lead",
            index=models.Index(
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Upper("first_name"), name="text_pattern_ops"
                ),
                name="lead_first_name_begins",
            ),
        ),
        migrations.AddIndex(
            model_name="lead",
            index=models.Index(
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Upper("last_name"), name="text_pattern_ops"
                ),
                name="lead_last_name_begins",
            ),
        ),
        migrations.AddIndex(
            model_name="lead",
            index=models.Index(
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Upper("email"), name="text_pattern_ops"
                ),
                name="lead_email_begins",
            ),
        ),
    ]
