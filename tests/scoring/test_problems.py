"""What a model as a whole is told before it is published."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scoring.language.problems import faults, oddities
from scoring.language.rules import (
    BehaviourRule,
    Category,
    CategoryTier,
    Effect,
    FitRule,
    Formula,
    Group,
    Model,
    Operator,
    RuleDecay,
    Shape,
)

DEMO = BehaviourRule(1, 1, points=50, high_intent=True, explicit=True, signal_name="Demo request")
KNOWN = FitRule(2, "title", Operator.IS_KNOWN, points=10)
SOUND = Model(threshold=50, icp_from=10, signal_hours=24, fit=(KNOWN,), behaviour=(DEMO,))


def test_a_sound_model_has_no_problems() -> None:
    assert (faults(SOUND), oddities(SOUND)) == ([], [])


def test_a_model_without_rules_cannot_be_published() -> None:
    assert faults(replace(SOUND, fit=(), behaviour=())) == ["There are no rules yet: add at least one."]


def test_a_threshold_nobody_can_reach_is_a_fault() -> None:
    assert faults(replace(SOUND, threshold=61)) == [
        "Nobody can reach the threshold of 61: the most that anybody can score is 60 points."
    ]


def test_with_an_instant_rule_such_a_threshold_is_only_odd() -> None:
    instant = replace(DEMO, key=3, points=0, effect=Effect.INSTANT_MQL)
    model = replace(SOUND, threshold=61, behaviour=(DEMO, instant))

    assert faults(model) == []
    assert any("only instant-MQL rules" in sentence for sentence in oddities(model))


def test_a_cap_bounds_what_a_rule_can_give() -> None:
    capped = replace(DEMO, points=20, each=True, cap=30)

    assert faults(replace(SOUND, behaviour=(capped,))) == [
        "Nobody can reach the threshold of 50: the most that anybody can score is 40 points."
    ]


def test_an_icp_match_nobody_can_have_is_a_fault() -> None:
    assert faults(replace(SOUND, icp_from=11)) == [
        "ICP match asks for 11 fit points, but nobody can have more than 10."
    ]


def test_low_intent_rules_alone_are_a_fault() -> None:
    """SCORE-5: without a high-intent rule nobody could ever become an MQL."""
    low = replace(DEMO, high_intent=False)

    assert "No rule counts a high-intent signal" in faults(replace(SOUND, behaviour=(low,)))[0]


def test_a_rule_that_a_disqualifier_cancels_is_pointed_out() -> None:
    against = replace(KNOWN, key=9, points=0, effect=Effect.DISQUALIFIES)

    [sentence] = oddities(replace(SOUND, fit=(KNOWN, against)))

    assert sentence == "“Job title is known: +10” is of no use: who matches it is disqualified."


def test_a_low_intent_rule_without_a_cap_is_pointed_out() -> None:
    visits = BehaviourRule(5, 2, points=1, each=True, signal_name="Visit")

    [sentence] = oddities(replace(SOUND, behaviour=(DEMO, visits)))

    assert "has no cap" in sentence


def test_a_single_rule_that_reaches_the_threshold_is_pointed_out() -> None:
    visits = BehaviourRule(5, 2, points=50, signal_name="Visit")

    assert oddities(replace(SOUND, behaviour=(DEMO, visits))) == [
        "“Visit: +50” alone reaches the threshold of 50."
    ]


def test_a_category_line_behind_a_wider_one_is_pointed_out() -> None:
    tiers = (CategoryTier(Category.A, 10, 10), CategoryTier(Category.B, 20, 10))

    [sentence] = oddities(replace(SOUND, categories=tiers))

    assert "an earlier line takes them all" in sentence


# The whole language

VISITS = BehaviourRule(5, 2, points=10, name="Visits", signal_name="Visit")
SIZE = FitRule(6, "company.employee_count", Operator.BETWEEN, low=50, points=10)
DOUBLES = FitRule(7, "title", Operator.IS_KNOWN, effect=Effect.MULTIPLIES, factor=2_000, name="Known")
HYBRID = replace(SOUND, formula=Formula.HYBRID, fit=(KNOWN, DOUBLES))
WEB = Group(9, 15, "Web")


def test_a_threshold_is_held_against_the_weighted_formula() -> None:
    """40 % of 50 and 60 % of (10 + 50) × 2 are 92."""
    assert faults(replace(HYBRID, threshold=92)) == []
    assert faults(replace(HYBRID, threshold=93)) == [
        "Nobody can reach the threshold of 93: the most that anybody can score is 92 points "
        "(40 % of engagement, 50 at most, and 60 % of readiness, 120 at most)."
    ]


def test_a_threshold_is_held_against_the_caps_of_groups() -> None:
    grouped = replace(DEMO, group=9)
    model = replace(SOUND, behaviour=(grouped, replace(VISITS, group=9)), groups=(WEB,))

    assert faults(model) == [
        "Nobody can reach the threshold of 50: the most that anybody can score is 25 points."
    ]


def test_rules_that_exclude_each_other_do_not_reach_a_threshold_together() -> None:
    small = replace(SIZE, key=8, low=1, high=49)

    assert faults(replace(SOUND, fit=(SIZE, small), icp_from=20)) == [
        "ICP match asks for 20 fit points, but nobody can have more than 10."
    ]


def test_a_checklist_has_no_threshold_to_reach() -> None:
    assert faults(replace(SOUND, threshold=1_000, formula=Formula.CHECKLIST)) == []


def test_a_model_that_disqualifies_everybody_is_a_fault() -> None:
    known = replace(KNOWN, key=8, points=0, effect=Effect.DISQUALIFIES)
    blank = replace(known, key=9, operator=Operator.IS_BLANK)

    [sentence] = faults(replace(SOUND, fit=(KNOWN, known, blank)))

    assert sentence.startswith("Every lead has a red flag")


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (
            replace(SOUND, behaviour=(DEMO, replace(VISITS, each=True, points=5, cap=5))),
            "“Visit: +5 each time, at most +5” gives nothing the second time: its cap leaves no room for it.",
        ),
        (
            replace(SOUND, behaviour=(DEMO, replace(VISITS, cap=4))),
            "“Visit: +10, at most +4” never counts in full: its cap is lower than its points.",
        ),
        (
            replace(SOUND, behaviour=(DEMO, replace(VISITS, each=True, max_count=1))),
            "“Visit, exactly once: +10 each time” is given each time, but holds only for the first.",
        ),
        (
            replace(
                SOUND,
                behaviour=(DEMO, replace(VISITS, window_hours=720, decay=RuleDecay(Shape.LINEAR, 60))),
            ),
            "“Visit within 30 days: +10, fading evenly over 60 days”: its window ends after 30 days and "
            "takes all that is left by then. Make the window longer, or the fading shorter.",
        ),
        (
            replace(SOUND, fit=(KNOWN, replace(SIZE, low=None, high=-1))),
            "“Company size is -1 or less: +10” never holds: there is no such value.",
        ),
        (
            replace(SOUND, groups=(WEB,)),
            "The group “Web” has no rules: put some into it, or take it out.",
        ),
        (
            replace(
                SOUND,
                behaviour=(DEMO, *(replace(VISITS, key=key, group=9) for key in (7, 8))),
                groups=(replace(WEB, cap=8),),
            ),
            "The group “Web” stops at 8, less than any of its rules gives: "
            "whichever holds, it counts the same.",
        ),
        (
            replace(SOUND, behaviour=(DEMO, replace(VISITS, group=9)), groups=(WEB,)),
            "The group “Web” holds nothing back: its rules give 10 together, and its cap is 15.",
        ),
        (
            replace(HYBRID, fit=(KNOWN,)),
            "The weighted formula has no multiplier, so readiness is only all points once more: "
            "add a multiplier, or choose the formula that adds points up.",
        ),
        (
            replace(HYBRID, engagement_percent=100),
            "Engagement has all the weight, so no multiplier changes a score: give readiness a share.",
        ),
        (
            replace(HYBRID, fit=(KNOWN, DOUBLES, replace(DOUBLES, key=8, factor=1_000))),
            "“Job title is known: readiness × 1” changes nothing: choose another factor, or take it out.",
        ),
        (
            replace(SOUND, decay_floor=5),
            "Decay leaves at least 5 points, but there are no decay steps: add one, or set this to 0.",
        ),
        (
            replace(
                SOUND,
                formula=Formula.CHECKLIST,
                behaviour=(replace(DEMO, points=0, effect=Effect.INSTANT_MQL),),
            ),
            "“Demo request: MQL at once, if the checklist holds” changes nothing: "
            "the checklist alone decides.",
        ),
        (
            replace(SOUND, categories=(CategoryTier(Category.A, 51, 0),)),
            "No lead gets category A by engagement 51 and readiness 0: nobody has more engagement than 50.",
        ),
        (
            replace(HYBRID, categories=(CategoryTier(Category.B, 0, 121),)),
            "No lead gets category B by engagement 0 and readiness 121: nobody has more readiness than 120.",
        ),
    ],
    ids=[
        *("each and cap", "cap", "each once", "fading", "no such value", "empty group", "low group"),
        *("idle group", "no multiplier", "no weight", "times one", "floor", "idle instant"),
        *("engagement", "readiness"),
    ],
)
def test_what_is_probably_not_meant_is_pointed_out_with_the_reason(model: Model, sentence: str) -> None:
    assert oddities(model) == [sentence]


AGAINST = replace(VISITS, key=9, points=0, effect=Effect.DISQUALIFIES)


@pytest.mark.parametrize(
    ("disqualifier", "rule", "is_useless"),
    [
        (AGAINST, VISITS, True),
        (AGAINST, replace(VISITS, min_count=3, window_hours=720), True),
        (replace(AGAINST, window_hours=720), VISITS, False),
        (replace(AGAINST, min_count=2), VISITS, False),
        (replace(AGAINST, max_count=3), VISITS, False),
        (replace(AGAINST, max_count=3), replace(VISITS, max_count=2), True),
        (replace(AGAINST, signal=3), VISITS, False),
        (AGAINST, replace(VISITS, points=-5), False),
    ],
    ids=["same", "narrower", "later", "fewer", "oftener", "between", "other signal", "negative"],
)
def test_a_rule_that_a_disqualifier_on_its_signal_cancels_is_pointed_out(
    disqualifier: BehaviourRule, rule: BehaviourRule, is_useless: bool
) -> None:
    found = oddities(replace(SOUND, behaviour=(DEMO, disqualifier, rule)))

    assert any("is of no use: who matches it is disqualified" in sentence for sentence in found) == is_useless


@pytest.mark.parametrize(
    ("values", "is_useless"),
    [(("intern",), True), (("INTERN", "summer intern"), True), (("intern", "VP"), False)],
    ids=["the word", "with the word", "another word too"],
)
def test_a_rule_whose_every_value_disqualifies_is_pointed_out(
    values: tuple[str, ...], is_useless: bool
) -> None:
    rule = replace(KNOWN, key=8, operator=Operator.HAS_WORD, values=values)
    against = replace(
        KNOWN, key=9, operator=Operator.CONTAINS, values=("intern",), points=0, effect=Effect.DISQUALIFIES
    )

    found = oddities(replace(SOUND, fit=(KNOWN, rule, against)))

    assert any("is of no use" in sentence for sentence in found) == is_useless
