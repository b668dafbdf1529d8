"""Fills the database by SQL: leads with a company each among many, and a few activities per lead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection, models

from leads.models import Activity, Company, Lead

LEADS_PER_COMPANY = 10


def populate(
    *,
    leads: int,
    activities_per_lead: int,
    lead_facts: Mapping[str, str] | None = None,
    numbered_from: int = 1,
) -> None:
    """Insert that many leads with spread-out facts, and let the planner know.

    `lead_facts` gives further columns of the lead as SQL, in which n is its number.
    """
    companies = max(1, leads // LEADS_PER_COMPANY)
    company_from = 1 + numbered_from // LEADS_PER_COMPANY
    _insert(
        Company,
        range(company_from, company_from + companies),
        {
            "name": "'Company ' || n",
            "domain": "'company' || n || '.example'",
            "employee_count": "n % 5000",
            "industry": "(ARRAY['Manufacturing', 'Logistics', 'Retail', 'Software'])[1 + n % 4]",
            "country": "(ARRAY['Germany', 'France', 'United Kingdom'])[1 + n % 3]",
            "created_at": "now() - interval '400 days'",
        },
    )
    _insert(
        Lead,
        range(numbered_from, numbered_from + leads),
        {
            "public_id": "gen_random_uuid()",
            "email": f"'person' || n || '@company' || (1 + n / {LEADS_PER_COMPANY}) || '.example'",
            "first_name": "'First' || n",
            "last_name": "'Last' || n",
            "title": "(ARRAY['CEO', 'Head of Logistics', 'Engineer', 'Student'])[1 + n % 4]",
            "country": "(ARRAY['Germany', 'France', 'United Kingdom'])[1 + n % 3]",
            "company_id": "(SELECT min(id) FROM leads_company) + "
            f"(n / {LEADS_PER_COMPANY}) % {max(1, leads // LEADS_PER_COMPANY)}",
            "created_at": "now() - interval '300 days' * random()",
            **(lead_facts or {}),
        },
    )
    for _ in range(activities_per_lead):
        _insert(
            Activity,
            range(numbered_from, numbered_from + leads),
            {
                "lead_id": "(SELECT min(id) FROM leads_lead) + n - 1",
                "event": "(ARRAY['Page Viewed', 'Email Opened', 'Whitepaper Downloaded'])[1 + n % 3]",
                "properties": """'{"path": "/pricing"}'""",
                "occurred_at": "now() - interval '120 days' * random()",
                "received_at": "now()",
                "message_id": "gen_random_uuid()::text",
                "source": "'bench'",
            },
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _insert(model: type[models.Model], numbers: range, expressions: dict[str, str]) -> None:
    """Insert a row for each number n; fields without an expression get their default or null."""
    columns, values, parameters = [], [], []
    for field in model._meta.concrete_fields:
        if field.primary_key:
            continue
        columns.append(f'"{field.column}"')
        if field.column in expressions:
            values.append(expressions[field.column])
        else:
            values.append("%s")
            parameters.append(_default(field))
    sql = (
        f'INSERT INTO "{model._meta.db_table}" ({", ".join(columns)}) '
        f"SELECT {', '.join(values)} FROM generate_series({numbers[0]}, {numbers[-1]}) AS n"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql.replace("% ", "%% "), parameters)


def _default(field: models.Field[Any, Any]) -> Any:
    return None if field.null else field.get_db_prep_save(field.get_default(), connection)
