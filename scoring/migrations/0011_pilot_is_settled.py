from django.db import migrations

# Who is in a pilot is part of what was approved; only its start and its end come later.
PILOT = """
CREATE FUNCTION scoring_refuse_pilot_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM scoring_modelversion WHERE id = OLD.version_id AND status <> 'draft') THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP = 'UPDATE'
        AND to_jsonb(NEW) - 'started_at' - 'ended_at' = to_jsonb(OLD) - 'started_at' - 'ended_at'
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'The leads of a pilot cannot be changed once it is proposed'
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER scoring_pilot_is_settled BEFORE UPDATE OR DELETE ON scoring_pilot
    FOR EACH ROW EXECUTE FUNCTION scoring_refuse_pilot_change();
"""

UNDO = """
DROP TRIGGER scoring_pilot_is_settled ON scoring_pilot;
DROP FUNCTION scoring_refuse_pilot_change();
"""


class Migration(migrations.Migration):
    """The share and the segment of a pilot stay as they were proposed (SCORE-10)."""

    dependencies = [("scoring", "0010_rules_changed_at")]

    operations = [migrations.RunSQL(PILOT, UNDO)]
