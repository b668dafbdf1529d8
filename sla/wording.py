"""Policies in plain words, the same on every page, in the admin and in the protocol document."""

from __future__ import annotations

from collections.abc import Iterator

from scoring.models import LeadScore
from sla.conditions import Conditions
from sla.models import Clock, EscalationStep, Target
from sla.versions import Step, TargetTerms, Terms


def span_in_words(minutes: int) -> str:
    """ "15 minutes", "1 hour", "24 hours", "1 hour 30 minutes"."""
    hours, rest = divmod(minutes, 60)
    parts = [_count(hours, "hour")] * bool(hours) + [_count(rest, "minute")] * bool(rest)
    return " ".join(parts)


_MISSED = {
    Target.Kind.CRM_TRANSFER: "Not in Salesforce in time",
    Target.Kind.NOTIFICATION: "Rep not told in time",
    Target.Kind.OPENED: "Not opened in time",
    Target.Kind.DECISION: "Not decided in time",
    Target.Kind.FIRST_CONTACT: "Not contacted in time",
    Target.Kind.CADENCE: "Too few attempts in time",
    Target.Kind.QUALITY_CHECK: "Not checked in time",
    Target.Kind.RETURN: "Returned late",
}


def missed_in_words(kind: str) -> str:
    """What a missed target of this kind is called: "Not opened in time"."""
    return _MISSED[Target.Kind(kind)]


def promise_in_words(promise: Target | TargetTerms | Clock) -> str:
    """ "Within 24 business hours", "Within 15 minutes, around the clock", "3 attempts within …"."""
    if promise.minutes is None:
        words = "By close of business of the day"
    elif promise.mode == Target.Mode.WALL:
        words = f"Within {span_in_words(promise.minutes)}, around the clock"
    else:
        words = f"Within {span_in_words(promise.minutes)} of working time"
    if promise.after_hours_minutes:
        words += f"; when it comes in after hours, {span_in_words(promise.after_hours_minutes)} after opening"
    attempts = promise.attempts_needed if isinstance(promise, Clock) else promise.attempts
    return f"{_count(attempts, 'attempt')} {lower_first(words)}" if attempts else words


def target_in_words(target: TargetTerms) -> str:
    """ "First contact: within 1 hour of working time; paused for 8 hours at most"."""
    parts = [lower_first(promise_in_words(target)), _pauses(target)]
    return f"{Target.Kind(target.kind).label}: {'; '.join(part for part in parts if part)}"


def step_in_words(step: Step) -> str:
    """ "After 30 minutes: tell the manager", "At once: remind the owner, whatever the hour"."""
    when = f"After {span_in_words(step.after_minutes)}" if step.after_minutes else "At once"
    words = f"{when}: {lower_first(EscalationStep.Action(step.action).label)}"
    if step.kinds:
        words += f" ({', '.join(lower_first(Target.Kind(kind).label) for kind in step.kinds)} only)"
    if step.lapses:
        words += f", when {step.lapses} offers in a row lapsed"
    return words if step.waits_for_receiver else f"{words}, whatever the hour"


def conditions_in_words(conditions: Conditions) -> str:
    """ "category A, instant MQLs, Germany or Austria", or "every handoff"."""
    return ", ".join(_each_condition(conditions)) or "every handoff"


def changes_in_words(old: Terms, new: Terms) -> list[str]:
    """What one version says that the one before did not, a sentence each; what is gone too."""
    sentences = []
    if old.conditions != new.conditions:
        applies = conditions_in_words(new.conditions)
        sentences.append(f"Applies to {applies}; before, to {conditions_in_words(old.conditions)}.")
    sentences += _changed_targets(old, new)
    sentences += [f"New step. {step_in_words(step)}." for step in new.steps if step not in old.steps]
    sentences += [f"Step dropped. {step_in_words(step)}." for step in old.steps if step not in new.steps]
    if old.reviews_breaches != new.reviews_breaches:
        does = "reviews" if new.reviews_breaches else "no longer reviews"
        sentences.append(f"A manager {does} each missed target.")
    # Steps of one time may have changed places.
    return sentences or ["The steps are taken in another order."]


def lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _each_condition(conditions: Conditions) -> Iterator[str]:
    if conditions.category:
        yield f"category {conditions.category}"
    if conditions.warmth:
        warmth = dict(LeadScore.Warmth.choices).get(conditions.warmth, conditions.warmth)
        yield f"warmth “{lower_first(warmth)}”"
    if conditions.source:
        yield f"source {conditions.source}"
    if conditions.countries:
        yield " or ".join(conditions.countries)
    if conditions.industries:
        yield " or ".join(conditions.industries)
    if sizes := _sizes(conditions):
        yield sizes
    if conditions.is_instant_mql is not None:
        yield "instant MQLs" if conditions.is_instant_mql else "all but instant MQLs"
    if conditions.is_catch_all is not None:
        yield "leads nobody kept" if conditions.is_catch_all else "all but leads nobody kept"


def _sizes(conditions: Conditions) -> str:
    least, most = conditions.min_employees, conditions.max_employees
    if least is not None and most is not None:
        return f"{least:,} to {most:,} employees"
    if least is not None:
        return f"{least:,} employees or more"
    return f"{most:,} employees at most" if most is not None else ""


def _changed_targets(old: Terms, new: Terms) -> Iterator[str]:
    for kind in Target.Kind.values:
        before, after = old.target_for(kind), new.target_for(kind)
        if before == after:
            continue
        if before is None and after is not None:
            yield f"New target. {target_in_words(after)}."
        elif after is None and before is not None:
            yield f"Target dropped. {target_in_words(before)}."
        elif before is not None and after is not None:
            pairs = [pair for pair in zip(_parts(after), _parts(before), strict=True) if pair[0] != pair[1]]
            now, then = ("; ".join(side) for side in zip(*pairs, strict=True))
            yield f"{Target.Kind(kind).label}: {now}; before, {then}."


def _parts(target: TargetTerms) -> tuple[str, ...]:
    """All that a promise says, what pages leave out too, so that any two that differ read differently."""
    warned = " and ".join(f"{part} %" for part in target.warn_percent)
    return (
        lower_first(promise_in_words(target)),
        _pauses(target) or "paused for as long as it takes",
        f"warned at {warned}" if warned else "without a warning",
        "anew for the next owner" if target.restarts_on_reassignment else "handed on as it is",
    )


def _pauses(target: TargetTerms) -> str:
    if target.max_pause_minutes is None:
        return ""
    if not target.max_pause_minutes:
        return "it cannot be paused"
    # Around the clock, so a day has 24 hours.
    days, rest = divmod(target.max_pause_minutes, 24 * 60)
    longest = _count(days, "day") if days and not rest else span_in_words(target.max_pause_minutes)
    return f"paused for {longest} at most"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
