from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models

# What a version was proposed against belongs to its way through approval, as in 0006.
VERSION = """
CREATE OR REPLACE FUNCTION scoring_refuse_version_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    workflow text[] := ARRAY['status', 'note', 'proposed_at', 'proposed_by_id', 'proposed_against_id',
        'approved_at', 'approved_by_id', 'takes_effect_at', 'published_at', 'published_by_id', 'retired_at'];
BEGIN
    IF OLD.status = 'draft' AND (TG_OP = 'DELETE' OR NEW.status <> 'retired') THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - workflow = to_jsonb(OLD) - workflow THEN
        IF (OLD.status, NEW.status) IN (
            ('proposed', 'proposed'), ('proposed', 'draft'), ('proposed', 'scheduled'), ('proposed', 'pilot'),
            ('proposed', 'active'), ('scheduled', 'draft'), ('scheduled', 'pilot'), ('scheduled', 'active'),
            ('pilot', 'pilot'), ('pilot', 'active'), ('pilot', 'retired')
        ) THEN
            RETURN NEW;
        END IF;
        IF OLD.status = 'active' AND NEW.status = 'retired'
            AND to_jsonb(NEW) - 'status' - 'retired_at' = to_jsonb(OLD) - 'status' - 'retired_at'
        THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'Scoring version % is no draft and cannot be changed: edit a draft', OLD.number
        USING ERRCODE = 'restrict_violation';
END $$;
"""

EARLIER = import_module("scoring.migrations.0006_only_drafts_change").VERSION


class Migration(migrations.Migration):
    """A proposal remembers the active version that it was compared with."""

    dependencies = [("scoring", "0008_one_waiting_backtest")]

    operations = [
        migrations.AddField(
            model_name="modelversion",
            name="proposed_against",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="scoring.modelversion",
            ),
        ),
        migrations.RunSQL(VERSION, EARLIER),
    ]
