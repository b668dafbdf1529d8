"""SCORE-13: every rule reads as plain English, and so does the difference of two versions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scoring.language.rules import (
    BehaviourRule,
    Category,
    CategoryTier,
    DecayStep,
    Effect,
    FitRule,
    Formula,
    Group,
    Model,
    Operator,
    RuleDecay,
    Shape,
)
from scoring.language.sentences import differences, frame_sentences, group_sentence, rule_sentence

SIZE = "company.employee_count"
OPENS = BehaviourRule(5, 2, points=10, name="Reads our e-mails", signal_name="E-mail open")
PRICING = BehaviourRule(1, 1, points=20, high_intent=True, name="Pricing", signal_name="Pricing page visit")


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (PRICING, "Pricing page visit: +20"),
        (
            BehaviourRule(1, 1, points=10, min_count=3, window_hours=720, signal_name="E-mail open"),
            "E-mail open, 3 times or more within 30 days: +10",
        ),
        (
            BehaviourRule(1, 1, points=15, each=True, cap=45, signal_name="Case study"),
            "Case study: +15 each time, at most +45",
        ),
        (
            BehaviourRule(1, 1, points=-5, each=True, cap=20, signal_name="Bounce"),
            "Bounce: −5 each time, no lower than −20",
        ),
        (
            replace(OPENS, min_count=3, max_count=5, window_hours=720, decay=RuleDecay(Shape.LINEAR, 60)),
            "E-mail open, 3 to 5 times within 30 days: +10, fading evenly over 60 days",
        ),
        (BehaviourRule(1, 1, points=5, window_hours=25, signal_name="Visit"), "Visit within 25 hours: +5"),
        (replace(OPENS, max_count=2), "E-mail open, 1 to 2 times: +10"),
        (replace(OPENS, max_count=1), "E-mail open, exactly once: +10"),
        (replace(OPENS, min_count=2, max_count=2), "E-mail open, exactly 2 times: +10"),
        (
            replace(PRICING, decay=RuleDecay(Shape.STEP, 30, percent=25, floor_percent=10)),
            "Pricing page visit: +20, losing 25 % every 30 days, down to 10 %",
        ),
        (
            replace(PRICING, each=True, cap=60, decay=RuleDecay(Shape.HALF_LIFE, 1)),
            "Pricing page visit: +20 each time, at most +60, halving every day",
        ),
        (
            FitRule(1, "title", Operator.HAS_WORD, ("VP",), effect=Effect.MULTIPLIES, factor=1_500),
            "Job title has the word “VP”: readiness × 1.5",
        ),
        (
            replace(PRICING, points=0, effect=Effect.MULTIPLIES, factor=333, window_hours=24 * 7),
            "Pricing page visit within 7 days: readiness × 0.333",
        ),
        (
            BehaviourRule(1, 1, effect=Effect.INSTANT_MQL, high_intent=True, signal_name="Demo request"),
            "Demo request: MQL at once, if the checklist holds",
        ),
        (
            FitRule(1, "email_domain", Operator.ONE_OF, ("rival.example",), effect=Effect.DISQUALIFIES),
            "E-mail domain is “rival.example”: never an MQL while true",
        ),
        (
            FitRule(1, "title", Operator.HAS_WORD, ("VP", "chief", "CTO"), points=15),
            "Job title has the word “VP”, “chief” or “CTO”: +15",
        ),
        (
            FitRule(1, SIZE, Operator.BETWEEN, low=50, high=1000, points=10),
            "Company size is from 50 to 1,000: +10",
        ),
        (
            FitRule(1, SIZE, Operator.NOT_BETWEEN, high=10, points=-10),
            "Company size is known and not 10 or less: −10",
        ),
        (FitRule(1, SIZE, Operator.BETWEEN, low=50, points=1), "Company size is 50 or more: +1"),
        (FitRule(1, "budget", Operator.IS_KNOWN, points=5), "Budget is known: +5"),
        (FitRule(1, "country", Operator.IS_BLANK, points=-5), "Country is blank: −5"),
        (
            FitRule(1, "country", Operator.NOT_ONE_OF, ("Germany",), points=-5),
            "Country is known and not “Germany”: −5",
        ),
        (
            FitRule(1, "pain_point", Operator.CONTAINS, ("churn",), points=5),
            "Pain point contains “churn”: +5",
        ),
    ],
)
def test_a_rule_reads_as_a_sentence(rule: FitRule | BehaviourRule, sentence: str) -> None:
    assert rule_sentence(rule) == sentence


def test_the_frame_of_a_model_reads_as_sentences() -> None:
    model = Model(
        threshold=50,
        icp_from=1,
        signal_hours=90 * 24,
        behaviour=(PRICING,),
        decay=(DecayStep(30 * 24, 750), DecayStep(90 * 24, 125)),
        decay_floor=5,
        categories=(CategoryTier(Category.A, 40, 20),),
    )

    assert frame_sentences(model) == [
        "Score: all points added up",
        "MQL from 50 points, or at once by an instant-MQL rule, if the checklist holds",
        "ICP match: 1 fit point or more",
        "Clear signal of interest: a high-intent signal within the last 90 days",
        "No red flags: no disqualifier is true",
        "After 30 days without engagement, 75 % of the behaviour points remain",
        "After 90 days without engagement, 12.5 % of the behaviour points remain",
        "Decay leaves at least 5 behaviour points",
        "Category A (ready to engage): engagement of 40 or more and readiness of 20 or more",
        "Category C (engaged research): all others",
    ]


def test_the_frame_of_a_hybrid_model_names_its_weights() -> None:
    model = Model(threshold=40, icp_from=0, signal_hours=24, formula=Formula.HYBRID, engagement_percent=40)

    assert frame_sentences(model)[0] == (
        "Score: 40 % of engagement + 60 % of readiness, which is all points times the multipliers"
    )


def test_the_frame_of_a_checklist_names_no_threshold() -> None:
    model = Model(threshold=40, icp_from=0, signal_hours=24, formula=Formula.CHECKLIST)

    assert frame_sentences(model)[:2] == [
        "Score: all points added up",
        "MQL as soon as the checklist holds, whatever the score",
    ]


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ((), "Group “Website”: at most +40 together"),
        ((PRICING,), "Group “Website”: at most +40 together from “Pricing”"),
        (
            (PRICING, OPENS, replace(PRICING, name="Demo")),
            "Group “Website”: at most +40 together from “Pricing”, “Reads our e-mails” and “Demo”",
        ),
        (
            (replace(PRICING, points=-5, name="Careers"),),
            "Group “Website”: no lower than −40 together from “Careers”",
        ),
    ],
)
def test_a_group_says_what_its_rules_give_together(members: tuple[BehaviourRule, ...], sentence: str) -> None:
    assert group_sentence(Group(9, 40, "Website"), members) == sentence


OLD = Model(threshold=50, icp_from=10, signal_hours=24, behaviour=(PRICING,))


def test_equal_models_differ_in_nothing() -> None:
    copied = replace(OLD, behaviour=(replace(PRICING, key=99),))

    assert differences(OLD, copied) == []


def test_a_changed_rule_is_one_change_and_not_two() -> None:
    new = replace(OLD, behaviour=(replace(PRICING, key=2, points=25),))

    assert [str(change) for change in differences(OLD, new)] == [
        "Changed: Pricing page visit: +20 → Pricing page visit: +25"
    ]


def test_added_and_removed_rules_and_numbers_are_named() -> None:
    webinar = BehaviourRule(2, 2, points=20, name="Webinar", signal_name="Webinar")
    new = replace(OLD, threshold=60, behaviour=(webinar,))

    changes = {(change.kind, change.before, change.after) for change in differences(OLD, new)}

    assert changes == {
        (
            "changed",
            "MQL from 50 points, or at once by an instant-MQL rule, if the checklist holds",
            "MQL from 60 points, or at once by an instant-MQL rule, if the checklist holds",
        ),
        ("removed", "Pricing page visit: +20", ""),
        ("added", "", "Webinar: +20"),
    }


def test_a_signal_defined_anew_is_a_difference_though_the_words_are_the_same() -> None:
    new = replace(OLD, behaviour=(replace(PRICING, signal=2),))

    assert [str(change) for change in differences(OLD, new)] == [
        "Changed: “Pricing page visit” as it was defined → “Pricing page visit” by its new definition"
    ]


def test_the_same_rule_once_more_is_a_difference() -> None:
    new = replace(OLD, behaviour=(PRICING, replace(PRICING, key=2)))

    assert [str(change) for change in differences(OLD, new)] == ["Added: Pricing page visit: +20"]


def test_another_order_of_the_categories_is_a_difference() -> None:
    tiers = (CategoryTier(Category.A, 40, 20), CategoryTier(Category.B, 20, 0))
    old = replace(OLD, categories=tiers)

    assert [str(change) for change in differences(old, replace(old, categories=tiers[::-1]))] == [
        "Changed: The first category that fits decides: A from 40 and 20 then B from 20 and 0 → "
        "The first category that fits decides: B from 20 and 0 then A from 40 and 20"
    ]


def test_a_signal_defined_anew_says_what_it_means_now() -> None:
    new = replace(OLD, behaviour=(replace(PRICING, signal=2, high_intent=False, engages=False),))

    assert [str(change) for change in differences(OLD, new)] == [
        "Changed: “Pricing page visit” as it was defined (high intent, counts as engagement) → "
        "“Pricing page visit” by its new definition (low intent, is no engagement)"
    ]


GROUPED = replace(PRICING, group=9)
WEBSITE = Group(9, 40, "Website")


@pytest.mark.parametrize(
    ("new", "change"),
    [
        (
            replace(OLD, behaviour=(replace(PRICING, decay=RuleDecay(Shape.HALF_LIFE, 30)),)),
            "Changed: Pricing page visit: +20 → Pricing page visit: +20, halving every 30 days",
        ),
        (
            replace(OLD, behaviour=(replace(PRICING, max_count=4),)),
            "Changed: Pricing page visit: +20 → Pricing page visit, 1 to 4 times: +20",
        ),
        (
            replace(OLD, behaviour=(GROUPED,), groups=(WEBSITE,)),
            "Added: Group “Website”: at most +40 together from “Pricing”",
        ),
        (
            replace(OLD, formula=Formula.HYBRID),
            "Changed: Score: all points added up → Score: 40 % of engagement + 60 % of readiness, "
            "which is all points times the multipliers",
        ),
        (
            replace(OLD, formula=Formula.CHECKLIST),
            "Changed: MQL from 50 points, or at once by an instant-MQL rule, if the checklist holds → "
            "MQL as soon as the checklist holds, whatever the score",
        ),
        (
            replace(OLD, behaviour=(replace(PRICING, explicit=True),)),
            "Changed: “Pricing” shows interest → “Pricing” asks for contact",
        ),
    ],
    ids=["fading", "frequency", "group", "hybrid", "checklist", "explicit"],
)
def test_everything_that_a_version_can_say_is_a_difference(new: Model, change: str) -> None:
    assert [str(one) for one in differences(OLD, new)] == [change]


def test_the_bounds_and_the_members_of_a_group_are_differences() -> None:
    old = replace(OLD, behaviour=(GROUPED, OPENS), groups=(WEBSITE,))
    new = replace(old, behaviour=(GROUPED, replace(OPENS, group=9)), groups=(Group(9, 25, "Website"),))

    assert [str(one) for one in differences(old, new)] == [
        "Changed: Group “Website”: at most +40 together from “Pricing” → "
        "Group “Website”: at most +25 together from “Pricing” and “Reads our e-mails”"
    ]


def test_the_weights_of_a_hybrid_model_are_a_difference() -> None:
    old = replace(OLD, formula=Formula.HYBRID)

    [change] = differences(old, replace(old, engagement_percent=30))

    assert change.after.startswith("Score: 30 % of engagement + 70 % of readiness")


def test_against_nothing_everything_is_added() -> None:
    assert {change.kind for change in differences(None, OLD)} == {"added"}
