"""What the rule language refuses, each with a sentence that says what to do."""

from __future__ import annotations

from typing import Any

import pytest

from scoring.rules import (
    BehaviourRule,
    DecayStep,
    Effect,
    FitRule,
    Model,
    Operator,
    RuleRefused,
)

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
        ({"cap": 0}, "at least 1 point"),
        ({"points": -(10**9)}, "between −1,000 and 1,000"),
        ({"effect": Effect.INSTANT_MQL, "high_intent": False}, "Only a high-intent signal"),
    ],
)
def test_a_senseless_behaviour_rule_is_refused(rule: dict[str, Any], words: str) -> None:
    with pytest.raises(RuleRefused, match=words):
        BehaviourRule(1, 1, **rule)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ({"threshold": 0}, "at least 1 point"),
        ({"signal_hours": 0}, "clear signal must count"),
        ({"decay_floor": -1}, "cannot be negative"),
        ({"decay": (DecayStep(48, 500), DecayStep(24, 400))}, "come in order"),
        ({"decay": (DecayStep(24, 500), DecayStep(24, 400))}, "each at its own time"),
        ({"decay": (DecayStep(24, 500), DecayStep(48, 600))}, "no more than the one before"),
        ({"behaviour": tuple(BehaviourRule(key, 1) for key in range(201))}, "200 rules at most"),
    ],
)
def test_a_senseless_model_is_refused(model: dict[str, Any], words: str) -> None:
    with pytest.raises(RuleRefused, match=words):
        Model(**({"threshold": 10, "icp_from": 0, "signal_hours": 24} | model))


@pytest.mark.parametrize(("hours", "kept"), [(0, 500), (24, 1001), (24, -1)])
def test_a_senseless_decay_step_is_refused(hours: int, kept: int) -> None:
    with pytest.raises(RuleRefused):
        DecayStep(hours, kept)
