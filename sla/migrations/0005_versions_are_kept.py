from django.db import migrations

FORWARDS = """
CREATE FUNCTION sla_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is history: % refused', TG_TABLE_NAME, lower(TG_OP)
        USING ERRCODE = 'integrity_constraint_violation',
              HINT = 'Change the policy: what it says then is the next version.';
END $$;

CREATE TRIGGER policy_version_is_kept BEFORE UPDATE OR DELETE ON sla_policyversion
    FOR EACH ROW EXECUTE FUNCTION sla_refuse_change();
"""

BACKWARDS = """
DROP TRIGGER policy_version_is_kept ON sla_policyversion;
DROP FUNCTION sla_refuse_change();
"""


class Migration(migrations.Migration):
    """Versions of policies refuse update and delete (SLA-4)."""

    dependencies = [("sla", "0001_initial")]

    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
