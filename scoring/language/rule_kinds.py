"""Single rules: on who somebody is, and on what somebody does. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from scoring.language.attributes import ATTRIBUTES, Kind
from scoring.language.fading import RuleDecay
from scoring.language.terms import (
    MAX_CAP,
    MAX_DAYS,
    MAX_FACTOR,
    MAX_HOURS,
    MAX_NUMBER,
    MAX_OCCURRENCES,
    MAX_POINTS,
    MAX_VALUES,
    NUMBER_OPERATORS,
    PER_MILLE,
    TEXT_OPERATORS,
    Effect,
    Operator,
    RuleRefused,
)


@dataclass(frozen=True, slots=True)
class Group:
    """Rules whose points together stop at a cap: all on attributes or all on signals, and of one sign."""

    key: int
    cap: int
    name: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.cap <= MAX_CAP:
            raise RuleRefused(
                f"The cap of the group “{self.name}” must be from 1 to {MAX_CAP:,} points, not {self.cap:,}."
            )


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
        self._check_counts()
        if self.window_hours is not None and not 1 <= self.window_hours <= MAX_HOURS:
            raise RuleRefused(f"A window must be from 1 to {MAX_DAYS:,} days; leave it empty for “ever”.")
        if self.cap is not None and not 1 <= self.cap <= MAX_CAP:
            raise RuleRefused(f"A cap must be from 1 to {MAX_CAP:,} points; leave it empty for no cap.")
        if self.decay is not None and self.effect is not Effect.POINTS:
            raise RuleRefused(
                "Only points can fade, and a rule of this kind gives none: take the fading off."
            )
        if self.effect is Effect.INSTANT_MQL and not self.high_intent:
            raise RuleRefused(
                "Only a high-intent signal can make an instant MQL: choose another signal, or give points."
            )

    def _check_counts(self) -> None:
        if not 1 <= self.min_count <= MAX_OCCURRENCES:
            raise RuleRefused(f"“At least … times” must be from 1 to {MAX_OCCURRENCES:,}.")
        if self.max_count is None:
            return
        if self.max_count > MAX_OCCURRENCES:
            raise RuleRefused(
                f"“At most … times” goes up to {MAX_OCCURRENCES:,}; leave it empty for “however often”."
            )
        if self.max_count < self.min_count:
            raise RuleRefused(
                f"“At most {self.max_count:,} times” is less than “at least {self.min_count:,} times”: "
                "raise the first or lower the second."
            )

    @property
    def is_clear_signal(self) -> bool:
        """True if this rule, when it holds, shows real interest (SCORE-5, SCORE-6)."""
        helps = self.points > 0 or self.effect is Effect.INSTANT_MQL or self.factor > PER_MILLE
        return self.high_intent and helps


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


def _check_effect(rule: FitRule | BehaviourRule) -> None:
    if not -MAX_POINTS <= rule.points <= MAX_POINTS:
        raise RuleRefused(f"Points must lie between −{MAX_POINTS:,} and {MAX_POINTS:,}, not {rule.points:,}.")
    if rule.effect is not Effect.POINTS and rule.points:
        raise RuleRefused("A rule that multiplies, disqualifies or makes an instant MQL gives no points.")
    if not 1 <= rule.factor <= MAX_FACTOR:
        raise RuleRefused("A multiplier must lie between ×0.001 and ×10.")
    if rule.effect is not Effect.MULTIPLIES and rule.factor != PER_MILLE:
        raise RuleRefused("Only a rule of the kind “Multiplier” has a factor.")
