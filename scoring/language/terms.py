"""The words of the rule language, how far its numbers go, and how it refuses what means nothing. Pure."""

from __future__ import annotations

from enum import StrEnum

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
MAX_TOTAL = 2_000_000_000
MAX_FACTOR = 10_000  # per mille: ten times

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


class Formula(StrEnum):
    """How a total comes about, and what besides the checklist makes an MQL (SCORE-3, SCORE-6)."""

    ADDITIVE = "additive"
    HYBRID = "hybrid"
    # Points are added as in ADDITIVE and shown; the checklist alone decides.
    CHECKLIST = "checklist"


class Effect(StrEnum):
    """What a rule does while it holds."""

    POINTS = "points"
    MULTIPLIES = "multiplies"
    DISQUALIFIES = "disqualifies"
    INSTANT_MQL = "instant_mql"
