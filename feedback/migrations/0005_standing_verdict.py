from django.db import migrations

WITH_UNDOING = """
CREATE OR REPLACE FUNCTION feedback_require_verdict() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Read anew: the row may have changed again before the commit at which this runs.
    IF EXISTS (SELECT FROM handoffs_handoff WHERE id = NEW.id AND status = 'rejected')
       AND 1 <> (
           SELECT count(*) FROM feedback_verdict verdict
           LEFT JOIN feedback_verdictundoing undoing ON undoing.verdict_id = verdict.id
           WHERE verdict.handoff_id = NEW.id AND undoing.verdict_id IS NULL
       ) THEN
        RAISE EXCEPTION 'handoff % is rejected without a verdict that stands', NEW.id
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'rejection_has_its_verdict',
                  HINT = 'Reject through feedback.services.reject_handoff.';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER undoing_stands BEFORE UPDATE OR DELETE ON feedback_verdictundoing
    FOR EACH ROW EXECUTE FUNCTION feedback_refuse_change();
"""

WITHOUT = """
DROP TRIGGER undoing_stands ON feedback_verdictundoing;

CREATE OR REPLACE FUNCTION feedback_require_verdict() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM handoffs_handoff WHERE id = NEW.id AND status = 'rejected')
       AND NOT EXISTS (SELECT FROM feedback_verdict WHERE handoff_id = NEW.id) THEN
        RAISE EXCEPTION 'handoff % is rejected without a verdict', NEW.id
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'rejection_has_its_verdict',
                  HINT = 'Reject through feedback.services.reject_handoff.';
    END IF;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    """A rejected handoff has exactly one verdict that was not undone (QUEUE-2)."""

    dependencies = [("feedback", "0004_the_whole_loop")]

    operations = [migrations.RunSQL(WITH_UNDOING, WITHOUT)]
