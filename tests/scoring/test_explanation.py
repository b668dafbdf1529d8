"""SCORE-6, SCORE-7: the checklist with its evidence, and what is missing for an MQL."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.language.explanation import checklist, explain_result, ledger_lines
from scoring.language.missing import signal_offers, what_is_missing
from scoring.language.results import Line, Result
from scoring.language.rules import (
    BehaviourRule,
    Category,
    DecayStep,
    Effect,
    FitRule,
    Formula,
    Group,
    Model,
    Operator,
    RuleDecay,
    Shape,
    Warmth,
)
from tests.factories import NOON
from tests.scoring.reference import Hit, Person, evaluate
from tests.scoring.strategies import MOMENTS, models, people

DAY = timedelta(days=1)
SIZE = FitRule(1, "company.employee_count", Operator.BETWEEN, low=50, points=10, name="Size")
TITLE = FitRule(2, "title", Operator.HAS_WORD, ("VP",), points=15, name="Title")
RIVAL = FitRule(3, "email_domain", Operator.ONE_OF, ("rival.example",), effect=Effect.DISQUALIFIES)
DEMO = BehaviourRule(4, 1, points=50, high_intent=True, name="Demo", signal_name="Demo request")
CASE = BehaviourRule(5, 2, points=15, each=True, high_intent=True, cap=45, signal_name="Case study download")
OPENS = BehaviourRule(6, 3, points=10, min_count=3, window_hours=720, signal_name="E-mail open")
MODEL = Model(
    threshold=50,
    icp_from=20,
    signal_hours=90 * 24,
    fit=(SIZE, TITLE, RIVAL),
    behaviour=(DEMO, CASE, OPENS),
)
NOTHING = Result(
    lead_id=1,
    total=0,
    fit=0,
    engagement=0,
    readiness=0,
    adjustment=0,
    category=Category.C,
    warmth=Warmth.COLD,
    icp_match=False,
    has_signal=False,
    has_red_flag=False,
    is_instant_mql=False,
    qualifies=False,
    next_change_at=None,
)


def fit_line(rule: FitRule) -> Line:
    return Line(rule.key, rule.points, rule.points, 1, None, None, True)


def behaviour_line(rule: BehaviourRule, points: int, count: int = 1, *, holds: bool = True) -> Line:
    return Line(rule.key, points, points, count, NOON, NOON, holds)


def test_a_lead_we_know_nothing_of_misses_everything() -> None:
    assert what_is_missing(MODEL, NOTHING, as_of=NOON) == (
        "ICP match, +20 fit points: for example job title has the word “VP” (+15)",
        "A clear signal of interest: for example demo request",
        "+50 points: for example demo request (+50)",
    )


def test_the_smallest_step_that_suffices_is_named() -> None:
    result = replace(
        NOTHING,
        fit=25,
        engagement=15,
        icp_match=True,
        has_signal=True,
        lines=(fit_line(SIZE), fit_line(TITLE), behaviour_line(CASE, 15)),
    )

    assert what_is_missing(MODEL, result, as_of=NOON) == ("+10 points: for example 3 × E-mail open (+10)",)


def test_occurrences_seen_already_shorten_what_is_missing() -> None:
    result = replace(
        NOTHING,
        fit=25,
        engagement=15,
        icp_match=True,
        has_signal=True,
        lines=(
            fit_line(SIZE),
            fit_line(TITLE),
            behaviour_line(CASE, 15),
            behaviour_line(OPENS, 0, 2, holds=False),
        ),
    )

    assert what_is_missing(MODEL, result, as_of=NOON) == ("+10 points: for example e-mail open (+10)",)


def test_a_capped_rule_offers_nothing_more() -> None:
    result = replace(
        NOTHING, fit=0, engagement=45, icp_match=True, has_signal=True, lines=(behaviour_line(CASE, 45, 3),)
    )

    assert what_is_missing(MODEL, result, as_of=NOON) == ("+5 points: for example 3 × E-mail open (+10)",)


def test_a_red_flag_is_named() -> None:
    result = replace(
        NOTHING,
        total=75,
        fit=25,
        engagement=50,
        icp_match=True,
        has_signal=True,
        has_red_flag=True,
        lines=(fit_line(RIVAL),),
    )

    assert what_is_missing(MODEL, result, as_of=NOON) == ("Red flag: E-mail domain is “rival.example”",)
    assert checklist(MODEL, result)[2].evidence == "E-mail domain is “rival.example”"


def test_nothing_is_missing_for_an_mql() -> None:
    assert what_is_missing(MODEL, replace(NOTHING, qualifies=True), as_of=NOON) == ()


def test_the_checklist_shows_its_evidence() -> None:
    result = replace(
        NOTHING,
        fit=25,
        icp_match=True,
        has_signal=True,
        lines=(fit_line(SIZE), fit_line(TITLE), behaviour_line(CASE, 15)),
    )

    icp, signal, flags = checklist(MODEL, result)

    assert (icp.holds, icp.evidence) == (
        True,
        "25 of 20 fit points: Company size is 50 or more; Job title has the word “VP”",
    )
    assert (signal.holds, signal.evidence, signal.last_at) == (True, "Case study download", NOON)
    assert (flags.holds, flags.evidence) == (True, "None found")


def test_an_old_signal_is_named_as_too_old() -> None:
    result = replace(NOTHING, lines=(behaviour_line(CASE, 15),))

    assert checklist(MODEL, result)[1].evidence == "Case study download, longer than 90 days ago"


def test_the_lines_sum_to_the_total_also_below_zero() -> None:
    careers = BehaviourRule(7, 4, points=-15, signal_name="Careers page visit", engages=False)
    model = replace(MODEL, behaviour=(careers,))
    result = replace(NOTHING, engagement=-15, adjustment=15, lines=(behaviour_line(careers, -15),))

    lines = ledger_lines(model, result, as_of=NOON)

    assert [line.sentence for line in lines] == ["Careers page visit: −15", "A score does not go below 0"]
    assert sum(line.points for line in lines) == result.total


def test_rules_that_do_not_hold_are_no_lines() -> None:
    result = replace(NOTHING, lines=(behaviour_line(OPENS, 0, 2, holds=False),))

    assert ledger_lines(MODEL, result, as_of=NOON) == ()


def test_the_newest_high_intent_signal_is_the_evidence() -> None:
    older = Line(DEMO.key, 50, 50, 1, NOON - timedelta(days=3), NOON - timedelta(days=3), True)
    result = replace(NOTHING, has_signal=True, lines=(older, behaviour_line(CASE, 15)))

    assert checklist(MODEL, result)[1].evidence == "Case study download"


# Formulas, groups and fading: what the reference says of a person is explained


def told(model: Model, person: Person, moment: datetime = NOON) -> Result:
    outcome, lines = evaluate(model, person, moment)
    summed = sum(line.after_decay for line in lines)
    return Result(
        lead_id=1,
        adjustment=outcome.total - summed,
        next_change_at=None,
        lines=tuple(
            Line(line.key, line.points, line.after_decay, line.count, line.first_at, line.last_at, line.holds)
            for line in lines
        ),
        **asdict(outcome),
    )


def seen(*signals: int, days_ago: int = 0, **facts: str | int | None) -> Person:
    at = NOON - days_ago * DAY
    return Person(facts, tuple(Hit(signal, at, at) for signal in signals))


KNOWN = FitRule(1, "title", Operator.IS_KNOWN, points=20, name="Known")
DEMO_20 = replace(DEMO, points=20)
GROWS = FitRule(
    7, "company.industry", Operator.IS_KNOWN, effect=Effect.MULTIPLIES, factor=2_000, name="Growth"
)
ASKS = BehaviourRule(
    8, 9, effect=Effect.MULTIPLIES, factor=3_000, high_intent=True, name="Asks", signal_name="Direct inquiry"
)
HYBRID = Model(
    threshold=60,
    icp_from=0,
    signal_hours=90 * 24,
    fit=(KNOWN, GROWS),
    behaviour=(DEMO_20, OPENS, ASKS),
    formula=Formula.HYBRID,
)


def test_a_multiplier_is_a_line_of_its_own_with_what_it_adds() -> None:
    """40 % of 20 and 60 % of 20 + 20 are 32; readiness doubled adds 24."""
    result = told(HYBRID, seen(DEMO.signal, title="VP", **{"company.industry": "Steel"}))

    lines = ledger_lines(HYBRID, result, as_of=NOON)

    assert [(line.rule, line.kind, line.base_points, line.points) for line in lines] == [
        ("Known", "fit", 20, 12),
        ("Demo", "behaviour", 20, 20),
        ("Growth", "multiplies", 0, 24),
    ]
    assert lines[-1].sentence == "Industry is known: readiness × 2"
    assert sum(line.points for line in lines) == result.total == 56


def test_a_weighted_line_says_how_it_counts() -> None:
    model = replace(HYBRID, fit=(KNOWN,), behaviour=(replace(DEMO_20, points=-10),))
    result = told(model, seen(DEMO.signal, title="VP"))

    fit, behaviour = ledger_lines(model, result, as_of=NOON)

    assert (fit.points, fit.why) == (12, "Counts 60 % as readiness")
    assert (behaviour.points, behaviour.why) == (-10, "")


GROUPED = Model(
    threshold=50,
    icp_from=0,
    signal_hours=90 * 24,
    behaviour=(
        replace(DEMO_20, group=1, name="Demo"),
        replace(CASE, each=False, group=1, name="Case", decay=RuleDecay(Shape.LINEAR, 30)),
    ),
    groups=(Group(1, 25, "Website"),),
    decay=(DecayStep(24, 500),),
)


@pytest.mark.parametrize(
    ("model", "person", "why"),
    [
        (GROUPED, seen(1, 2), {"Demo": "", "Case": "The group “Website” stops at 25"}),
        (
            GROUPED,
            seen(1, 2, days_ago=15),
            {
                "Demo": "Decay leaves 12 of 25 behaviour points",
                "Case": "Faded to 50 % after 15 days; the group “Website” stops at 25; "
                "decay leaves 12 of 25 behaviour points",
            },
        ),
        (
            replace(GROUPED, decay=()),
            seen(2, days_ago=1),
            {"Case": "Faded to 96.7 % after 1 day"},
        ),
        (
            replace(HYBRID, behaviour=(replace(DEMO_20, decay=RuleDecay(Shape.HALF_LIFE, 30)),)),
            seen(1, days_ago=30),
            {"Demo": "Faded to 50 % after 30 days; counts 40 % as engagement and 60 % as readiness"},
        ),
    ],
    ids=["group", "everything", "fading", "weights"],
)
def test_a_line_says_why_it_counts_for_less_than_its_rule_gives(
    model: Model, person: Person, why: dict[str, str]
) -> None:
    lines = ledger_lines(model, told(model, person), as_of=NOON)

    assert {line.rule: line.why for line in lines} == why


def test_what_is_missing_is_weighed_by_the_formula() -> None:
    """32 of 60 points: three opens would add 10, a direct inquiry 60 % of twice the 40 points."""
    result = told(HYBRID, seen(DEMO.signal, title="VP"))

    assert what_is_missing(HYBRID, result, as_of=NOON) == ("+28 points: for example direct inquiry (+48)",)


def test_a_full_group_offers_nothing() -> None:
    full = replace(GROUPED, groups=(Group(1, 20, "Website"),))

    assert what_is_missing(full, told(full, seen(1)), as_of=NOON) == ("+30 points",)


def test_a_new_visit_also_brings_back_what_decay_took() -> None:
    result = told(GROUPED, seen(1, 2, days_ago=15))

    assert what_is_missing(GROUPED, result, as_of=NOON) == ("+38 points: for example demo request (+13)",)


def test_a_full_group_on_attributes_offers_nothing_for_an_icp_match() -> None:
    fit = (replace(KNOWN, group=1), replace(TITLE, key=9, group=1))
    model = replace(MODEL, fit=fit, groups=(Group(1, 20, "Title"),), icp_from=30)

    missing = what_is_missing(model, told(model, seen(title="VP")), as_of=NOON)

    assert missing[0] == "ICP match, +10 fit points"


def test_a_checklist_misses_no_points() -> None:
    model = replace(MODEL, formula=Formula.CHECKLIST, icp_from=0)
    result = told(model, Person())

    assert what_is_missing(model, result, as_of=NOON) == (
        "A clear signal of interest: for example demo request",
    )
    assert not explain_result(model, 1, result, as_of=NOON).counts_to_threshold


def test_a_visit_that_would_disqualify_is_never_offered() -> None:
    against = BehaviourRule(9, CASE.signal, min_count=2, effect=Effect.DISQUALIFIES, signal_name="Case study")
    model = replace(MODEL, behaviour=(CASE, against), icp_from=0)

    once, twice = (told(model, seen(*[CASE.signal] * count)) for count in (0, 1))

    assert [offer.gain for offer in signal_offers(model, once, as_of=NOON)] == [15]
    assert list(signal_offers(model, twice, as_of=NOON)) == []


def test_readiness_and_formula_are_explained() -> None:
    result = told(HYBRID, seen(DEMO.signal, title="VP", **{"company.industry": "Steel"}))

    explanation = explain_result(HYBRID, 3, result, as_of=NOON)

    assert (explanation.fit, explanation.engagement, explanation.readiness) == (20, 20, 80)
    assert (explanation.formula, explanation.counts_to_threshold) == (Formula.HYBRID, True)


@settings(deadline=None, database=None, max_examples=50)
@given(st.data(), models(), st.sampled_from(MOMENTS))
def test_what_is_offered_is_what_it_would_bring(data: st.DataObject, model: Model, moment: datetime) -> None:
    """SCORE-7: do what the sentence says, and the score is so many points higher."""
    person = data.draw(people(moment))
    result = told(model, person, moment)
    engaging = {rule.signal for rule in model.behaviour if rule.engages}

    for offer in signal_offers(model, result, as_of=moment):
        more = (Hit(offer.signal, moment, moment),) * offer.times
        after = told(model, replace(person, hits=person.hits + more), moment)
        gain = (after.total - after.adjustment) - (result.total - result.adjustment)
        # Without engagement decay goes on, and how far it went is known only to the rounded point.
        if offer.signal in engaging or not model.decay:
            assert gain == offer.gain


@settings(deadline=None, database=None, max_examples=50)
@given(st.data(), models(), st.sampled_from(MOMENTS))
def test_every_line_that_counts_otherwise_than_its_rule_gives_says_why(
    data: st.DataObject, model: Model, moment: datetime
) -> None:
    result = told(model, data.draw(people(moment)), moment)

    for line in ledger_lines(model, result, as_of=moment):
        is_plain = line.points == line.base_points or line.kind not in ("fit", "behaviour")
        assert bool(line.why) != is_plain
