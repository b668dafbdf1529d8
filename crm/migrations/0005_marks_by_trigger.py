import django.db.models.deletion
from django.db import migrations, models

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

-- Until here, a lead whose revision was ahead was found by looking at all of them.
INSERT INTO crm_leadchange (lead_id, lane, at)
SELECT lead.id, CASE WHEN lead.stage IN ('mql', 'sal', 'sql', 'opportunity') THEN 0 ELSE 1 END, now()
FROM leads_lead lead LEFT JOIN crm_leadsync sync ON sync.lead_id = lead.id
WHERE sync.lead_id IS NULL
    OR lead.revision > sync.pushed_revision
    OR sync.resends_asked > sync.resends_taken;
"""
WITHOUT = """
DROP TRIGGER lead_added_is_marked ON leads_lead;
DROP TRIGGER lead_changed_is_marked ON leads_lead;
DROP FUNCTION crm_mark_lead();
"""


class Migration(migrations.Migration):
    dependencies = [("crm", "0004_both_ways"), ("leads", "0011_both_ways")]

    operations = [
        migrations.RemoveField(model_name="leadsync", name="not_before"),
        migrations.RenameField(model_name="leadsync", old_name="resends_done", new_name="resends_taken"),
        migrations.AlterField(
            model_name="leadsync",
            name="resends_taken",
            field=models.PositiveIntegerField(
                default=0, help_text="How many of `resends_asked` the last claim knew of."
            ),
        ),
        migrations.AlterField(
            model_name="leadsync",
            name="resends_asked",
            field=models.PositiveIntegerField(
                default=0,
                help_text="How often a change, of the lead or of a mapping, asked for a comparison.",
            ),
        ),
        migrations.AddField(
            model_name="leadsync",
            name="claimed_revision",
            field=models.PositiveIntegerField(
                default=0, help_text="The lead's revision as the last claim read it."
            ),
        ),
        migrations.AlterField(
            model_name="leadchange",
            name="lead",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="leads.lead",
            ),
        ),
        migrations.RunSQL(TRIGGER, WITHOUT),
    ]
