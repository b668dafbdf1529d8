from importlib import import_module

from django.db import migrations

# What may happen to a version once it is no draft: its way through approval, pilot, publishing and retirement.
# What it says stays as it is.
VERSION = """
CREATE OR REPLACE FUNCTION scoring_refuse_version_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    workflow text[] := ARRAY['status', 'note', 'proposed_at', 'proposed_by_id', 'approved_at',
        'approved_by_id', 'takes_effect_at', 'published_at', 'published_by_id', 'retired_at'];
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

GROUPS = """
CREATE TRIGGER scoring_rulegroup_is_immutable BEFORE INSERT OR UPDATE OR DELETE ON scoring_rulegroup
    FOR EACH ROW EXECUTE FUNCTION scoring_refuse_part_change();
"""

# Entries go only with the draft that they are about: PostgreSQL deletes the draft last.
HISTORY = """
CREATE FUNCTION scoring_refuse_history_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (
        SELECT FROM scoring_modelversion WHERE id = OLD.version_id AND status = 'draft'
    ) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'The history of scoring versions cannot be changed' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER scoring_history_is_append_only BEFORE UPDATE OR DELETE ON scoring_versionevent
    FOR EACH ROW EXECUTE FUNCTION scoring_refuse_history_change();
"""

UNDO = """
DROP TRIGGER scoring_history_is_append_only ON scoring_versionevent;
DROP FUNCTION scoring_refuse_history_change();
DROP TRIGGER scoring_rulegroup_is_immutable ON scoring_rulegroup;
"""

EARLIER = (
    import_module("scoring.migrations.0002_published_is_immutable")
    .VERSION.partition("CREATE TRIGGER")[0]
    .replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
)


class Migration(migrations.Migration):
    """Only drafts can be edited, and the history of versions is append-only (SCORE-1)."""

    dependencies = [("scoring", "0005_lifecycle")]

    operations = [migrations.RunSQL(VERSION + GROUPS + HISTORY, UNDO + EARLIER)]
