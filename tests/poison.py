"""Rows that the database refuses to change, as a fault in the data or the code would have it."""

from __future__ import annotations

from django.db import connection

from leads.models import Lead


def poison(lead: Lead) -> None:
    """From now on every change of this lead fails."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            CREATE FUNCTION refuse_poisoned() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'poisoned'; END $$;
            CREATE TRIGGER refuse_poisoned BEFORE UPDATE ON leads_lead
                FOR EACH ROW WHEN (OLD.id = {int(lead.pk)}) EXECUTE FUNCTION refuse_poisoned();
            """
        )


def heal() -> None:
    """Repair what poison() broke."""
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION refuse_poisoned() CASCADE")
