"""What a score is, said a second time and naively, from chapter 2 of the protocol and not from the SQL.

Loops, datetimes and fractions; slow and easy to check by reading. The engine must agree with it (SCORE-9).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction
from math import floor

from scoring.rules import (
    MAX_OCCURRENCES,
    BehaviourRule,
    Category,
    Effect,
    FitRule,
    Model,
    Operator,
    Warmth,
)


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


def evaluate(model: Model, person: Person, moment: datetime) -> tuple[Outcome, list[Line]]:
    fit_lines = [
        Line(rule.key, rule.points, rule.points, 1, None, None, True)
        for rule in model.fit
        if fit_holds(rule, person.facts.get(rule.attribute))
    ]
    disqualified = any(
        rule.effect is Effect.DISQUALIFIES and fit_holds(rule, person.facts.get(rule.attribute))
        for rule in model.fit
    )

    behaviour_lines: list[Line] = []
    signalled = instant = raised = False
    kept = decay_factor(model, person, moment)
    exact_before = 0
    for rule in model.behaviour:
        times = times_in_window(rule, person, moment)
        if not times:
            continue
        holds = len(times) >= rule.min_count
        points = points_of(rule, len(times)) if holds else 0
        share = points
        if points > 0:
            share = after_decay(model, exact_before + points, kept) - after_decay(model, exact_before, kept)
            exact_before += points
        behaviour_lines.append(Line(rule.key, points, share, len(times), times[0], times[-1], holds))
        if holds:
            is_fresh = moment - times[-1] < timedelta(hours=model.signal_hours)
            is_high = rule.high_intent and (rule.points > 0 or rule.effect is Effect.INSTANT_MQL)
            signalled |= is_high and is_fresh
            instant |= rule.effect is Effect.INSTANT_MQL and is_fresh
            raised |= rule.explicit and is_fresh
            disqualified |= rule.effect is Effect.DISQUALIFIES

    fit = sum(line.points for line in fit_lines)
    engagement = sum(line.after_decay for line in behaviour_lines)
    earned_now = sum(line.after_decay for line in behaviour_lines if line.after_decay > 0)
    icp_match = fit >= model.icp_from
    reaches = fit + engagement >= model.threshold
    outcome = Outcome(
        total=max(0, fit + engagement),
        fit=fit,
        engagement=engagement,
        readiness=fit,
        category=category_of(model, engagement, fit),
        warmth=(
            Warmth.HAND_RAISER
            if raised
            else Warmth.RETURNING
            if person.trips
            else Warmth.ACCUMULATED
            if earned_now
            else Warmth.COLD
        ),
        icp_match=icp_match,
        has_signal=signalled,
        has_red_flag=disqualified,
        is_instant_mql=instant,
        qualifies=icp_match and signalled and not disqualified and (reaches or instant),
    )
    return outcome, fit_lines + behaviour_lines


def first_change(model: Model, person: Person, moment: datetime) -> datetime | None:
    """When the outcome first differs with the passing of time alone, found by trying every candidate."""
    spans = {timedelta(0), timedelta(hours=model.signal_hours)}
    spans |= {timedelta(hours=step.after_hours) for step in model.decay}
    spans |= {timedelta(hours=rule.window_hours) for rule in model.behaviour if rule.window_hours}
    candidates = sorted({hit.occurred_at + span for hit in person.hits for span in spans})
    present, _ = evaluate(model, person, moment)
    for candidate in candidates:
        if candidate > moment and evaluate(model, person, candidate)[0] != present:
            return candidate
    return None


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


def decay_factor(model: Model, person: Person, moment: datetime) -> Fraction:
    engaging = {rule.signal for rule in model.behaviour if rule.engages}
    times = [hit.occurred_at for hit in person.hits if hit.signal in engaging and hit.occurred_at <= moment]
    factor = Fraction(1)
    for step in model.decay:
        if times and moment - max(times) >= timedelta(hours=step.after_hours):
            factor = Fraction(step.per_mille, 1000)
    return factor


def after_decay(model: Model, earned: int, factor: Fraction) -> int:
    return max(floor(earned * factor), min(earned, model.decay_floor))


def category_of(model: Model, engagement: int, fit: int) -> Category:
    for tier in model.categories:
        if engagement >= tier.min_engagement and fit >= tier.min_readiness:
            return tier.category
    return Category.C


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
