"""SCORE-6, SCORE-7: the checklist with its evidence, and what is missing for an MQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from scoring.explanation import checklist, ledger_lines, what_is_missing
from scoring.results import Line, Result
from scoring.rules import (
    BehaviourRule,
    Category,
    Effect,
    FitRule,
    Model,
    Operator,
    Warmth,
)
from tests.factories import NOON

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
    assert what_is_missing(MODEL, NOTHING) == (
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

    assert what_is_missing(MODEL, result) == ("+10 points: for example 3 × E-mail open (+10)",)


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

    assert what_is_missing(MODEL, result) == ("+10 points: for example e-mail open (+10)",)


def test_a_capped_rule_offers_nothing_more() -> None:
    result = replace(
        NOTHING, fit=0, engagement=45, icp_match=True, has_signal=True, lines=(behaviour_line(CASE, 45, 3),)
    )

    assert what_is_missing(MODEL, result) == ("+5 points: for example 3 × E-mail open (+10)",)


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

    assert what_is_missing(MODEL, result) == ("Red flag: E-mail domain is “rival.example”",)
    assert checklist(MODEL, result)[2].evidence == "E-mail domain is “rival.example”"


def test_nothing_is_missing_for_an_mql() -> None:
    assert what_is_missing(MODEL, replace(NOTHING, qualifies=True)) == ()


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

    lines = ledger_lines(model, result)

    assert [line.sentence for line in lines] == ["Careers page visit: −15", "A score does not go below 0"]
    assert sum(line.points for line in lines) == result.total


def test_rules_that_do_not_hold_are_no_lines() -> None:
    result = replace(NOTHING, lines=(behaviour_line(OPENS, 0, 2, holds=False),))

    assert ledger_lines(MODEL, result) == ()


def test_the_newest_high_intent_signal_is_the_evidence() -> None:
    older = Line(DEMO.key, 50, 50, 1, NOON - timedelta(days=3), NOON - timedelta(days=3), True)
    result = replace(NOTHING, has_signal=True, lines=(older, behaviour_line(CASE, 15)))

    assert checklist(MODEL, result)[1].evidence == "Case study download"
