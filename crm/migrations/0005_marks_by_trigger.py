from django.db import migrations

# A transition of stage or owner is its own statement, before the log raises the revision: both leave a mark,
# and the more urgent counts.
TRIGGER = """
CREATE FUNCTION crm_mark_lead() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO crm_leadchange (lead_id, lane, at) VALUES (
        NEW.id,
        CASE
            WHEN NEW.stage IN ('mql', 'sal', 'sql', 'opportunity') THEN 0
            WHEN TG_OP = 'UPDATE' AND (NEW.stage, NEW.owner_id) IS DISTINCT FROM (OLD.stage, OLD.owner_id)
                THEN 0
            ELSE 1
        END,
        now()
    );
    RETURN NULL;
END $$;
CREATE TRIGGER lead_added_is_marked AFTER INSERT ON leads_lead
    FOR EACH ROW EXECUTE FUNCTION crm_mark_lead();
CREATE TRIGGER lead_changed_is_marked AFTER UPDATE OF revision, stage, owner_id ON leads_lead
    FOR EACH ROW
    WHEN ((NEW.revision, NEW.stage, NEW.owner_id) IS DISTINCT FROM (OLD.revision, OLD.stage, OLD.owner_id))
    EXECUTE FUNCTION crm_mark_lead();
"""
WITHOUT = """
DROP TRIGGER lead_added_is_marked ON leads_lead;
DROP TRIGGER lead_changed_is_marked ON leads_lead;
DROP FUNCTION crm_mark_lead();
"""


class Migration(migrations.Migration):
    dependencies = [("crm", "0002_seed_statuses"), ("leads", "0001_initial")]

    operations = [migrations.RunSQL(TRIGGER, WITHOUT)]
