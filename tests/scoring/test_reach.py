"""The most that a model can give: never too low, and exact where rules exclude each other."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from scoring.language.arithmetic import capped_points, sum_up
from scoring.language.reach import Reach, passes, reach_of
from scoring.language.rules import (
    BehaviourRule,
    Effect,
    FitRule,
    Formula,
    Group,
    Model,
    Operator,
)
from tests.scoring.reference import after_decay, behaviour_seen, decay_factor, evaluate, fit_holds, fit_seen
from tests.scoring.strategies import MOMENTS, fit_rules, models, people

SIZE = "company.employee_count"
# Without explaining: it traces every line of each try, and would run into the time limit first.
PHASES = [Phase.explicit, Phase.generate, Phase.shrink]
unhurried = settings(deadline=None, database=None, max_examples=50, phases=PHASES)


def fit(key: int, operator: Operator, *values: str, attribute: str = "title", **fields: object) -> FitRule:
    return FitRule(key, attribute, operator, values, **fields)


def model_of(*rules: FitRule | BehaviourRule, **fields: object) -> Model:
    return Model(
        **({"threshold": 50, "icp_from": 0, "signal_hours": 24} | fields),
        fit=tuple(rule for rule in rules if isinstance(rule, FitRule)),
        behaviour=tuple(rule for rule in rules if isinstance(rule, BehaviourRule)),
    )


@pytest.mark.parametrize(
    ("model", "reach"),
    [
        # A title is one thing or the other, and a company has one size.
        (
            model_of(
                fit(1, Operator.ONE_OF, "VP", points=15),
                fit(2, Operator.ONE_OF, "CEO", points=20),
                FitRule(3, SIZE, Operator.BETWEEN, low=50, high=100, points=10),
                FitRule(4, SIZE, Operator.BETWEEN, low=101, points=12),
            ),
            Reach(total=32, fit=32, engagement=0, readiness=32),
        ),
        # But it may have many words.
        (
            model_of(
                fit(1, Operator.HAS_WORD, "VP", points=15),
                fit(2, Operator.CONTAINS, "Sales", points=5),
                fit(3, Operator.HAS_WORD, "intern", points=-30),
            ),
            Reach(total=20, fit=20, engagement=0, readiness=20),
        ),
        # What disqualifies is worth nothing.
        (
            model_of(
                fit(1, Operator.ONE_OF, "VP", points=15),
                fit(2, Operator.ONE_OF, "CEO", points=20),
                fit(3, Operator.ONE_OF, "CEO", effect=Effect.DISQUALIFIES),
            ),
            Reach(total=15, fit=15, engagement=0, readiness=15),
        ),
        # Whoever visits gives up the other side of the same rule; caps and groups stop the sum.
        (
            model_of(
                BehaviourRule(1, 1, points=5, each=True, cap=40, group=9),
                BehaviourRule(2, 2, points=30, group=9),
                BehaviourRule(3, 2, points=-10),
                groups=(Group(9, 60, "Website"),),
            ),
            Reach(total=50, fit=0, engagement=50, readiness=0),
        ),
        # Once is too few for one rule and too often for the other.
        (
            model_of(
                BehaviourRule(1, 1, points=10, max_count=2),
                BehaviourRule(2, 1, points=15, min_count=3),
            ),
            Reach(total=15, fit=0, engagement=15, readiness=0),
        ),
        # Often within a month, and still seldom within the last week.
        (
            model_of(
                BehaviourRule(1, 1, points=10, max_count=2, window_hours=168),
                BehaviourRule(2, 1, points=15, min_count=3, window_hours=720),
            ),
            Reach(total=25, fit=0, engagement=25, readiness=0),
        ),
        # 40 % of 30 and 60 % of (20 + 30) × 2 × 1.5; what divides readiness need not hold.
        (
            model_of(
                fit(1, Operator.IS_KNOWN, points=20),
                BehaviourRule(2, 1, points=30),
                FitRule(3, SIZE, Operator.IS_KNOWN, effect=Effect.MULTIPLIES, factor=2_000),
                BehaviourRule(4, 2, effect=Effect.MULTIPLIES, factor=1_500),
                BehaviourRule(5, 3, effect=Effect.MULTIPLIES, factor=500),
                formula=Formula.HYBRID,
            ),
            Reach(total=102, fit=20, engagement=30, readiness=150),
        ),
    ],
    ids=["one value", "many words", "disqualified", "groups", "counts", "windows", "hybrid"],
)
def test_the_most_is_what_can_hold_together(model: Model, reach: Reach) -> None:
    assert reach_of(model) == reach


def test_nobody_is_left_where_every_value_disqualifies() -> None:
    model = model_of(
        fit(1, Operator.IS_KNOWN, effect=Effect.DISQUALIFIES),
        fit(2, Operator.IS_BLANK, effect=Effect.DISQUALIFIES),
    )

    assert reach_of(model) is None


def test_a_model_of_very_many_combinations_still_has_a_bound() -> None:
    """Twelve signals, each with two ways to be best in: taken together, the sum bounds them."""
    rules = [
        rule
        for signal in range(12)
        for rule in (
            BehaviourRule(2 * signal, signal, points=10, max_count=2, group=9),
            BehaviourRule(2 * signal + 1, signal, points=4, min_count=3),
        )
    ]
    model = model_of(*rules, groups=(Group(9, 100, "Seldom"),))

    reach = reach_of(model)

    assert reach is not None
    assert 116 <= reach.total <= 12 * 14


@unhurried
@given(st.data(), models(), st.sampled_from(MOMENTS))
def test_nobody_ever_has_more(data: st.DataObject, model: Model, moment: object) -> None:
    person = data.draw(people(moment))
    outcome, _ = evaluate(model, person, moment)
    assume(not outcome.has_red_flag)

    reach = reach_of(model)

    assert reach is not None
    assert outcome.total <= reach.total
    assert outcome.fit <= reach.fit
    assert outcome.engagement <= reach.engagement
    assert outcome.readiness <= reach.readiness


@unhurried
@given(fit_rules(1), st.one_of(st.none(), st.integers(0, 70), st.sampled_from(("VP", "cto-x", "", "of"))))
def test_a_test_on_a_value_is_that_of_the_reference(rule: FitRule, value: str | int | None) -> None:
    assume(isinstance(value, str) == (rule.attribute != SIZE) or value is None)

    assert passes(rule, value) == fit_holds(rule, value)


@unhurried
@given(st.data(), models(), st.sampled_from(MOMENTS))
def test_sums_are_those_of_the_reference(data: st.DataObject, model: Model, moment: object) -> None:
    person = data.draw(people(moment))
    outcome, _ = evaluate(model, person, moment)
    seen = [one for one in (*fit_seen(model, person), *behaviour_seen(model, person, moment)) if one.holds]

    left = capped_points(model, [(one.rule, one.faded) for one in seen])
    behaviour = [
        points for one, points in zip(seen, left, strict=True) if isinstance(one.rule, BehaviourRule)
    ]
    earned = sum(points for points in behaviour if points > 0)
    decayed = after_decay(model, earned, decay_factor(model, person, moment))
    summed = sum_up(
        model,
        fit=sum(left) - sum(behaviour),
        engagement=decayed + sum(behaviour) - earned,
        factors=[one.rule.factor for one in seen if one.rule.effect is Effect.MULTIPLIES],
    )

    assert (summed.fit, summed.engagement, summed.readiness, summed.total) == (
        outcome.fit,
        outcome.engagement,
        outcome.readiness,
        outcome.total,
    )


def test_a_cap_never_lets_more_through_with_more_rules() -> None:
    rule = BehaviourRule(1, 1, points=15, group=9)
    model = model_of(rule, groups=(Group(9, 20, "Web"),))

    assert capped_points(model, [(rule, 15), (replace(rule, key=2), 15)]) == [15, 5]
