from django.db import migrations, models

# What may still change of a signal that a published version counts: marks that say nothing about its meaning.
SIGNAL = """
CREATE OR REPLACE FUNCTION scoring_refuse_signal_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    marks text[] := ARRAY[{marks}];
BEGIN
    IF to_jsonb(NEW) - marks <> to_jsonb(OLD) - marks AND scoring_signal_is_published(OLD.id) THEN
        RAISE EXCEPTION 'Signal % is counted by a published version: make a new revision', OLD.key
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    """Matching the past to a new signal goes on where it was interrupted (SCORE-1)."""

    dependencies = [("scoring", "0011_pilot_is_settled")]

    operations = [
        migrations.AddField(
            model_name="signal",
            name="backfilled_to",
            field=models.BigIntegerField(blank=True, editable=False, null=True),
        ),
        migrations.RunSQL(
            SIGNAL.format(marks="'retired_at', 'backfilled_at', 'backfilled_to'"),
            SIGNAL.format(marks="'retired_at', 'backfilled_at'"),
        ),
    ]
