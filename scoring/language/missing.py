"""What stands between a lead and MQL, and one thing that would close each gap. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from scoring.language.arithmetic import Sum, capped_points, holds_at, points_at, sum_up, toward_zero
from scoring.language.reductions import faded_points
from scoring.language.results import Line, Result
from scoring.language.rules import BehaviourRule, Effect, FitRule, Formula, Model
from scoring.language.sentences import behaviour_subject, count_phrase, fit_subject, rule_subject, signed


@dataclass(frozen=True, slots=True, order=True)
class Offer:
    """What would add so many points: an attribute, or a signal seen so many `times` more."""

    gain: int
    subject: str
    signal: int = 0
    times: int = 0


def what_is_missing(model: Model, result: Result, *, as_of: datetime) -> tuple[str, ...]:
    """What stands between the lead and MQL, each as one sentence; nothing if it qualifies."""
    if result.qualifies:
        return ()
    lines = {line.rule_id: line for line in result.lines}
    missing = [
        f"Red flag: {rule_subject(rule)}"
        for rule in model.rules
        if rule.effect is Effect.DISQUALIFIES and rule.key in lines and lines[rule.key].holds
    ]
    if not result.icp_match:
        gap = model.icp_from - result.fit
        missing.append(
            f"ICP match, +{count_phrase(gap, 'fit point')}{_example(_fit_offers(model, lines), gap)}"
        )
    if not result.has_signal:
        missing.append(f"A clear signal of interest{_signal_example(model)}")
    if model.formula is not Formula.CHECKLIST and not result.is_instant_mql:
        present = _present_sum(model, result, lines)
        gap = model.threshold - present.value
        if gap > 0:
            offers = list(signal_offers(model, result, as_of=as_of))
            missing.append(f"+{count_phrase(gap, 'point')}{_example(offers, gap)}")
    return tuple(missing)


def _signal_example(model: Model) -> str:
    example = next((behaviour_subject(rule) for rule in model.behaviour if rule.is_clear_signal), "")
    return f": for example {_inline(example)}" if example else ""


def _fit_offers(model: Model, lines: dict[int, Line]) -> list[Offer]:
    """What each rule on an attribute would add that does not hold yet, as far as its group has room."""
    held = [(rule, rule.points) for rule in model.fit if rule.key in lines]
    present = sum(capped_points(model, held))
    offers = []
    for rule in model.fit:
        if rule.points > 0 and rule.key not in lines:
            gain = sum(capped_points(model, [*held, (rule, rule.points)])) - present
            offers += [Offer(gain, fit_subject(rule))] if gain > 0 else []
    return offers


def _present_sum(model: Model, result: Result, lines: dict[int, Line]) -> Sum:
    factors = [rule.factor for rule in model.multipliers if rule.key in lines and lines[rule.key].holds]
    return sum_up(model, fit=result.fit, engagement=result.engagement, factors=factors)


def signal_offers(model: Model, result: Result, *, as_of: datetime) -> Iterator[Offer]:
    """What one more occurrence of each signal, or as many as a rule still asks for, would add to the score
    if it came at `as_of`."""
    lines = {line.rule_id: line for line in result.lines}
    present = _present_sum(model, result, lines).value
    for signal, name in {rule.signal: rule.signal_name for rule in model.behaviour}.items():
        mates = [rule for rule in model.behaviour if rule.signal == signal]
        for more in sorted({max(1, rule.min_count - _count(lines, rule)) for rule in mates}):
            if any(
                rule.effect is Effect.DISQUALIFIES and holds_at(rule, _count(lines, rule) + more)
                for rule in mates
            ):
                continue
            gain = _sum_after(model, result, lines, signal, more, as_of=as_of).value - present
            if gain > 0:
                yield Offer(gain, f"{more} × {name}" if more > 1 else name, signal, more)


def _sum_after(
    model: Model, result: Result, lines: dict[int, Line], signal: int, more: int, *, as_of: datetime
) -> Sum:
    """The sum if the signal were seen `more` times at `as_of`: what counts it is fresh again, and if it is
    engagement, nothing of what behaviour earned is decayed any longer."""
    before, after = [], []
    for rule in model.behaviour:
        line = lines.get(rule.key)
        points = faded_points(rule, line, as_of=as_of) if line and line.holds else 0
        before.append((rule, points))
        if rule.signal == signal:
            points = points_at(rule, _count(lines, rule) + more)
        after.append((rule, points))
    engages = any(rule.engages for rule in model.behaviour if rule.signal == signal)
    earned_before, lost_before = _earned_and_lost(model, before)
    earned, lost = _earned_and_lost(model, after)
    if not engages and earned_before:
        earned = toward_zero(earned * (result.engagement - lost_before), earned_before)
    factors = [rule.factor for rule in model.multipliers if _multiplies_after(rule, lines, signal, more)]
    return sum_up(model, fit=result.fit, engagement=earned + lost, factors=factors)


def _earned_and_lost(model: Model, given: list[tuple[BehaviourRule, int]]) -> tuple[int, int]:
    left = capped_points(model, given)
    return sum(points for points in left if points > 0), sum(points for points in left if points < 0)


def _multiplies_after(rule: FitRule | BehaviourRule, lines: dict[int, Line], signal: int, more: int) -> bool:
    if isinstance(rule, BehaviourRule) and rule.signal == signal:
        return holds_at(rule, _count(lines, rule) + more)
    return rule.key in lines and lines[rule.key].holds


def _count(lines: dict[int, Line], rule: BehaviourRule) -> int:
    return lines[rule.key].count if rule.key in lines else 0


def _example(offers: list[Offer], gap: int) -> str:
    """The smallest offer that closes the gap, else the largest there is."""
    if not offers:
        return ""
    enough = [offer for offer in offers if offer.gain >= gap]
    offer = min(enough) if enough else max(offers)
    return f": for example {_inline(offer.subject)} ({signed(offer.gain)})"


def _inline(subject: str) -> str:
    """The subject inside a sentence; names such as "ICP" or "VP" keep their capitals."""
    return subject if subject[1:2].isupper() else subject[:1].lower() + subject[1:]
