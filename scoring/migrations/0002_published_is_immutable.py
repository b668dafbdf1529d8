from django.db import migrations

# What may happen to a version once it is no draft: its way through approval, pilot, publishing and retirement.
# What it says stays as it is.
# Raised as an integrity error (23001, restrict_violation), so that Django reports it like any broken constraint.
VERSION = """
CREATE FUNCTION scoring_refuse_version_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    workflow text[] := ARRAY['status', 'note', 'proposed_at', 'proposed_by_id', 'proposed_against_id',
        'approved_at', 'approved_by_id', 'takes_effect_at', 'published_at', 'published_by_id', 'retired_at'];
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

CREATE TRIGGER scoring_version_is_immutable BEFORE UPDATE OR DELETE ON scoring_modelversion
    FOR EACH ROW EXECUTE FUNCTION scoring_refuse_version_change();
"""

# FOR SHARE waits for a publish that is under way, so that no rule slips in beside it.
PARTS = """
CREATE FUNCTION scoring_refuse_part_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    version_ids bigint[] := '{}';
BEGIN
    IF TG_OP <> 'INSERT' THEN version_ids := version_ids || OLD.version_id; END IF;
    IF TG_OP <> 'DELETE' THEN version_ids := version_ids || NEW.version_id; END IF;
    PERFORM 1 FROM scoring_modelversion WHERE id = ANY(version_ids) FOR SHARE;
    IF EXISTS (SELECT FROM scoring_modelversion WHERE id = ANY(version_ids) AND status <> 'draft') THEN
        RAISE EXCEPTION 'The scoring version is published and its parts cannot be changed: edit a draft'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
""" + "".join(
    f"""
CREATE TRIGGER scoring_{part}_is_immutable BEFORE INSERT OR UPDATE OR DELETE ON scoring_{part}
    FOR EACH ROW EXECUTE FUNCTION scoring_refuse_part_change();
"""
    for part in ("rule", "rulegroup", "decaystep", "categorytier")
)

# What may still change of a signal that a published version counts: marks that say nothing about its meaning.
# The lock on the signal orders its editors against a publish, which locks the signals that it counts.
SIGNALS = """
CREATE FUNCTION scoring_signal_is_published(wanted bigint) RETURNS boolean LANGUAGE sql AS $$
    SELECT EXISTS (
        SELECT FROM scoring_rule rule JOIN scoring_modelversion version ON version.id = rule.version_id
        WHERE rule.signal_id = wanted AND version.status <> 'draft'
    )
$$;

CREATE FUNCTION scoring_refuse_signal_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    marks text[] := ARRAY['retired_at', 'backfilled_at', 'backfilled_to'];
BEGIN
    IF to_jsonb(NEW) - marks <> to_jsonb(OLD) - marks AND scoring_signal_is_published(OLD.id) THEN
        RAISE EXCEPTION 'Signal % is counted by a published version: make a new revision', OLD.key
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER scoring_signal_is_immutable BEFORE UPDATE ON scoring_signal
    FOR EACH ROW EXECUTE FUNCTION scoring_refuse_signal_change();

CREATE FUNCTION scoring_refuse_condition_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    signal_ids bigint[] := '{}';
    wanted bigint;
BEGIN
    IF TG_OP <> 'INSERT' THEN signal_ids := signal_ids || OLD.signal_id; END IF;
    IF TG_OP <> 'DELETE' THEN signal_ids := signal_ids || NEW.signal_id; END IF;
    FOREACH wanted IN ARRAY signal_ids LOOP
        PERFORM 1 FROM scoring_signal WHERE id = wanted FOR NO KEY UPDATE;
        IF scoring_signal_is_published(wanted) THEN
            RAISE EXCEPTION 'The signal is counted by a published version: make a new revision'
                USING ERRCODE = 'restrict_violation';
        END IF;
    END LOOP;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE TRIGGER scoring_condition_is_immutable BEFORE INSERT OR UPDATE OR DELETE ON scoring_signalcondition
    FOR EACH ROW EXECUTE FUNCTION scoring_refuse_condition_change();
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
DROP TRIGGER scoring_history_is_append_only ON scoring_versionevent;
DROP FUNCTION scoring_refuse_history_change();
DROP TRIGGER scoring_condition_is_immutable ON scoring_signalcondition;
DROP FUNCTION scoring_refuse_condition_change();
DROP TRIGGER scoring_signal_is_immutable ON scoring_signal;
DROP FUNCTION scoring_refuse_signal_change();
DROP FUNCTION scoring_signal_is_published(bigint);
DROP TRIGGER scoring_categorytier_is_immutable ON scoring_categorytier;
DROP TRIGGER scoring_decaystep_is_immutable ON scoring_decaystep;
DROP TRIGGER scoring_rulegroup_is_immutable ON scoring_rulegroup;
DROP TRIGGER scoring_rule_is_immutable ON scoring_rule;
DROP FUNCTION scoring_refuse_part_change();
DROP TRIGGER scoring_version_is_immutable ON scoring_modelversion;
DROP FUNCTION scoring_refuse_version_change();
"""


class Migration(migrations.Migration):
    """Only drafts can be edited, by any road, and the history of versions is append-only (SCORE-1, SCORE-10)."""

    dependencies = [("scoring", "0001_initial")]

    operations = [migrations.RunSQL(VERSION + PARTS + SIGNALS + HISTORY + PILOT, UNDO)]
