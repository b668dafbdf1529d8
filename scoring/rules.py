"""The rule language: what a published scoring model says, as plain values.

Everything that decides a score is an integer here, so contributions add up exactly (SCORE-7): points are
whole, decay is in per mille, windows are hours of elapsed time (never calendar days, which last 23 or 25
hours when clocks change). A window of `h` hours at the moment `t` holds the activities with
`t - h < occurred_at <= t`.

From evidence to a score, step by step (each keeps integers, and rounds towards zero):

1. A rule on an attribute gives its points while it holds. A rule on a signal holds while its count in the
   window lies within `min_count` and `max_count`; it gives its points once or for each occurrence, bounded by
   its `cap`, and then by its own `decay`, by whole days of 24 hours since the last occurrence in the window.
2. The points of a group, added in the order of the rules, stop at the cap of the group.
3. What behaviour earned (the sum of all positive points of signals) is decayed by the time since the last
   engagement. `fit` is the sum of the attribute rules, `engagement` the decayed sum plus the negatives.
4. Readiness is `fit` in the additive formula. In the hybrid one it is `max(0, fit + engagement)` times every
   multiplier that holds, one after the other in order: fit rules first, then behaviour rules.
5. The sum is `fit + engagement`, or in the hybrid formula
   `(engagement × engagement_percent + readiness × (100 − engagement_percent)) / 100`. Below zero it is lifted
   to zero, which is the total.

`scoring.compile` turns a Model into SQL; tests/scoring/reference.py says the same in plain Python.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
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


class Shape(StrEnum):
    """How the points of one rule fade while its signal is not seen again (SCORE-4)."""

    STEP = "step"
    LINEAR = "linear"
    HALF_LIFE = "half_life"


class Effect(StrEnum):
    """What a rule does while it holds."""

    POINTS = "points"
    MULTIPLIES = "multiplies"
    DISQUALIFIES = "disqualifies"
    INSTANT_MQL = "instant_mql"


@dataclass(frozen=True, slots=True)
class RuleDecay:
    """How the points of one rule fade with the whole days since its signal was last seen.

    STEP loses `percent` of the points after every `days`; LINEAR fades to nothing over `days`; HALF_LIFE
    halves every `days`. None falls below `floor_percent`.
    """

    shape: Shape
    days: int
    percent: int = 0
    floor_percent: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.days <= MAX_DAYS:
            raise RuleRefused(f"Points can fade over 1 to {MAX_DAYS:,} days.")
        if self.shape is Shape.STEP and not 1 <= self.percent <= 100:
            raise RuleRefused("A step must take from 1 to 100 % of the points.")
        if not 0 <= self.floor_percent <= 99:
            raise RuleRefused("Fading can leave from 0 to 99 % of the points.")

    def kept_after(self, age_days: int) -> int:
        """Per mille of the points left after so many whole days; never rises with the days, and stays as it
        is from the longest span on that a rule may name."""
        age_days = min(age_days, MAX_DAYS)
        if self.shape is Shape.STEP:
            kept = PER_MILLE - age_days // self.days * self.percent * 10
        elif self.shape is Shape.LINEAR:
            kept = PER_MILLE - PER_MILLE * age_days // self.days
        else:
            kept = _halved(age_days, self.days)
        return max(kept, self.floor_percent * 10)

    def steps(self) -> tuple[tuple[int, int], ...]:
        """(hours, per mille kept from then on) wherever that changes, in order; never at hour 0."""
        steps, before = [], PER_MILLE
        for age_days in range(1, MAX_DAYS + 1):
            kept = self.kept_after(age_days)
            if kept != before:
                steps.append((age_days * 24, kept))
                before = kept
            if kept <= self.floor_percent * 10:
                break
        return tuple(steps)


@dataclass(frozen=True, slots=True)
class Group:
    """Rules whose points together stop at a cap: all on attributes or all on signals, and of one sign."""

    key: int
    cap: int
    name: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.cap <= MAX_CAP:
            raise RuleRefused(f"The cap of the group “{self.name}” must be at least 1 point.")


@dataclass(frozen=True, slots=True)
class FitRule:
    """Points, a factor or disqualification while an attribute of the lead or its company is so.

    `factor` is per mille: 1500 multiplies readiness by 1.5. `group` is the key of a Group.
    """

    key: int
    attribute: str
    operator: Operator
    values: tuple[str, ...] = ()
    low: int | None = None
    high: int | None = None
    points: int = 0
    effect: Effect = Effect.POINTS
    name: str = ""
    factor: int = PER_MILLE
    group: int | None = None

    def __post_init__(self) -> None:
        _check_effect(self)
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
    """Points, a factor or a verdict while a signal was seen `min_count` to `max_count` times in the window.

    `each` gives the points for every occurrence, otherwise they are given once. `cap` bounds the absolute
    points of the rule. `high_intent` and `engages` are properties of the signal, `explicit` says that the
    person asked for contact; the names are for people. Decay of the model spares negatives, which stand until
    their window ends or their own decay has forgiven them. `factor` is per mille, `group` the key of a Group.
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
    max_count: int | None = None
    decay: RuleDecay | None = None
    factor: int = PER_MILLE
    group: int | None = None

    def __post_init__(self) -> None:
        _check_effect(self)
        if not 1 <= self.min_count <= MAX_OCCURRENCES:
            raise RuleRefused(f"“At least … times” must be from 1 to {MAX_OCCURRENCES:,}.")
        if self.max_count is not None and not self.min_count <= self.max_count <= MAX_OCCURRENCES:
            raise RuleRefused("“At most … times” cannot be less than “at least … times”.")
        if self.decay is not None and self.effect is not Effect.POINTS:
            raise RuleRefused("Only points can fade: a rule of this kind gives none.")
        if self.window_hours is not None and not 1 <= self.window_hours <= MAX_HOURS:
            raise RuleRefused(f"A window must be from 1 to {MAX_DAYS:,} days; leave it empty for “ever”.")
        if self.cap is not None and not 1 <= self.cap <= MAX_CAP:
            raise RuleRefused("A cap must be at least 1 point; leave it empty for no cap.")
        if self.effect is Effect.INSTANT_MQL and not self.high_intent:
            raise RuleRefused("Only a high-intent signal can make an instant MQL.")

    @property
    def is_clear_signal(self) -> bool:
        """True if this rule, when it holds, shows real interest (SCORE-5, SCORE-6)."""
        helps = self.points > 0 or self.effect is Effect.INSTANT_MQL or self.factor > PER_MILLE
        return self.high_intent and helps


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
            raise RuleRefused("The threshold must be at least 1 point.")
        if not 1 <= self.signal_hours <= MAX_HOURS:
            raise RuleRefused(f"A clear signal must count for 1 to {MAX_DAYS:,} days.")
        if not 0 <= self.decay_floor <= MAX_THRESHOLD:
            raise RuleRefused("The floor of decay cannot be negative.")
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
            if len({type(rule) for rule in members}) > 1:
                raise RuleRefused(
                    f"The group “{group.name}” mixes rules on who they are with rules on what they do: "
                    "make two groups."
                )
            if len({rule.points > 0 for rule in members}) > 1:
                raise RuleRefused(f"The group “{group.name}” mixes points given with points taken away.")
            if any(rule.effect is not Effect.POINTS for rule in members):
                raise RuleRefused(f"The group “{group.name}” can only hold rules that give points.")
        if {rule.group for rule in self.rules} - {None} - {group.key for group in self.groups}:
            raise RuleRefused("A rule belongs to a group that this model does not have.")


