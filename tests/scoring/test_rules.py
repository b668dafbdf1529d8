"""What the rule language refuses, each with a sentence that says what to do."""

from __future__ import annotations

from typing import Any

import pytest

from scoring.engine import score_with_ledger
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
    RuleRefused,
    Shape,
)
from tests.factories import NOON, LeadFactory
from tests.scoring.builders import make_draft

BOMB = "(a+)+$"
SIZE = "company.employee_count"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"attribute": "shoe_size", "operator": Operator.IS_KNOWN}, "no attribute “shoe_size”"),
        ({"attribute": SIZE, "operator": Operator.BETWEEN}, "lowest or a highest value"),
        ({"attribute": SIZE, "operator": Operator.BETWEEN, "low": 9, "high": 1}, "ends before it begins"),
        ({"attribute": SIZE, "operator": Operator.BETWEEN, "low": 10**12}, "numbers up to"),
        ({"attribute": SIZE, "operator": Operator.ONE_OF, "values": ("5",)}, "Give a range"),
        ({"attribute": "title", "operator": Operator.BETWEEN, "low": 1}, "is text"),
        ({"attribute": "title", "operator": Operator.ONE_OF}, "which words"),
        ({"attribute": "title", "operator": Operator.ONE_OF, "values": ("a", " ")}, "is empty"),
        ({"attribute": "title", "operator": Operator.ONE_OF, "values": ("a\0",)}, "is empty"),
        ({"attribute": "title", "operator": Operator.ONE_OF, "values": ("a",) * 201}, "200 words at most"),
        ({"attribute": "title", "operator": Operator.HAS_WORD, "values": ("--",)}, "letter or digit"),
        ({"attribute": "title", "operator": Operator.IS_KNOWN, "points": 10**9}, "between −1,000 and 1,000"),
        (
            {"attribute": "title", "operator": Operator.IS_KNOWN, "effect": Effect.INSTANT_MQL},
            "needs a signal",
        ),
        (
            {"attribute": "title", "operator": Operator.IS_KNOWN, "effect": Effect.DISQUALIFIES, "points": 5},
            "gives no points",
        ),
        (
            {"attribute": "title", "operator": Operator.IS_KNOWN, "effect": Effect.MULTIPLIES, "factor": 0},
            "between ×0.001 and ×10",
        ),
        (
            {"attribute": "title", "operator": Operator.IS_KNOWN, "effect": Effect.MULTIPLIES}
            | {"factor": 10_001},
            "between ×0.001 and ×10",
        ),
        (
            {"attribute": "title", "operator": Operator.IS_KNOWN, "points": 5, "factor": 2_000},
            "Only a rule of the kind “Multiplier”",
        ),
    ],
)
def test_a_senseless_fit_rule_is_refused(rule: dict[str, Any], words: str) -> None:
    with pytest.raises(RuleRefused, match=words):
        FitRule(1, **rule)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"min_count": 0}, "At least … times"),
        ({"min_count": 10**6}, "At least … times"),
        ({"window_hours": -24}, "1 to 3,660 days"),
        ({"window_hours": 0}, "1 to 3,660 days"),
        ({"window_hours": 10**9}, "1 to 3,660 days"),
        ({"cap": 0}, "A cap must be from 1 to 10,000,000 points; leave it empty for no cap"),
        ({"cap": 10**9}, "A cap must be from 1 to 10,000,000 points"),
        ({"min_count": 5, "max_count": 3}, "“At most 3 times” is less than “at least 5 times”: raise"),
        ({"max_count": 10**9}, "goes up to 10,000; leave it empty"),
        ({"effect": Effect.DISQUALIFIES, "decay": RuleDecay(Shape.LINEAR, 30)}, "take the fading off"),
        ({"effect": Effect.MULTIPLIES, "factor": 0}, "between ×0.001 and ×10"),
        ({"effect": Effect.MULTIPLIES, "factor": 2_000, "points": 5}, "gives no points"),
        ({"points": -(10**9)}, "between −1,000 and 1,000"),
        ({"effect": Effect.INSTANT_MQL, "high_intent": False}, "Only a high-intent signal"),
    ],
)
def test_a_senseless_behaviour_rule_is_refused(rule: dict[str, Any], words: str) -> None:
    with pytest.raises(RuleRefused, match=words):
        BehaviourRule(1, 1, **rule)


