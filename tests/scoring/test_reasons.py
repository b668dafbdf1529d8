"""Why one version passes a lead and another does not, in one line (SCORE-10)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scoring.backtesting.reasons import what_is_missing, why_passed
from scoring.language.results import Line, Result
from scoring.language.rules import BehaviourRule, Category, Formula, Model, Warmth

WEBINAR = BehaviourRule(key=1, signal=1, points=20, name="Webinar attended")
PRICING = BehaviourRule(key=2, signal=2, points=10, name="Pricing page")
MODEL = Model(threshold=50, icp_from=20, signal_hours=24, behaviour=(WEBINAR, PRICING))
RESULT = Result(
    lead_id=1,
    total=61,
    fit=20,
    engagement=41,
    readiness=20,
    adjustment=0,
    category=Category.B,
    warmth=Warmth.ACCUMULATED,
    icp_match=True,
    has_signal=True,
    has_red_flag=False,
    is_instant_mql=False,
    qualifies=True,
    next_change_at=None,
)


def line(rule_id: int, points: int) -> Line:
    return Line(rule_id, points, points, 1, None, None, True)


def test_the_rule_that_made_the_difference_is_named() -> None:
    draft = replace(RESULT, lines=(line(1, 20), line(2, 10)))
    # The ids of a copy are others; the names are the same.
    other = replace(MODEL, behaviour=(replace(PRICING, key=9),))
    active = replace(RESULT, total=41, lines=(line(9, 10),))

    assert why_passed("Draft", (MODEL, draft), "Active", (other, active)) == (
        "Draft: 61 points. Active: 41 of the 50 points needed. Webinar attended +20 instead of 0."
    )


def test_only_the_two_greatest_differences_are_named() -> None:
    rules = tuple(replace(WEBINAR, key=key, name=f"Rule {key}") for key in (1, 2, 3))
    model = replace(MODEL, behaviour=rules)
    draft = replace(RESULT, lines=(line(1, 5), line(2, 30), line(3, -20)))
    active = replace(RESULT, total=40)

    words = why_passed("Draft", (model, draft), "Active", (model, active))

    assert words.endswith("Rule 2 +30 instead of 0. Rule 3 −20 instead of 0.")


@pytest.mark.parametrize(
    ("result", "missing"),
    [
        (None, "not known then"),
        (replace(RESULT, has_red_flag=True, icp_match=False), "a red flag"),
        (replace(RESULT, icp_match=False, fit=5), "no ICP match, 5 of 20 fit points"),
        (replace(RESULT, has_signal=False), "no clear signal of interest"),
        (replace(RESULT, total=49), "49 of the 50 points needed"),
    ],
    ids=["unknown", "red-flag", "icp", "signal", "points"],
)
def test_what_fails_is_said(result: Result | None, missing: str) -> None:
    assert what_is_missing(MODEL, result) == missing


def test_a_checklist_needs_no_points() -> None:
    model = replace(MODEL, formula=Formula.CHECKLIST)

    assert (
        what_is_missing(model, replace(RESULT, total=10, has_signal=False)) == "no clear signal of interest"
    )


def test_without_another_version_the_score_alone_is_told() -> None:
    assert why_passed("Draft", (MODEL, replace(RESULT, total=1)), "Active", None) == "Draft: 1 point."
