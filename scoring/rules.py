"""The rule language: what a published scoring model says, as plain values.

Everything that decides a score is an integer here, so contributions add up exactly (SCORE-7): points are
whole, decay is in per mille, windows are hours of elapsed time (never calendar days, which last 23 or 25
hours when clocks change). A window of `h` hours at the moment `t` holds the activities with
`t - h < occurred_at <= t`.

`scoring.compile` turns a Model into SQL; tests/scoring/reference.py says the same in plain Python.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from scoring.attributes import ATTRIBUTES, Kind

# Technical bounds, not business numbers: they keep every sum of a model far inside 32 bits.
MAX_POINTS = 1_000
MAX_OCCURRENCES = 10_000
MAX_DAYS = 3_660
MAX_HOURS = MAX_DAYS * 24
MAX_RULES = 200
MAX_VALUES = 200
MAX_THRESHOLD = MAX_POINTS * MAX_RULES
MAX_CAP = MAX_POINTS * MAX_OCCURRENCES
MAX_NUMBER = 2_000_000_000

PER_MILLE = 1_000


class RuleRefused(ValueError):
    """The rule or model cannot mean anything; the message is a sentence for the person who wrote it."""


class Operator(StrEnum):
    """How a fit rule compares. Text ignores case; an unknown value satisfies only IS_BLANK."""

    ONE_OF = "one_of"
    NOT_ONE_OF = "not_one_of"
    CONTAINS = "contains"
    HAS_WORD = "has_word"
    BETWEEN = "between"
    NOT_BETWEEN = "not_between"
    IS_KNOWN = "is_known"
    IS_BLANK = "is_blank"


TEXT_OPERATORS = frozenset({Operator.ONE_OF, Operator.NOT_ONE_OF, Operator.CONTAINS, Operator.HAS_WORD})
NUMBER_OPERATORS = frozenset({Operator.BETWEEN, Operator.NOT_BETWEEN})


class Category(StrEnum):
    A = "A"
    B = "B"
    C = "C"


class Warmth(StrEnum):
    HAND_RAISER = "hand_raiser"
    RETURNING = "returning"
    ACCUMULATED = "accumulated"
    COLD = "cold"


class Effect(StrEnum):
    """What a rule does while it holds."""

    POINTS = "points"
    DISQUALIFIES = "disqualifies"
    INSTANT_MQL = "instant_mql"


@dataclass(frozen=True, slots=True)
class FitRule:
    """Points (or disqualification) while an attribute of the lead or its company is so."""

    key: int
    attribute: str
    operator: Operator
    values: tuple[str, ...] = ()
    low: int | None = None
    high: int | None = None
    points: int = 0
    effect: Effect = Effect.POINTS
    name: str = ""

    def __post_init__(self) -> None:
        _check_points(self.points, self.effect)
        if self.effect is Effect.INSTANT_MQL:
            raise RuleRefused("An instant MQL needs a signal: who somebody is never makes an MQL at once.")
        attribute = ATTRIBUTES.get(self.attribute)
        if attribute is None:
            raise RuleRefused(f"There is no attribute “{self.attribute}”. Choose one from the list.")
        if self.operator in NUMBER_OPERATORS:
            self._check_range(attribute.kind, attribute.label)
        elif self.operator in TEXT_OPERATORS:
            self._check_values(attribute.kind, attribute.label)

    def _check_range(self, kind: Kind, label: str) -> None:
        if kind is not Kind.NUMBER:
            raise RuleRefused(f"{label} is text, so it cannot lie in a range. Compare it with words instead.")
        if self.low is None and self.high is None:
            raise RuleRefused(f"Give a lowest or a highest value for {label.lower()}.")
        if any(bound is not None and abs(bound) > MAX_NUMBER for bound in (self.low, self.high)):
            raise RuleRefused(f"{label} can only be compared with numbers up to {MAX_NUMBER:,}.")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise RuleRefused(f"The range for {label.lower()} ends before it begins.")

    def _check_values(self, kind: Kind, label: str) -> None:
        if kind is not Kind.TEXT:
            raise RuleRefused(f"{label} is a number. Give a range instead of words.")
        if not self.values:
            raise RuleRefused(f"Say which words to look for in {label.lower()}.")
        if len(self.values) > MAX_VALUES:
            raise RuleRefused(f"A rule can hold {MAX_VALUES} words at most; this one has {len(self.values)}.")
        if any("\0" in value or not value.strip() for value in self.values):
            raise RuleRefused(f"One of the words for {label.lower()} is empty.")
        if self.operator is Operator.HAS_WORD and not all(map(normal_words, self.values)):
            raise RuleRefused("A word to look for needs at least one letter or digit.")


@dataclass(frozen=True, slots=True)
class BehaviourRule:
    """Points (or a verdict) once a signal was seen `min_count` times within the window.

    `each` gives the points for every occurrence, otherwise they are given once. `cap` bounds the absolute
    points of the rule. `high_intent` and `engages` are properties of the signal, `explicit` says that the
    person asked for contact; the names are for people. Only rules that give points decay; negatives stand
    until their window ends.
    """

    key: int
    signal: int
    points: int = 0
    effect: Effect = Effect.POINTS
    min_count: int = 1
    window_hours: int | None = None
    each: bool = False
    cap: int | None = None
    high_intent: bool = False
    explicit: bool = False
    engages: bool = True
    name: str = ""
    signal_name: str = ""

    def __post_init__(self) -> None:
        _check_points(self.points, self.effect)
        if not 1 <= self.min_count <= MAX_OCCURRENCES:
            raise RuleRefused(f"“At least … times” must be from 1 to {MAX_OCCURRENCES:,}.")
        if self.window_hours is not None and not 1 <= self.window_hours <= MAX_HOURS:
            raise RuleRefused(f"A window must be from 1 to {MAX_DAYS:,} days; leave it empty for “ever”.")
        if self.cap is not None and not 1 <= self.cap <= MAX_CAP:
            raise RuleRefused("A cap must be at least 1 point; leave it empty for no cap.")
        if self.effect is Effect.INSTANT_MQL and not self.high_intent:
            raise RuleRefused("Only a high-intent signal can make an instant MQL.")

    @property
    def is_clear_signal(self) -> bool:
        """True if this rule, when it holds, shows real interest (SCORE-5, SCORE-6)."""
        return self.high_intent and (self.points > 0 or self.effect is Effect.INSTANT_MQL)


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
    """One line of the matrix: the category of leads with at least this engagement and this fit."""

    category: Category
    min_engagement: int
    min_fit: int


@dataclass(frozen=True, slots=True)
class Model:
    """One version of the scoring model.

    `icp_from`: the fit points from which a lead matches the ideal customer profile.
    `signal_hours`: for how long after it a high-intent signal counts as clear interest (SCORE-6).
    `decay_floor`: decay leaves at least so many of the earned points, or all if fewer were earned.
    `categories` are tried in order; the first that holds wins, and category C is for the rest.
    """

    threshold: int
    icp_from: int
    signal_hours: int
    fit: tuple[FitRule, ...] = ()
    behaviour: tuple[BehaviourRule, ...] = ()
    decay: tuple[DecayStep, ...] = ()
    decay_floor: int = 0
    categories: tuple[CategoryTier, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.threshold <= MAX_THRESHOLD:
            raise RuleRefused("The threshold must be at least 1 point.")
        if not 1 <= self.signal_hours <= MAX_HOURS:
            raise RuleRefused(f"A clear signal must count for 1 to {MAX_DAYS:,} days.")
        if not 0 <= self.decay_floor <= MAX_THRESHOLD:
            raise RuleRefused("The floor of decay cannot be negative.")
        if len(self.fit) + len(self.behaviour) > MAX_RULES:
            raise RuleRefused(f"A model can hold {MAX_RULES} rules at most.")
        hours = [step.after_hours for step in self.decay]
        if hours != sorted(set(hours)):
            raise RuleRefused("Decay steps must come in order, each at its own time.")
        kept = [step.per_mille for step in self.decay]
        if kept != sorted(kept, reverse=True):
            raise RuleRefused("Each decay step must keep no more than the one before it.")


def normal_words(text: str) -> str:
    """Letters and digits in lower case, everything else one space: how HAS_WORD sees text."""
    return " ".join("".join(c if c.isalnum() else " " for c in text.lower()).split())


def _check_points(points: int, effect: Effect) -> None:
    if not -MAX_POINTS <= points <= MAX_POINTS:
        raise RuleRefused(f"Points must lie between −{MAX_POINTS:,} and {MAX_POINTS:,}, not {points:,}.")
    if effect is not Effect.POINTS and points:
        raise RuleRefused("A rule that disqualifies or makes an instant MQL gives no points.")
