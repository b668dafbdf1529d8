"""A person nobody knew: looked for by one statement, written with company and first log entry by another.

They are by far the most frequent of intake, so both are prepared. The rows travel as JSON by column: a new
field of a model needs no change here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from django.db import connection
from django.db.models import Model

from accounts.models import User
from common.prepared import columns_of, execute_prepared, made_of
from leads.facts import LeadFacts
from leads.models import Company, Lead, LeadEvent
from leads.services import event_of_creation

# Each condition says again what its partial index says, or the index could not be used.
_LOOK = """
SELECT EXISTS (SELECT FROM leads_lead WHERE email = %(email)s::text AND email <> '')
    OR EXISTS (SELECT FROM leads_lead WHERE source_system = %(source_system)s::text
        AND external_id = %(external_id)s::text AND external_id <> ''),
    ARRAY(SELECT ARRAY[said.field::text, said.value::text] FROM leads_otheranswer said
        WHERE said.company_id = company.id),
    {company}
FROM (SELECT) nobody
LEFT JOIN leads_company company ON company.domain = %(domain)s::text AND company.domain <> ''
"""

_INSERT = """
WITH company AS (
    INSERT INTO leads_company ({company})
    SELECT {company} FROM jsonb_populate_record(NULL::leads_company, %(company)s::jsonb)
    WHERE %(company)s::jsonb IS NOT NULL
    RETURNING id
), lead AS (
    INSERT INTO leads_lead (company_id, {lead})
    SELECT coalesce(%(company_id)s::bigint, (SELECT id FROM company)), {lead}
    FROM jsonb_populate_record(NULL::leads_lead, %(lead)s::jsonb)
    RETURNING id, company_id
), event AS (
    INSERT INTO leads_leadevent (lead_id, {event})
    SELECT lead.id, {event} FROM lead, jsonb_populate_record(NULL::leads_leadevent, %(event)s::jsonb)
)
SELECT id, company_id, pg_advisory_xact_lock_shared(%(lock)s::bigint) FROM lead
"""

# Any number will do; it must only differ from other advisory locks of the portal.
_NEWCOMERS_LOCK = 7_301_002


@dataclass(frozen=True, slots=True)
class Known:
    """What is known before a person is recorded. `person`: somebody has the address or the external id.
    `kept`: field and value of every other answer about the company."""

    person: bool
    company: Company | None
    kept: Sequence[Sequence[str]]


def look_for(facts: LeadFacts, *, domain: str) -> Known:
    """What is known of the person, and of the company of that domain. Locks nothing."""
    keys = {"email": facts.email, "source_system": facts.source_system, "external_id": facts.external_id}
    with connection.cursor() as cursor:
        execute_prepared(cursor, _look(), keys | {"domain": domain})
        person, kept, *company = cursor.fetchone()
    return Known(person, None if company[0] is None else made_of(Company, company), kept)


def insert_newcomer(lead: Lead, *, by: User | None, via: str) -> None:
    """Insert the lead, its company if that is not stored yet, and begin the lead's log.

    Nobody sees the lead until it is committed; whoever must, waits with wait_for_newcomers(). Raises
    IntegrityError if somebody was quicker with the address, the external id or the company's domain.
    """
    company = lead.company if lead.company and lead.company.pk is None else None
    parameters = {
        "company": company and _as_json(company),
        "company_id": lead.company_id,
        "lead": _as_json(lead),
        "event": _as_json(event_of_creation(lead, by=by, via=via)),
        "lock": _NEWCOMERS_LOCK,
    }
    with connection.cursor() as cursor:
        execute_prepared(cursor, _insert(), parameters)
        lead.pk, company_id, _ = cursor.fetchone()
    _is_stored(lead)
    if company:
        company.pk, lead.company = company_id, company
        _is_stored(company)


def wait_for_newcomers() -> None:
    """Until every lead inserted above is committed or gone. Those who come meanwhile wait as long."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_NEWCOMERS_LOCK])
        cursor.execute("SELECT pg_advisory_unlock(%s)", [_NEWCOMERS_LOCK])


def _is_stored(row: Model) -> None:
    row._state.adding, row._state.db = False, connection.alias


def _as_json(row: Company | Lead | LeadEvent) -> str:
    values = {column: getattr(row, name) for column, name in _given(type(row)).items()}
    return json.dumps(values, default=str)


@cache
def _look() -> str:
    return _LOOK.format(company=columns_of(Company, "company"))


@cache
def _insert() -> str:
    company, lead, event = (", ".join(_given(model)) for model in (Company, Lead, LeadEvent))
    return _INSERT.format(company=company, lead=lead, event=event)


@cache
def _given(model: type[Model]) -> dict[str, str]:
    """The attributes by column, but for what the statement or the database gives itself."""
    fields = [field for field in model._meta.concrete_fields if not (field.primary_key or field.generated)]
    return {str(field.column): field.attname for field in fields if field.name not in ("lead", "company")}
