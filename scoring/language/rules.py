"""The rule language: what a published scoring model says, as plain values.

Everything that decides a score is an integer here, so contributions add up exactly (SCORE-7): points are
whole, decay is in per mille, windows are hours of elapsed time (never calendar days, which last 23 or 25
hours when clocks change). A window of `h` hours at the moment `t` holds the activities with
`t - h < occurred_at <= t`.

From evidence to a score, step by step (each keeps integers, and rounds towards zero):

1. A rule on an attribute gives its points while it holds. A rule on a signal holds while its count in the
   window lies within `min_count` and `max_count`; it gives its points once or for each occurrence, bounded by
   its `cap`, and then fading by its own `decay` with the whole days of 24 hours since the last occurrence in
   the window (`scoring.language.fading`).
2. The points of a group, added in the order of the rules, stop at the cap of the group.
3. What behaviour earned (the sum of all positive points of signals) is decayed by the time since the last
   engagement. `fit` is the sum of the attribute rules, `engagement` the decayed sum plus the negatives.
4. Readiness is `fit` in the additive formula. In the hybrid one it is `max(0, fit + engagement)` times every
   multiplier that holds, one after the other in order: fit rules first, then behaviour rules.
5. The sum is `fit + engagement`, or in the hybrid formula
   `(engagement × engagement_percent + readiness × (100 − engagement_percent)) / 100`. Below zero it is lifted
   to zero, which is the total.
6. A lead qualifies while the checklist holds (`fit` of `icp_from`, a fresh clear signal, no disqualifier) and
   the sum reaches the threshold, or a fresh instant-MQL rule holds, or the checklist alone decides.

The ledger (SCORE-7) adds the rules one after the other, first those on attributes, then those on signals, and
the multipliers last; the line of a rule holds the step by which it changes the sum of step 5. So the lines,
and what lifts a sum below zero, are the total exactly, wherever rounding falls.

`scoring.compile` turns a Model into SQL; tests/scoring/reference.py says the same in plain Python.
"""

from __future__ import annotations

from dataclasses import dataclass

from scoring.language.fading import RuleDecay, Shape
from scoring.language.rule_kinds import BehaviourRule, FitRule, Group, most_points, normal_words
from scoring.language.terms import (
    MAX_CAP,
    MAX_DAYS,
    MAX_FACTOR,
    MAX_HOURS,
    MAX_NUMBER,
    MAX_OCCURRENCES,
    MAX_POINTS,
    MAX_RULES,
    MAX_THRESHOLD,
    MAX_TOTAL,
    MAX_VALUES,
    NUMBER_OPERATORS,
    PER_MILLE,
    TEXT_OPERATORS,
    Category,
    Effect,
    Formula,
    Operator,
    RuleRefused,
    Warmth,
)

__all__ = [
    "MAX_CAP",
    "MAX_DAYS",
    "MAX_FACTOR",
    "MAX_HOURS",
    "MAX_NUMBER",
    "MAX_OCCURRENCES",
    "MAX_POINTS",
    "MAX_RULES",
    "MAX_THRESHOLD",
    "MAX_TOTAL",
    "MAX_VALUES",
    "NUMBER_OPERATORS",
    "PER_MILLE",
    "TEXT_OPERATORS",
    "BehaviourRule",
    "Category",
    "CategoryTier",
    "DecayStep",
    "Effect",
    "FitRule",
    "Formula",
    "Group",
    "Model",
    "Operator",
    "RuleDecay",
    "RuleRefused",
    "Shape",
    "Warmth",
    "most_points",
    "normal_words",
]


@dataclass(frozen=True, slots=True)
class DecayStep:
    """From `after_hours` since the last engagement on, `per_mille` of the earned points remain."""

    after_hours: int
    per_mille: int

    def __post_init__(self) -> None:
        if not 1 <= self.after_hours <= MAX_HOURS:
            raise RuleRefused(f"A decay step must begin after 1 to {MAX_DAYS:,} days.")
        if not 0 <= self.per_mille <= PER_MILLE:
            raise RuleRefused("A decay step keeps from 0 to 100 % of the points.")


@dataclass(frozen=True, slots=True)
class CategoryTier:
    """One line of the matrix: the category of leads with at least this engagement and this readiness."""

    category: Category
    min_engagement: int
    min_readiness: int

    def __post_init__(self) -> None:
        if max(abs(self.min_engagement), abs(self.min_readiness)) > MAX_TOTAL:
            raise RuleRefused(f"A line of the category matrix can ask for up to {MAX_TOTAL:,} points.")