HELPS = BehaviourRule(1, 1, points=10, group=7)
HURTS = BehaviourRule(2, 2, points=-10, group=7)
KNOWN = FitRule(3, "title", Operator.IS_KNOWN, points=10, group=7)
TRIPLES = FitRule(4, "title", Operator.IS_KNOWN, effect=Effect.MULTIPLIES, factor=3_000, name="Known")
BUSY = BehaviourRule(5, 1, points=1_000, each=True)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ({"threshold": 0}, "The threshold must be from 1 to 200,000 points, not 0"),
        ({"threshold": 10**9}, "The threshold must be from 1 to 200,000 points, not 1,000,000,000"),
        ({"icp_from": -1}, "must ask for 0 to 200,000 fit points, not −?-1"),
        ({"signal_hours": 0}, "clear signal must count"),
        ({"signal_hours": -24}, "clear signal must count for 1 to 3,660 days"),
        ({"decay_floor": -1}, "floor of decay must be from 0"),
        ({"engagement_percent": 101}, "between 0 and 100 %; the rest is readiness"),
        ({"engagement_percent": -1}, "between 0 and 100 %"),
        ({"decay": (DecayStep(48, 500), DecayStep(24, 400))}, "come in order"),
        ({"decay": (DecayStep(24, 500), DecayStep(24, 400))}, "each at its own time"),
        ({"decay": (DecayStep(24, 500), DecayStep(48, 600))}, "no more than the one before"),
        ({"behaviour": tuple(BehaviourRule(key, 1) for key in range(201))}, "200 rules at most"),
        ({"behaviour": (HELPS,)}, "a group that this model does not have: choose another"),
        ({"behaviour": (HELPS, HURTS), "groups": (Group(7, 20, "Web"),)}, "points taken away: make two"),
        ({"behaviour": (HELPS,), "fit": (KNOWN,), "groups": (Group(7, 20, "Web"),)}, "make two groups"),
        (
            {
                "behaviour": (BehaviourRule(1, 1, effect=Effect.DISQUALIFIES, group=7),),
                "groups": (Group(7, 20, "Web"),),
            },
            "“Web” can only hold rules that give points: take the others out",
        ),
        ({"fit": (TRIPLES,)}, "“Known” multiplies readiness, which only the hybrid formula has: choose that"),
        (
            {"fit": (TRIPLES,) * 5, "behaviour": (BUSY,), "formula": Formula.HYBRID},
            "more points than can be counted: give them caps",
        ),
    ],
)
def test_a_senseless_model_is_refused(model: dict[str, Any], words: str) -> None:
    with pytest.raises(RuleRefused, match=words):
        Model(**({"threshold": 10, "icp_from": 0, "signal_hours": 24} | model))


@pytest.mark.parametrize(("hours", "kept"), [(0, 500), (24, 1001), (24, -1)])
def test_a_senseless_decay_step_is_refused(hours: int, kept: int) -> None:
    with pytest.raises(RuleRefused):
        DecayStep(hours, kept)


@pytest.mark.parametrize("cap", [0, -5, 10**9])
def test_a_group_without_a_sensible_cap_is_refused(cap: int) -> None:
    with pytest.raises(RuleRefused, match="The cap of the group “Web” must be from 1 to 10,000,000 points"):
        Group(7, cap, "Web")


def test_a_line_of_the_matrix_beyond_all_numbers_is_refused() -> None:
    with pytest.raises(RuleRefused, match="can ask for up to 2,000,000,000 points"):
        CategoryTier(Category.A, 10**12, 0)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("operator", "title", "points"),
    [
        ("contains", "a" * 127 + "!", 0),
        ("contains", "Head of (A+)+$ things", 10),
        ("one_of", "a" * 128, 0),
        ("one_of", "(a+)+$", 10),
        # Signs are no letters: the word to look for is “a”.
        ("has_word", "a" * 128, 0),
        ("has_word", "Grade a", 10),
    ],
    ids=["in a's", "in itself", "is a's", "is itself", "no word in a's", "the word a"],
)
def test_a_regular_expression_is_only_text_to_look_for(operator: str, title: str, points: int) -> None:
    """No word is ever a pattern, so none can keep the database busy for ever."""
    draft = make_draft({"attribute": "title", "operator": operator, "values": [BOMB], "points": 10})
    lead = LeadFactory(title=title)

    result = score_with_ledger(draft, lead.pk, as_of=NOON)

    assert result is not None
    assert result.fit == points
