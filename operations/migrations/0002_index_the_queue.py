"""django-q2 asks for a free task of the queue 20 times a second, in no order and without an index.

With one, the scan stays cheap however long the queue, and begins with the task that waits longest.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("operations", "0001_initial"),
        ("django_q", "0019_alter_task_options_alter_ormq_key_alter_ormq_lock_and_more"),
    ]

    operations = [
        migrations.RunSQL(
            "CREATE INDEX operations_oldest_queued ON django_q_ormq (key, lock)",
            "DROP INDEX operations_oldest_queued",
        ),
    ]
