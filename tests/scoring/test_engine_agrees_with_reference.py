"""SCORE-9: the SQL and a plain reference evaluator agree on generated models and histories.

SCORING_EXAMPLES sets the number of generated models; each is tried on several people, as known now and then.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from leads.models import AttributeChange, Company, Lead, LeadEvent
from scoring.compile import RESULT_COLUMNS, Scope, compile_model
from scoring.models import SignalHit
from scoring.rules import BehaviourRule, DecayStep, Model
from tests.scoring.reference import Hit, Line, Outcome, Person, evaluate, first_change
from tests.scoring.strategies import MICROSECOND, MOMENTS, NUMBER, models, people

LONG_AGO = datetime.fromisoformat("2020-01-01T00:00+00:00")
EXAMPLES = int(os.environ.get("SCORING_EXAMPLES", "120"))

generated = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
pytestmark = pytest.mark.django_db


@contextmanager
def stored(crowd: list[Person], *, zone: str = "UTC") -> Iterator[list[int]]:
    """The people as rows, in order, undone afterwards; deferred foreign keys never come to be checked."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('TimeZone', %s, true)", [zone])
        yield [store_person(number, person) for number, person in enumerate(crowd)]
        transaction.set_rollback(True)


def store_person(number: int, person: Person) -> int:
    facts = person.facts
    company = Company.objects.create(
        name="Any",
        industry=facts.get("company.industry") or "",
        employee_count=facts.get(NUMBER),
        created_at=LONG_AGO,
    )
    lead = Lead.objects.create(
        source_system="test",
        external_id=str(number),
        email=f"p{number}@{facts.get('email_domain') or ''}",
        title=facts.get("title") or "",
        company=company,
        trips=person.trips,
        created_at=LONG_AGO,
    )
    if person.trips:
        LeadEvent.objects.create(lead=lead, kind=LeadEvent.Kind.RECYCLED, at=LONG_AGO)
    for change in person.changes:
        is_company = change.attribute.startswith("company.")
        AttributeChange.objects.create(
            lead=None if is_company else lead,
            company=company if is_company else None,
            field=change.attribute.removeprefix("company."),
            old_value="" if change.old is None else str(change.old),
            changed_at=change.at,
            source="test",
        )
    SignalHit.objects.bulk_create(
        SignalHit(
            lead=lead,
            signal_id=hit.signal,
            activity_id=number * 1000 + position,
            occurred_at=hit.occurred_at,
            received_at=hit.received_at,
        )
        for position, hit in enumerate(person.hits)
    )
    return lead.pk


def run(
    model: Model, lead_ids: list[int], as_of: datetime, *, historical: bool = False
) -> list[dict[str, Any]]:
    statement = compile_model(model, Scope.MANY, ledger=True, historical=historical)
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, {**statement.parameters, "leads": lead_ids, "as_of": as_of})
        rows = [dict(zip((*RESULT_COLUMNS, "ledger"), row, strict=True)) for row in cursor.fetchall()]
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


@generated
@given(
    st.data(),
    models(),
    st.sampled_from(MOMENTS),
    st.sampled_from(("UTC", "Europe/Berlin", "America/New_York")),
)
def test_engine_and_reference_give_the_same_scores_and_ledgers(
    db: None, data: st.DataObject, model: Model, moment: datetime, zone: str
) -> None:
    crowd = data.draw(st.lists(people(moment), min_size=1, max_size=5))

    with stored(crowd, zone=zone) as lead_ids:
        now_rows = run(model, lead_ids, moment)
        past_rows = run(model, lead_ids, moment, historical=True)

    for person, now_row, past_row in zip(crowd, now_rows, past_rows, strict=True):
        note(f"{person}")
        assert (outcome_of(now_row), lines_of(now_row)) == evaluate(model, person, moment)
        assert (outcome_of(past_row), lines_of(past_row)) == evaluate(
            model, person.as_known_at(moment), moment
        )
        for row in (now_row, past_row):
            assert sum(line.after_decay for line in lines_of(row)) + row["adjustment"] == row["total"]