@dataclass(frozen=True, slots=True)
class Model:
    """One version of the scoring model; the docstring of the module says how it makes a score.

    `icp_from`: the fit points from which a lead matches the ideal customer profile.
    `signal_hours`: for how long after it a high-intent signal counts as clear interest (SCORE-6).
    `decay_floor`: decay leaves at least so many of the earned points, or all if fewer were earned.
    `categories` are tried in order; the first that holds wins, and category C is for the rest.
    `engagement_percent`: the weight of engagement in the hybrid formula; readiness has the rest.
    """

    threshold: int
    icp_from: int
    signal_hours: int
    fit: tuple[FitRule, ...] = ()
    behaviour: tuple[BehaviourRule, ...] = ()
    decay: tuple[DecayStep, ...] = ()
    decay_floor: int = 0
    categories: tuple[CategoryTier, ...] = ()
    formula: Formula = Formula.ADDITIVE
    engagement_percent: int = 40
    groups: tuple[Group, ...] = ()

    def __post_init__(self) -> None:
        self._check_numbers()
        self._check_decay()
        self._check_multipliers()
        self._check_groups()

    @property
    def rules(self) -> tuple[FitRule | BehaviourRule, ...]:
        """All rules in the order in which they count."""
        return (*self.fit, *self.behaviour)

    @property
    def multipliers(self) -> tuple[FitRule | BehaviourRule, ...]:
        return tuple(rule for rule in self.rules if rule.effect is Effect.MULTIPLIES)

    def _check_numbers(self) -> None:
        if not 1 <= self.threshold <= MAX_THRESHOLD:
            raise RuleRefused(
                f"The threshold must be from 1 to {MAX_THRESHOLD:,} points, not {self.threshold:,}."
            )
        if not 0 <= self.icp_from <= MAX_THRESHOLD:
            raise RuleRefused(
                f"An ICP match must ask for 0 to {MAX_THRESHOLD:,} fit points, not {self.icp_from:,}."
            )
        if not 1 <= self.signal_hours <= MAX_HOURS:
            raise RuleRefused(f"A clear signal must count for 1 to {MAX_DAYS:,} days.")
        if not 0 <= self.decay_floor <= MAX_THRESHOLD:
            raise RuleRefused(
                f"The floor of decay must be from 0 to {MAX_THRESHOLD:,} points, not {self.decay_floor:,}."
            )
        if len(self.fit) + len(self.behaviour) > MAX_RULES:
            raise RuleRefused(f"A model can hold {MAX_RULES} rules at most.")
        if not 0 <= self.engagement_percent <= 100:
            raise RuleRefused("The weight of engagement must lie between 0 and 100 %; the rest is readiness.")

    def _check_decay(self) -> None:
        hours = [step.after_hours for step in self.decay]
        if hours != sorted(set(hours)):
            raise RuleRefused("Decay steps must come in order, each at its own time.")
        kept = [step.per_mille for step in self.decay]
        if kept != sorted(kept, reverse=True):
            raise RuleRefused("Each decay step must keep no more than the one before it.")

    def _check_multipliers(self) -> None:
        if self.multipliers and self.formula is not Formula.HYBRID:
            raise RuleRefused(
                f"“{self.multipliers[0].name}” multiplies readiness, which only the hybrid formula has: "
                "choose that formula, or give points instead."
            )
        product = PER_MILLE
        for rule in self.multipliers:
            product = product * max(PER_MILLE, rule.factor) // PER_MILLE
        highest = sum(max(0, most_points(rule)) for rule in self.rules)
        if highest * product // PER_MILLE > MAX_TOTAL:
            raise RuleRefused(
                "The rules together could give more points than can be counted: give them caps, "
                "or use fewer or smaller multipliers."
            )

    def _check_groups(self) -> None:
        for group in self.groups:
            members = [rule for rule in self.rules if rule.group == group.key]
            if any(rule.effect is not Effect.POINTS for rule in members):
                raise RuleRefused(
                    f"The group “{group.name}” can only hold rules that give points: take the others out."
                )
            if len({type(rule) for rule in members}) > 1:
                raise RuleRefused(
                    f"The group “{group.name}” mixes rules on who they are with rules on what they do: "
                    "make two groups."
                )
            if len({rule.points > 0 for rule in members}) > 1:
                raise RuleRefused(
                    f"The group “{group.name}” mixes points given with points taken away: make two groups."
                )
        if {rule.group for rule in self.rules} - {None} - {group.key for group in self.groups}:
            raise RuleRefused("A rule belongs to a group that this model does not have: choose another.")
