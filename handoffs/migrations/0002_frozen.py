from django.db import migrations

FORWARDS = """
CREATE FUNCTION handoffs_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is frozen: % refused', TG_TABLE_NAME, lower(TG_OP)
        USING ERRCODE = 'integrity_constraint_violation',
              HINT = 'What somebody decided on is kept as it was.';
END $$;

CREATE TRIGGER context_package_is_frozen BEFORE UPDATE OR DELETE ON handoffs_contextpackage
    FOR EACH ROW EXECUTE FUNCTION handoffs_refuse_change();
CREATE TRIGGER routing_decision_is_frozen BEFORE UPDATE OR DELETE ON handoffs_routingdecision
    FOR EACH ROW EXECUTE FUNCTION handoffs_refuse_change();
"""

BACKWARDS = """
DROP TRIGGER routing_decision_is_frozen ON handoffs_routingdecision;
DROP TRIGGER context_package_is_frozen ON handoffs_contextpackage;
DROP FUNCTION handoffs_refuse_change();
"""


class Migration(migrations.Migration):
    """Packages and routing decisions refuse update and delete (HAND-3, HAND-5)."""

    dependencies = [("handoffs", "0001_initial")]

    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
