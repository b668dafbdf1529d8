from django.db import migrations
from django.utils import timezone

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


CONDITIONS = (
    "category", "warmth", "source", "countries", "industries", "min_employees", "max_employees",
    "is_instant_mql", "is_catch_all",
)  # fmt: skip
TARGET = (
    "kind", "mode", "minutes", "attempts", "max_pause_minutes", "warn_percent", "after_hours_minutes",
    "restarts_on_reassignment",
)  # fmt: skip
STEP = ("action", "after_minutes", "kinds", "waits_for_receiver", "lapses")
KINDS = (
    "crm_transfer", "notification", "opened", "decision", "first_contact", "cadence", "quality_check",
    "return",
)  # fmt: skip


def keep_first_versions(apps, schema_editor):
    """Version 1 of each policy is what its rows say today; nobody in particular put it into force."""
    now = timezone.now()
    for policy in apps.get_model("sla", "Policy").objects.filter(version=0):
        targets = sorted(policy.targets.all(), key=lambda target: KINDS.index(target.kind))
        terms = {
            "conditions": values(policy, CONDITIONS),
            "targets": [values(target, TARGET) for target in targets],
            "steps": [values(step, STEP) for step in policy.steps.order_by("after_minutes", "id")],
            "reviews_breaches": policy.reviews_breaches,
        }
        policy.versions.create(number=1, terms=terms, at=now)
        policy.version = 1
        policy.save(update_fields=["version"])


def values(row, names):
    return {name: getattr(row, name) for name in names}


class Migration(migrations.Migration):
    """Versions of policies refuse update and delete, and each policy has its first (SLA-4)."""

    dependencies = [("sla", "0004_terms_ladder_incidents_tickets")]

    operations = [
        migrations.RunSQL(FORWARDS, BACKWARDS),
        migrations.RunPython(keep_first_versions, migrations.RunPython.noop),
    ]
