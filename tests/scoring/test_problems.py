"""What a model as a whole is told before it is published."""

from __future__ import annotations

from dataclasses import replace

from scoring.problems import faults, oddities
from scoring.rules import (
    BehaviourRule,
    Category,
    CategoryTier,
    Effect,
    FitRule,
    Model,
    Operator,
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
        "Nobody can reach the threshold of 61: all rules together give 60 points."
    ]


def test_with_an_instant_rule_such_a_threshold_is_only_odd() -> None:
    instant = replace(DEMO, key=3, points=0, effect=Effect.INSTANT_MQL)
    model = replace(SOUND, threshold=61, behaviour=(DEMO, instant))

    assert faults(model) == []
    assert any("only instant-MQL rules" in sentence for sentence in oddities(model))


def test_a_cap_bounds_what_a_rule_can_give() -> None:
    capped = replace(DEMO, points=20, each=True, cap=30)

    assert faults(replace(SOUND, behaviour=(capped,))) == [
        "Nobody can reach the threshold of 50: all rules together give 40 points."
    ]


def test_an_icp_match_nobody_can_have_is_a_fault() -> None:
    assert faults(replace(SOUND, icp_from=11)) == [
        "ICP match asks for 11 fit points, but all fit rules together give 10."
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