def most_points(rule: FitRule | BehaviourRule) -> int:
    """The most that one rule can give (or, with its sign, take away), before groups and decay."""
    if isinstance(rule, FitRule):
        return rule.points
    times = min(rule.max_count or MAX_OCCURRENCES, MAX_OCCURRENCES) if rule.each else 1
    size = abs(rule.points) * times
    size = size if rule.cap is None else min(size, rule.cap)
    return size if rule.points > 0 else -size


def normal_words(text: str) -> str:
    """Letters and digits in lower case, everything else one space: how HAS_WORD sees text."""
    return " ".join("".join(c if c.isalnum() else " " for c in text.lower()).split())


def _halved(age_days: int, half_life_days: int) -> int:
    """1000 × 2^(−age / half-life), rounded to the nearest whole: exact decimals, so every machine agrees."""
    with localcontext() as context:
        context.prec = 40
        kept = PER_MILLE * Decimal(2) ** (Decimal(-age_days) / half_life_days)
        return int(kept.to_integral_value(ROUND_HALF_UP))


def _check_effect(rule: FitRule | BehaviourRule) -> None:
    if not -MAX_POINTS <= rule.points <= MAX_POINTS:
        raise RuleRefused(f"Points must lie between −{MAX_POINTS:,} and {MAX_POINTS:,}, not {rule.points:,}.")
    if rule.effect is not Effect.POINTS and rule.points:
        raise RuleRefused("A rule that multiplies, disqualifies or makes an instant MQL gives no points.")
    if not 1 <= rule.factor <= MAX_FACTOR:
        raise RuleRefused("A multiplier must lie between ×0.001 and ×10.")
    if rule.effect is not Effect.MULTIPLIES and rule.factor != PER_MILLE:
        raise RuleRefused("Only a rule of the kind “Multiplier” has a factor.")
