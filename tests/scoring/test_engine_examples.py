"""Traps of the engine, each by an example that a person can check."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from scoring.compile import Scope
from scoring.language.rules import (
    MAX_RULES,
    BehaviourRule,
    DecayStep,
    FitRule,
    Formula,
    Group,
    Model,
    Operator,
)
from tests.scoring.crowds import lines_of, rows_of, run, stored
from tests.scoring.reference import Hit, Person, evaluate
from tests.scoring.strategies import MOMENTS

MOMENT = MOMENTS[0]
YESTERDAY = MOMENT - timedelta(hours=24)

pytestmark = pytest.mark.django_db


def test_a_lead_without_any_activity_gets_no_behaviour_points() -> None:
    """LEAST ignores NULL: without care a lead with no activity is given the whole cap."""
    model = Model(
        threshold=10,
        icp_from=0,
        signal_hours=24,
        behaviour=(BehaviourRule(1, 12, points=5, each=True, cap=40, group=9),),
        groups=(Group(9, 30),),
    )

    with stored([Person()]) as lead_ids:
        [row] = run(model, lead_ids, MOMENT)

    assert (row["total"], row["next_change_at"], lines_of(row)) == (0, None, [])


def test_decayed_shares_of_three_rules_sum_to_the_rounded_total() -> None:
    """SCORE-7: 3 × 5 points at 75 % are 11.25; the ledger says 3 + 4 + 4 and not 3 + 3 + 3."""
    rules = tuple(BehaviourRule(key, signal, points=5) for key, signal in ((1, 11), (2, 12), (3, 13)))
    model = Model(threshold=10, icp_from=0, signal_hours=24, behaviour=rules, decay=(DecayStep(24, 750),))
    person = Person(hits=tuple(Hit(signal, YESTERDAY, YESTERDAY) for signal in (11, 12, 13)))

    with stored([person]) as lead_ids:
        [row] = run(model, lead_ids, MOMENT)

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


def test_the_largest_model_that_may_be_written_can_be_scored() -> None:
    """200 rules on as many signals, each counted, in one hybrid model with its ledger."""
    fit = tuple(FitRule(key, "title", Operator.HAS_WORD, values=("vp",), points=1) for key in range(1, 41))
    behaviour = tuple(
        BehaviourRule(1000 + key, key, points=3, each=True, window_hours=24 * key, min_count=1 + key % 3)
        for key in range(1, MAX_RULES - 39)
    )
    model = Model(
        threshold=10, icp_from=0, signal_hours=24, fit=fit, behaviour=behaviour, formula=Formula.HYBRID
    )
    hits = tuple(Hit(key, YESTERDAY, YESTERDAY) for key in range(1, 200, 2) for _ in range(3))
    person = Person(facts={"title": "VP of everything"}, hits=hits)

    with stored([person, Person()]) as lead_ids:
        rows = run(model, lead_ids, MOMENT)
        at_moments = rows_of(
            model, Scope.MOMENTS, ledger=False, first=lead_ids[0], last=lead_ids[1], points=[MOMENT]
        )

    assert (rows[0]["total"], lines_of(rows[0])) == _expected(model, person)
    totals = {row["lead_id"]: row["total"] for row in at_moments}  # in no order
    assert totals == {lead_ids[0]: rows[0]["total"], lead_ids[1]: 0}
    assert rows[0]["total"] > 0
    assert rows[1]["total"] == 0


def _expected(model: Model, person: Person) -> tuple[int, list]:
    outcome, lines = evaluate(model, person, MOMENT)
    return outcome.total, lines
