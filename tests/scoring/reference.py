"""What a score is, said a second time and naively, from chapter 2 of the protocol and not from the SQL.

Loops, datetimes and fractions; slow and easy to check by reading. The engine must agree with it (SCORE-9).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cache
from math import ceil, trunc

from scoring.language.rules import (
    MAX_DAYS,
    MAX_OCCURRENCES,
    BehaviourRule,
    Category,
    Effect,
    FitRule,
    Formula,
    Model,
    Operator,
    RuleDecay,
    Shape,
    Warmth,
)

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Hit:
    signal: int
    occurred_at: datetime
    received_at: datetime


@dataclass(frozen=True)
class Change:
    """At `at` an attribute got its present value; before it was `old`."""

    attribute: str
    old: str | int | None
    at: datetime


@dataclass(frozen=True)
class Person:
    facts: dict[str, str | int | None] = field(default_factory=dict)
    hits: tuple[Hit, ...] = ()
    changes: tuple[Change, ...] = ()
    trips: int = 0

    def as_known_at(self, moment: datetime) -> Person:
        """The person as we knew them then: later news and later edits undone."""
        facts = dict(self.facts)
        for change in sorted(self.changes, key=lambda change: change.at, reverse=True):
            if change.at > moment:
                facts[change.attribute] = change.old
        return replace(self, facts=facts, hits=tuple(hit for hit in self.hits if hit.received_at <= moment))


@dataclass(frozen=True)
class Line:
    """`points` is what the rule itself gave, `after_decay` the step it adds to the sum of the model."""

    key: int
    points: int
    after_decay: int
    count: int
    first_at: datetime | None
    last_at: datetime | None
    holds: bool


@dataclass(frozen=True)
class Outcome:
    total: int
    fit: int
    engagement: int
    readiness: int
    category: Category
    warmth: Warmth
    icp_match: bool
    has_signal: bool
    has_red_flag: bool
    is_instant_mql: bool
    qualifies: bool


@dataclass(frozen=True)
class Seen:
    """A rule with what the lead did about it; a rule on an attribute that holds was seen once."""

    rule: FitRule | BehaviourRule
    times: tuple[datetime, ...]
    holds: bool
    gained: int
    faded: int


def evaluate(model: Model, person: Person, moment: datetime) -> tuple[Outcome, list[Line]]:
    seen = [*fit_seen(model, person), *behaviour_seen(model, person, moment)]
    holding = [one for one in seen if one.holds]
    kept = decay_factor(model, person, moment)
    fit, earned, lost = sums(model, holding)
    decayed = after_decay(model, earned, kept)
    engagement = decayed + lost
    readiness = readiness_of(model, fit, engagement, holding)
    summed = weighted(model, engagement, fit, readiness)

    fresh = [
        one.rule
        for one in holding
        if isinstance(one.rule, BehaviourRule)
        and moment - one.times[-1] < timedelta(hours=model.signal_hours)
    ]
    icp_match = fit >= model.icp_from
    has_signal = any(shows_interest(rule) for rule in fresh)
    has_red_flag = any(one.rule.effect is Effect.DISQUALIFIES for one in holding)
    is_instant_mql = any(rule.effect is Effect.INSTANT_MQL for rule in fresh)
    reaches = model.formula is Formula.CHECKLIST or summed >= model.threshold
    outcome = Outcome(
        total=max(0, summed),
        fit=fit,
        engagement=engagement,
        readiness=readiness,
        category=category_of(model, engagement, readiness),
        warmth=(
            Warmth.HAND_RAISER
            if any(rule.explicit for rule in fresh)
            else Warmth.RETURNING
            if person.trips
            else Warmth.ACCUMULATED
            if decayed
            else Warmth.COLD
        ),
        icp_match=icp_match,
        has_signal=has_signal,
        has_red_flag=has_red_flag,
        is_instant_mql=is_instant_mql,
        qualifies=icp_match and has_signal and not has_red_flag and (reaches or is_instant_mql),
    )
    return outcome, ledger(model, seen, kept)


def ledger(model: Model, seen: list[Seen], kept: Fraction) -> list[Line]:
    """Add the rules one after the other, the multipliers last, and see what the sum becomes each time."""
    lines: list[Line] = []
    so_far: list[Seen] = []
    before = 0
    for one in sorted(seen, key=lambda one: one.rule.effect is Effect.MULTIPLIES):
        if one.holds:
            so_far.append(one)
        fit, earned, lost = sums(model, so_far)
        engagement = after_decay(model, earned, kept) + lost
        summed = weighted(model, engagement, fit, readiness_of(model, fit, engagement, so_far))
        is_fit = isinstance(one.rule, FitRule)
        lines.append(
            Line(
                one.rule.key,
                one.gained,
                summed - before,
                1 if is_fit else len(one.times),
                None if is_fit else one.times[0],
                None if is_fit else one.times[-1],
                one.holds,
            )
        )
        before = summed
    return lines


def first_change(model: Model, person: Person, moment: datetime) -> datetime | None:
    """When the outcome first differs with the passing of time alone, found by trying every candidate."""
    spans = {timedelta(0), timedelta(hours=model.signal_hours)}
    spans |= {timedelta(hours=step.after_hours) for step in model.decay}
    spans |= {timedelta(hours=rule.window_hours) for rule in model.behaviour if rule.window_hours}
    spans |= {days * DAY for rule in model.behaviour if rule.decay for days in fading_days(rule.decay)}
    candidates = sorted({hit.occurred_at + span for hit in person.hits for span in spans})
    present, _ = evaluate(model, person, moment)
    for candidate in candidates:
        if candidate > moment and evaluate(model, person, candidate)[0] != present:
            return candidate
    return None


# What the lead is and did


def fit_seen(model: Model, person: Person) -> list[Seen]:
    return [
        Seen(rule, (), True, rule.points, rule.points)
        for rule in model.fit
        if fit_holds(rule, person.facts.get(rule.attribute))
    ]


def behaviour_seen(model: Model, person: Person, moment: datetime) -> list[Seen]:
    found = []
    for rule in model.behaviour:
        times = times_in_window(rule, person, moment)
        if not times:
            continue
        holds = len(times) >= rule.min_count and (rule.max_count is None or len(times) <= rule.max_count)
        gained = points_of(rule, len(times)) if holds else 0
        age = (moment - times[-1]) // DAY
        faded = trunc(gained * left_after(rule.decay, age)) if rule.decay else gained
        found.append(Seen(rule, tuple(times), holds, gained, faded))
    return found


def times_in_window(rule: BehaviourRule, person: Person, moment: datetime) -> list[datetime]:
    return sorted(
        hit.occurred_at
        for hit in person.hits
        if hit.signal == rule.signal
        and hit.occurred_at <= moment
        and (rule.window_hours is None or moment - hit.occurred_at < timedelta(hours=rule.window_hours))
    )


def points_of(rule: BehaviourRule, count: int) -> int:
    size = abs(rule.points) * (min(count, MAX_OCCURRENCES) if rule.each else 1)
    if rule.cap is not None:
        size = min(size, rule.cap)
    return size if rule.points > 0 else -size


def shows_interest(rule: BehaviourRule) -> bool:
    """A high-intent signal that speaks for the lead (SCORE-5)."""
    return rule.high_intent and (rule.points > 0 or rule.effect is Effect.INSTANT_MQL or rule.factor > 1000)


# Fading, as a share of the points in whole per mille


@cache
def left_after(decay: RuleDecay, age: int) -> Fraction:
    age = min(age, MAX_DAYS)
    if decay.shape is Shape.STEP:
        left = 1 - Fraction(age // decay.days * decay.percent, 100)
    elif decay.shape is Shape.LINEAR:
        left = Fraction(ceil(1000 * (1 - Fraction(age, decay.days))), 1000)
    else:
        left = Fraction(halved(age, decay.days), 1000)
    return max(left, Fraction(decay.floor_percent, 100))


def halved(age: int, half_life: int) -> int:
    """1000 × 2^(−age / half-life), to the nearest whole and up from the middle, by whole numbers alone:
    it is at least `k − 1/2` where `2000 ^ half-life` is at least `(2k − 1) ^ half-life × 2 ^ age`."""
    k = int(1000 * 2 ** (-age / half_life)) + 2  # only where to begin: surely not too low
    while k and 2000**half_life < (2 * k - 1) ** half_life * 2**age:
        k -= 1
    return k


@cache
def fading_days(decay: RuleDecay) -> tuple[int, ...]:
    """The ages in days at which less is left than a day before."""
    ages = []
    for age in range(1, MAX_DAYS + 1):
        if left_after(decay, age) < left_after(decay, age - 1):
            ages.append(age)
        if left_after(decay, age) <= Fraction(decay.floor_percent, 100):
            break
    return tuple(ages)


# Sums


def sums(model: Model, holding: Iterable[Seen]) -> tuple[int, int, int]:
    """What fit gives, what behaviour earned and what it lost, each group stopping at its cap."""
    fit = earned = lost = 0
    spent = {group.key: 0 for group in model.groups}
    caps = {group.key: group.cap for group in model.groups}
    for one in holding:
        points, group = one.faded, one.rule.group
        if group is not None:
            room = caps[group] - spent[group]
            points = min(points, room) if points > 0 else max(points, -room)
            spent[group] += abs(points)
        if isinstance(one.rule, FitRule):
            fit += points
        elif points > 0:
            earned += points
        else:
            lost += points
    return fit, earned, lost


def decay_factor(model: Model, person: Person, moment: datetime) -> Fraction:
    engaging = {rule.signal for rule in model.behaviour if rule.engages}
    times = [hit.occurred_at for hit in person.hits if hit.signal in engaging and hit.occurred_at <= moment]
    factor = Fraction(1)
    for step in model.decay:
        if times and moment - max(times) >= timedelta(hours=step.after_hours):
            factor = Fraction(step.per_mille, 1000)
    return factor


def after_decay(model: Model, earned: int, factor: Fraction) -> int:
    return max(trunc(earned * factor), min(earned, model.decay_floor))


def readiness_of(model: Model, fit: int, engagement: int, holding: Iterable[Seen]) -> int:
    if model.formula is not Formula.HYBRID:
        return fit
    readiness = max(0, fit + engagement)
    for one in holding:
        if one.rule.effect is Effect.MULTIPLIES:
            readiness = trunc(readiness * Fraction(one.rule.factor, 1000))
    return readiness


def weighted(model: Model, engagement: int, fit: int, readiness: int) -> int:
    if model.formula is not Formula.HYBRID:
        return fit + engagement
    share = Fraction(model.engagement_percent, 100)
    return trunc(engagement * share + readiness * (1 - share))


def category_of(model: Model, engagement: int, readiness: int) -> Category:
    for tier in model.categories:
        if engagement >= tier.min_engagement and readiness >= tier.min_readiness:
            return tier.category
    return Category.C


# Attributes


def fit_holds(rule: FitRule, value: str | int | None) -> bool:
    if isinstance(value, int):
        inside = (rule.low is None or value >= rule.low) and (rule.high is None or value <= rule.high)
        return {
            Operator.BETWEEN: inside,
            Operator.NOT_BETWEEN: not inside,
            Operator.IS_KNOWN: True,
        }.get(rule.operator, False)
    text = (value or "").strip().lower()
    if rule.operator is Operator.IS_BLANK:
        return not text
    if not text or rule.operator in (Operator.BETWEEN, Operator.NOT_BETWEEN):
        return False
    wanted = [wish.strip().lower() for wish in rule.values]
    return {
        Operator.IS_KNOWN: True,
        Operator.ONE_OF: text in wanted,
        Operator.NOT_ONE_OF: text not in wanted,
        Operator.CONTAINS: any(wish in text for wish in wanted),
        Operator.HAS_WORD: any(follows(words(wish), words(text)) for wish in wanted),
    }[rule.operator]


def words(text: str) -> list[str]:
    return "".join(letter if letter.isalnum() else " " for letter in text).split()


def follows(phrase: list[str], text: list[str]) -> bool:
    """True if the words of the phrase stand in the text, next to each other and in order."""
    return any(text[start : start + len(phrase)] == phrase for start in range(len(text)))
