"""Why a lead has its score, in words: the ledger, the checklist, what is missing to become an MQL. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from scoring.language.missing import what_is_missing
from scoring.language.reductions import reductions
from scoring.language.results import Line, Result
from scoring.language.rules import BehaviourRule, Category, Effect, FitRule, Formula, Model, Warmth
from scoring.language.sentences import (
    behaviour_subject,
    count_phrase,
    days_phrase,
    fit_subject,
    rule_sentence,
    rule_subject,
)

BOUND = "bound"  # the kind of the line that is no rule


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One rule that holds: `base_points` as the rule gives them, `points` in the score, and the evidence.

    `kind` is "fit", "behaviour", "multiplies", "disqualifies", "instant_mql" or "bound". `why` says in words
    why points in the score are not those that the rule gives; blank where they are.
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
    why: str = ""


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
    readiness: int = 0
    formula: Formula = Formula.ADDITIVE

    @property
    def counts_to_threshold(self) -> bool:
        """False where the checklist alone decides, whatever the total."""
        return self.formula is not Formula.CHECKLIST

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
        lines=ledger_lines(model, result, as_of=as_of),
        checklist=checklist(model, result),
        missing=what_is_missing(model, result, as_of=as_of),
        next_change_at=result.next_change_at,
        readiness=result.readiness,
        formula=model.formula,
    )


def ledger_lines(model: Model, result: Result, *, as_of: datetime) -> tuple[LedgerLine, ...]:
    """The rules that hold, in order, and the line that lifts a sum below zero: they sum to the total."""
    held = [(rule, line) for rule, line in _with_rules(model, result) if line.holds]
    reasons = reductions(model, result, as_of=as_of)
    lines = [_ledger_line(rule, line, reasons.get(rule.key, "")) for rule, line in held]
    if result.adjustment:
        text = "A score does not go below 0"
        lines.append(LedgerLine(0, text, text, BOUND, result.adjustment, result.adjustment))
    return tuple(lines)


def _ledger_line(rule: FitRule | BehaviourRule, line: Line, why: str) -> LedgerLine:
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
        why=why,
    )


def checklist(model: Model, result: Result) -> tuple[CheckItem, CheckItem, CheckItem]:
    held = [(rule, line) for rule, line in _with_rules(model, result) if line.holds]
    matches = [
        fit_subject(rule)
        for rule, line in held
        if isinstance(rule, FitRule) and rule.effect is Effect.POINTS and line.base_points > 0
    ]
    fit = f"{result.fit} of {count_phrase(model.icp_from, 'fit point')}"
    flags = [rule_subject(rule) for rule, _ in held if rule.effect is Effect.DISQUALIFIES]
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


def _with_rules(model: Model, result: Result) -> list[tuple[FitRule | BehaviourRule, Line]]:
    rules = _by_key(model)
    return [(rules[line.rule_id], line) for line in result.lines]


def _by_key(model: Model) -> dict[int, FitRule | BehaviourRule]:
    return {rule.key: rule for rule in model.rules}
