"""However leads and moments are chosen, the engine says the same of them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from leads.models import Lead
from scoring.compile import Scope
from scoring.language.rules import BehaviourRule, Model
from tests.scoring.crowds import outcome_of, rows_of, run, stored
from tests.scoring.reference import Hit, Person
from tests.scoring.strategies import MOMENTS, models, people
from tests.scoring.test_engine_agrees_with_reference import generated

MOMENT = MOMENTS[0]
ONE_SIGNAL = Model(
    threshold=10, icp_from=0, signal_hours=24, behaviour=(BehaviourRule(1, 12, points=10, high_intent=True),)
)
VISITED = Person(hits=(Hit(12, MOMENT, MOMENT),))

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "scope", [Scope.ONE, Scope.MANY, Scope.RANGE, Scope.MOMENTS, Scope.PAIRS], ids=lambda scope: scope.value
)
def test_every_scope_scores_the_leads_it_names_alike(scope: Scope) -> None:
    with stored([VISITED, Person(), VISITED]) as (first, second, third):
        chosen = {
            Scope.ONE: {"lead": first, "as_of": MOMENT},
            Scope.MANY: {"leads": [first, second], "as_of": MOMENT},
            Scope.RANGE: {"first": first, "last": second, "as_of": MOMENT},
            Scope.MOMENTS: {"first": first, "last": second, "points": [MOMENT]},
            Scope.PAIRS: {"leads": [first, second, first], "moments": [MOMENT] * 3},
        }[scope]
        totals = [(row["lead_id"], row["total"]) for row in rows_of(ONE_SIGNAL, scope, **chosen)]

    expected = [(first, 10)] if scope is Scope.ONE else [(first, 10), (second, 0)]
    assert sorted(totals) == expected
    assert third not in dict(totals)


@settings(generated, max_examples=25, phases=[Phase.generate])
@given(st.data(), models(), st.sampled_from(MOMENTS))
def test_many_moments_at_once_are_as_one_after_the_other(
    db: None, data: st.DataObject, model: Model, moment
) -> None:
    """Late arrivals and edited attributes included: the shortcuts of a backtest change nothing."""
    crowd = data.draw(st.lists(people(moment), min_size=6, max_size=6))
    points = [moment + timedelta(days=days) for days in (-30, -7, -1, 0, 2)]

    with stored(crowd) as lead_ids:
        one_by_one = {
            (point, row["lead_id"]): row
            for point in points
            for row in run(model, lead_ids, point, historical=True)
        }
        bounds = {"first": min(lead_ids), "last": max(lead_ids)}
        at_once = rows_of(model, Scope.MOMENTS, ledger=False, points=points, **bounds)
        pairs = {"leads": lead_ids * 5, "moments": sorted(points * len(lead_ids))}
        paired = rows_of(model, Scope.PAIRS, **pairs)

    assert len(at_once) == len(paired) == len(one_by_one)
    for row in at_once:
        assert outcome_of(row) == outcome_of(one_by_one[row["as_of"], row["lead_id"]])
        assert row["next_change_at"] is None
    for row in paired:
        assert row == one_by_one[row["as_of"], row["lead_id"]] | {"as_of": row["as_of"]}


@settings(generated, max_examples=25, phases=[Phase.generate])
@given(st.data(), models(), st.sampled_from(MOMENTS))
def test_an_imagined_lead_scores_as_a_real_one(db: None, data: st.DataObject, model: Model, moment) -> None:
    person = replace(data.draw(people(moment)), changes=())

    with stored([person]) as lead_ids:
        [real] = run(model, lead_ids, moment)
    [imagined] = rows_of(
        model,
        Scope.IMAGINED,
        facts=json.dumps(person.facts),
        signals=[hit.signal for hit in person.hits],
        times=[hit.occurred_at for hit in person.hits],
        trips=person.trips,
        as_of=moment,
    )

    assert imagined == real | {"lead_id": 0}


@pytest.mark.parametrize("scope", [Scope.MOMENTS, Scope.PAIRS], ids=lambda scope: scope.value)
def test_a_lead_is_scored_from_the_moment_on_at_which_we_knew_it(scope: Scope) -> None:
    earlier = MOMENT - timedelta(microseconds=1)

    with stored([VISITED]) as [lead_id]:
        Lead.objects.filter(pk=lead_id).update(created_at=MOMENT)
        chosen = {"first": lead_id, "last": lead_id, "points": [earlier, MOMENT]}
        if scope is Scope.PAIRS:
            chosen = {"leads": [lead_id, lead_id], "moments": [earlier, MOMENT]}
        rows = rows_of(ONE_SIGNAL, scope, **chosen)

    assert [row["as_of"] for row in rows] == [MOMENT]


def test_a_lead_that_does_nothing_between_two_moments_fades_from_one_to_the_other() -> None:
    """What is planted in the future of a moment does not leak into it."""
    later = MOMENT + timedelta(days=7)
    planted = Person(hits=(*VISITED.hits, Hit(12, later, later)))
    model = replace(ONE_SIGNAL, behaviour=(replace(ONE_SIGNAL.behaviour[0], each=True),))

    with stored([planted]) as [lead_id]:
        bounds = {"first": lead_id, "last": lead_id}
        points = [MOMENT, MOMENT + timedelta(days=6), later]
        rows = rows_of(model, Scope.MOMENTS, ledger=False, points=points, **bounds)

    assert {row["as_of"]: row["total"] for row in rows} == dict(zip(points, (10, 10, 20), strict=True))