@generated
@given(st.data(), models(), st.sampled_from(MOMENTS))
def test_nothing_changes_before_next_change_at(
    db: None, data: st.DataObject, model: Model, moment: datetime
) -> None:
    """SCORE-4: early is allowed, late never."""
    crowd = data.draw(st.lists(people(moment), min_size=1, max_size=4))

    with stored(crowd) as lead_ids:
        for lead_id, person, row in zip(lead_ids, crowd, run(model, lead_ids, moment), strict=True):
            next_change_at = row["next_change_at"]
            truly = first_change(model, person, moment)
            if next_change_at is None:
                assert truly is None
                continue
            assert next_change_at > moment
            assert truly is None or next_change_at <= truly
            [just_before] = run(model, [lead_id], next_change_at - MICROSECOND)
            assert outcome_of(just_before) == outcome_of(row)


@pytest.mark.parametrize("scope", list(Scope))
def test_every_scope_scores_the_leads_it_names_alike(scope: Scope) -> None:
    moment = MOMENTS[0]
    model = Model(
        threshold=10,
        icp_from=0,
        signal_hours=24,
        behaviour=(BehaviourRule(1, 12, points=10, high_intent=True),),
    )
    visited = Person(hits=(Hit(12, moment, moment),))

    with stored([visited, Person(), visited]) as (first, second, third), connection.cursor() as cursor:
        statement = compile_model(model, scope)
        chosen = {"lead": first, "leads": [first, second], "first": first, "last": second}
        cursor.execute(statement.sql, {**statement.parameters, **chosen, "as_of": moment})
        totals = {row[0]: row[1] for row in cursor.fetchall()}

    expected = {first: 10} if scope is Scope.ONE else {first: 10, second: 0}
    assert totals == expected
    assert third not in totals


def test_a_lead_without_any_activity_gets_no_behaviour_points() -> None:
    """LEAST ignores NULL: without care a lead with no activity is given the whole cap."""
    model = Model(
        threshold=10,
        icp_from=0,
        signal_hours=24,
        behaviour=(BehaviourRule(1, 12, points=5, each=True, cap=40),),
    )

    with stored([Person()]) as lead_ids:
        [row] = run(model, lead_ids, MOMENTS[0])

    assert (row["total"], row["next_change_at"], lines_of(row)) == (0, None, [])


def test_decayed_shares_of_three_rules_sum_to_the_rounded_total() -> None:
    """SCORE-7: 3 × 5 points at 75 % are 11.25; the ledger says 3 + 4 + 4 and not 3 + 3 + 3."""
    moment = MOMENTS[0]
    rules = tuple(BehaviourRule(key, signal, points=5) for key, signal in ((1, 11), (2, 12), (3, 13)))
    model = Model(threshold=10, icp_from=0, signal_hours=24, behaviour=rules, decay=(DecayStep(24, 750),))
    yesterday = moment - timedelta(hours=24)
    person = Person(hits=tuple(Hit(signal, yesterday, yesterday) for signal in (11, 12, 13)))

    with stored([person]) as lead_ids:
        [row] = run(model, lead_ids, moment)

    assert [line.after_decay for line in lines_of(row)] == [3, 4, 4]
    assert row["total"] == 11


def test_a_window_of_a_day_is_24_hours_also_when_clocks_change() -> None:
    """SCORE-4: 29 March 2026 has 23 hours in Berlin."""
    noon = datetime.fromisoformat("2026-03-29T12:00+02:00")
    same_wall_time_the_day_before = datetime.fromisoformat("2026-03-28T12:00+01:00")
    model = Model(
        threshold=10,
        icp_from=0,
        signal_hours=24,
        behaviour=(BehaviourRule(1, 12, points=5, window_hours=24),),
    )
    person = Person(hits=(Hit(12, same_wall_time_the_day_before, same_wall_time_the_day_before),))

    with stored([person], zone="Europe/Berlin") as lead_ids:
        [at_noon] = run(model, lead_ids, noon)
        [an_hour_later] = run(model, lead_ids, noon + timedelta(hours=1))

    assert at_noon["total"] == 5
    assert an_hour_later["total"] == 0
