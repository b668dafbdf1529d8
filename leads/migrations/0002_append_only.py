from django.db import migrations

FORWARDS = """
CREATE FUNCTION leads_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, lower(TG_OP)
        USING ERRCODE = 'integrity_constraint_violation',
              HINT = 'Append an entry that sets it right instead.';
END $$;

CREATE TRIGGER lead_event_is_append_only BEFORE UPDATE OR DELETE ON leads_leadevent
    FOR EACH ROW EXECUTE FUNCTION leads_refuse_change();
CREATE TRIGGER attribute_change_is_append_only BEFORE UPDATE OR DELETE ON leads_attributechange
    FOR EACH ROW EXECUTE FUNCTION leads_refuse_change();
"""

BACKWARDS = """
DROP TRIGGER attribute_change_is_append_only ON leads_attributechange;
DROP TRIGGER lead_event_is_append_only ON leads_leadevent;
DROP FUNCTION leads_refuse_change();
"""


class Migration(migrations.Migration):
    """The log and the history refuse update and delete (HAND-2, INTAKE-1)."""

    dependencies = [("leads", "0001_initial")]

    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
