from django.db import migrations

FORWARDS = """
CREATE FUNCTION feedback_require_verdict() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE CONSTRAINT TRIGGER rejection_has_its_verdict AFTER INSERT OR UPDATE OF status ON handoffs_handoff
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.status = 'rejected')
    EXECUTE FUNCTION feedback_require_verdict();

CREATE FUNCTION feedback_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a verdict stands: % refused', lower(TG_OP)
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER verdict_stands BEFORE UPDATE OR DELETE ON feedback_verdict
    FOR EACH ROW EXECUTE FUNCTION feedback_refuse_change();
CREATE TRIGGER undoing_stands BEFORE UPDATE OR DELETE ON feedback_verdictundoing
    FOR EACH ROW EXECUTE FUNCTION feedback_refuse_change();
"""

BACKWARDS = """
DROP TRIGGER undoing_stands ON feedback_verdictundoing;
DROP TRIGGER verdict_stands ON feedback_verdict;
DROP FUNCTION feedback_refuse_change();
DROP TRIGGER rejection_has_its_verdict ON handoffs_handoff;
DROP FUNCTION feedback_require_verdict();
"""


class Migration(migrations.Migration):
    """A rejected handoff has exactly one verdict that was not undone, and a verdict stands (QUEUE-2)."""

    dependencies = [("feedback", "0001_initial"), ("handoffs", "0001_initial")]

    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
