"""Generated people as rows, and what the engine says of them in the terms of the reference."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from leads.models import AttributeChange, Company, Lead, LeadEvent
from scoring.compile import RESULT_COLUMNS, Scope, compile_model
from scoring.language.rules import Model
from scoring.models import SignalHit
from tests.scoring.reference import Line, Outcome, Person
from tests.scoring.strategies import NUMBER

LONG_AGO = datetime.fromisoformat("2020-01-01T00:00+00:00")


@contextmanager
def stored(crowd: Sequence[Person], *, zone: str = "UTC") -> Iterator[list[int]]:
    """The people as rows, in order, undone afterwards; deferred foreign keys never come to be checked."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('TimeZone', %s, true)", [zone])
        yield _store(crowd)
        transaction.set_rollback(True)


def _store(crowd: Sequence[Person]) -> list[int]:
    companies = Company.objects.bulk_create(_company(person) for person in crowd)
    leads = Lead.objects.bulk_create(
        _lead(number, person, company)
        for number, (person, company) in enumerate(zip(crowd, companies, strict=True))
    )
    LeadEvent.objects.bulk_create(
        LeadEvent(lead=lead, kind=LeadEvent.Kind.RECYCLED, at=LONG_AGO) for lead in leads if lead.trips
    )
    AttributeChange.objects.bulk_create(
        change
        for person, lead, company in zip(crowd, leads, companies, strict=True)
        for change in _changes(person, lead, company)
    )
    SignalHit.objects.bulk_create(
        SignalHit(
            lead=lead,
            signal_id=hit.signal,
            activity_id=number * 1000 + position,
            occurred_at=hit.occurred_at,
            received_at=hit.received_at,
        )
        for number, (person, lead) in enumerate(zip(crowd, leads, strict=True))
        for position, hit in enumerate(person.hits)
    )
    return [lead.pk for lead in leads]


def _company(person: Person) -> Company:
    return Company(
        name="Any",
        industry=person.facts.get("company.industry") or "",
        employee_count=person.facts.get(NUMBER),
        created_at=LONG_AGO,
    )


def _lead(number: int, person: Person, company: Company) -> Lead:
    return Lead(
        source_system="test",
        external_id=str(number),
        email=f"p{number}@{person.facts.get('email_domain') or ''}",
        title=person.facts.get("title") or "",
        company=company,
        trips=person.trips,
        created_at=LONG_AGO,
    )


def _changes(person: Person, lead: Lead, company: Company) -> Iterator[AttributeChange]:
    for change in person.changes:
        is_company = change.attribute.startswith("company.")
        yield AttributeChange(
            lead=None if is_company else lead,
            company=company if is_company else None,
            field=change.attribute.removeprefix("company."),
            old_value="" if change.old is None else str(change.old),
            changed_at=change.at,
            source="test",
        )


def rows_of(
    model: Model, scope: Scope, *, historical: bool = False, ledger: bool = True, **parameters: Any
) -> list[dict[str, Any]]:
    """What the statement yields, each row by the names of its columns."""
    statement = compile_model(model, scope, ledger=ledger, historical=historical)
    columns = [*(["as_of"] if scope.tells_moment else []), *RESULT_COLUMNS, *(["ledger"] if ledger else [])]
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, {**statement.parameters, **parameters})
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def run(
    model: Model, lead_ids: list[int], as_of: datetime, *, historical: bool = False
) -> list[dict[str, Any]]:
    """One row per lead, in their order."""
    rows = rows_of(model, Scope.MANY, historical=historical, leads=lead_ids, as_of=as_of)
    found = {row["lead_id"]: row for row in rows}
    return [found[lead_id] for lead_id in lead_ids]


def outcome_of(row: dict[str, Any]) -> Outcome:
    return Outcome(**{name: row[name] for name in Outcome.__dataclass_fields__})


def lines_of(row: dict[str, Any]) -> list[Line]:
    def moment(text: str | None) -> datetime | None:
        return None if text is None else datetime.fromisoformat(text)

    return [
        Line(key, points, after, count, moment(first), moment(last), holds)
        for key, points, after, count, first, last, holds in json.loads(row["ledger"])
    ]
