"""Why a lead has its score, in words: the ledger, the checklist, what is missing to become an MQL. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from scoring.results import Line, Result
from scoring.rules import MAX_OCCURRENCES, BehaviourRule, Category, Effect, FitRule, Model, Warmth
from scoring.sentences import (
    behaviour_subject,
    count_phrase,
    days_phrase,
    fit_subject,
    rule_sentence,
    signed,
)

BOUND = "bound"  # the kind of the line that is no rule


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One rule that holds: `base_points` before decay, `points` in the score, and the evidence.

    `kind` is "fit", "behaviour", "disqualifies", "instant_mql" or "bound".
    """

    rule_id: int
    rule: str
    sentence: str
    kind: str
    points: int
    base_points: int
    count: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CheckItem:
    """One tick of the binary checklist (SCORE-6) with what it rests on, and when that was last seen."""

    label: str
    holds: bool
    evidence: str
    last_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The score of a lead at `as_of` with everything that made it. `version` is None if none was in force."""

    as_of: datetime
    version: int | None = None
    threshold: int = 0
    total: int = 0
    fit: int = 0
    engagement: int = 0
    category: Category = Category.C
    warmth: Warmth = Warmth.COLD
    qualifies: bool = False
    is_instant_mql: bool = False
    lines: tuple[LedgerLine, ...] = ()
    checklist: tuple[CheckItem, ...] = ()
    missing: tuple[str, ...] = ()
    next_change_at: datetime | None = None

    @property
    def drivers(self) -> tuple[LedgerLine, ...]:
        """What drove the score, the strongest first. One name is one driver: "Demo request" gives points and
        makes an MQL at once."""
        helpful = [line for line in self.lines if line.points > 0 or line.kind == Effect.INSTANT_MQL]
        helpful.sort(key=lambda line: line.points, reverse=True)
        strongest: dict[str, LedgerLine] = {}
        for line in helpful:
            strongest.setdefault(line.rule, line)
        return tuple(strongest.values())


def explain_result(model: Model, version: int, result: Result, *, as_of: datetime) -> Explanation:
    return Explanation(
        as_of=as_of,
        version=version,
        threshold=model.threshold,
        total=result.total,
        fit=result.fit,
        engagement=result.engagement,
        category=result.category,
        warmth=result.warmth,
        qualifies=result.qualifies,
        is_instant_mql=result.is_instant_mql,
        lines=ledger_lines(model, result),
        checklist=checklist(model, result),
        missing=what_is_missing(model, result),
        next_change_at=result.next_change_at,
    )


def ledger_lines(model: Model, result: Result) -> tuple[LedgerLine, ...]:
    """The rules that hold, in order, and the line that lifts a sum below zero: they sum to the total."""
    rules = _by_key(model)
    lines = [_ledger_line(rules[line.rule_id], line) for line in result.lines if line.holds]
    if result.adjustment:
        text = "A score does not go below 0"
        lines.append(LedgerLine(0, text, text, BOUND, result.adjustment, result.adjustment))
    return tuple(lines)


def _ledger_line(rule: FitRule | BehaviourRule, line: Line) -> LedgerLine:
    kind: str = rule.effect
    if rule.effect is Effect.POINTS:
        kind = "fit" if isinstance(rule, FitRule) else "behaviour"
    return LedgerLine(
        rule_id=line.rule_id,
        rule=rule.name,
        sentence=rule_sentence(rule),
        kind=kind,
        points=line.points,
        base_points=line.base_points,
        count=line.count,
        first_at=line.first_at,
        last_at=line.last_at,
    )


def checklist(model: Model, result: Result) -> tuple[CheckItem, CheckItem, CheckItem]:
    held = [(rule, line) for rule, line in _with_rules(model, result) if line.holds]
    matches = [
        fit_subject(rule)
        for rule, line in held
        if isinstance(rule, FitRule) and rule.effect is Effect.POINTS and line.points > 0
    ]
    fit = f"{result.fit} of {count_phrase(model.icp_from, 'fit point')}"
    flags = [_subject(rule) for rule, _ in held if rule.effect is Effect.DISQUALIFIES]
    return (
        CheckItem("ICP match", result.icp_match, f"{fit}: {'; '.join(matches)}" if matches else fit),
        _signal_item(model, result, held),
        CheckItem("No red flags", not result.has_red_flag, "; ".join(flags) or "None found"),
    )


def _signal_item(model: Model, result: Result, held: list[tuple[FitRule | BehaviourRule, Line]]) -> CheckItem:
    signals = [
        (line.last_at, behaviour_subject(rule))
        for rule, line in held
        if isinstance(rule, BehaviourRule) and rule.is_clear_signal and line.last_at
    ]
    if not signals:
        return CheckItem("Clear signal of interest", False, "No high-intent signal yet")
    last_at, subject = max(signals)
    evidence = (
        subject if result.has_signal else f"{subject}, longer than {days_phrase(model.signal_hours)} ago"
    )
    return CheckItem("Clear signal of interest", result.has_signal, evidence, last_at)


# What is missing


def what_is_missing(model: Model, result: Result) -> tuple[str, ...]:
    """What stands between the lead and MQL, each as one sentence; nothing if it qualifies."""
    if result.qualifies:
        return ()
    missing = [
        f"Red flag: {_subject(rule)}"
        for rule, line in _with_rules(model, result)
        if line.holds and rule.effect is Effect.DISQUALIFIES
    ]
    if not result.icp_match:
        gap = model.icp_from - result.fit
        missing.append(
            f"ICP match, +{count_phrase(gap, 'fit point')}{_example(_fit_offers(model, result), gap)}"
        )
    if not result.has_signal:
        signals = (behaviour_subject(rule) for rule in model.behaviour if rule.is_clear_signal)
        example = next(signals, None)
        missing.append(
            "A clear signal of interest" + (f": for example {_inline(example)}" if example else "")
        )
    gap = model.threshold - result.fit - result.engagement
    if gap > 0 and not result.is_instant_mql:
        missing.append(f"+{count_phrase(gap, 'point')}{_example(_behaviour_offers(model, result), gap)}")
    return tuple(missing)


def _fit_offers(model: Model, result: Result) -> list[tuple[int, str]]:
    held = {line.rule_id for line in result.lines if line.holds}
    return [
        (rule.points, fit_subject(rule)) for rule in model.fit if rule.points > 0 and rule.key not in held
    ]


def _behaviour_offers(model: Model, result: Result) -> list[tuple[int, str]]:
    """What one more occurrence (or as many as the rule still asks for) would add, rule by rule."""
    lines = {line.rule_id: line for line in result.lines}
    offers = []
    for rule in model.behaviour:
        line = lines.get(rule.key)
        count, had = (line.count, line.base_points) if line else (0, 0)
        more = max(1, rule.min_count - count)
        gain = _points_for(rule, count + more) - had
        if gain > 0:
            offers.append((gain, f"{more} × {rule.signal_name}" if more > 1 else rule.signal_name))
    return offers


def _points_for(rule: BehaviourRule, count: int) -> int:
    points = rule.points * (min(count, MAX_OCCURRENCES) if rule.each else 1)
    return points if rule.cap is None else min(points, rule.cap)


def _example(offers: list[tuple[int, str]], gap: int) -> str:
    """The smallest offer that closes the gap, else the largest there is."""
    if not offers:
        return ""
    enough = [offer for offer in offers if offer[0] >= gap]
    gain, subject = min(enough) if enough else max(offers)
    return f": for example {_inline(subject)} ({signed(gain)})"


def _inline(subject: str) -> str:
    """The subject inside a sentence; names such as "ICP" or "VP" keep their capitals."""
    return subject if subject[1:2].isupper() else subject[:1].lower() + subject[1:]


def _subject(rule: FitRule | BehaviourRule) -> str:
    return fit_subject(rule) if isinstance(rule, FitRule) else behaviour_subject(rule)


def _with_rules(model: Model, result: Result) -> list[tuple[FitRule | BehaviourRule, Line]]:
    rules = _by_key(model)
    return [(rules[line.rule_id], line) for line in result.lines]


def _by_key(model: Model) -> dict[int, FitRule | BehaviourRule]:
    rules: tuple[FitRule | BehaviourRule, ...] = (*model.fit, *model.behaviour)
    return {rule.key: rule for rule in rules}
