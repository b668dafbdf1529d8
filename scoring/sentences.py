"""Rules as plain English, the same words in admin, diff and lead page (SCORE-13). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest

from scoring.attributes import ATTRIBUTES
from scoring.rules import PER_MILLE, BehaviourRule, CategoryTier, DecayStep, Effect, FitRule, Model, Operator

CATEGORY_MEANINGS = {"A": "ready to engage", "B": "interested but early", "C": "engaged research"}


def rule_sentence(rule: FitRule | BehaviourRule) -> str:
    """What the rule looks at and what follows: "Pricing page visit: +20"."""
    subject = fit_subject(rule) if isinstance(rule, FitRule) else behaviour_subject(rule)
    if rule.effect is Effect.DISQUALIFIES:
        return f"{subject}: never an MQL while true"
    if rule.effect is Effect.INSTANT_MQL:
        return f"{subject}: MQL at once, if the checklist holds"
    return f"{subject}: {points_phrase(rule)}"


def fit_subject(rule: FitRule) -> str:
    label = ATTRIBUTES[rule.attribute].label
    values = any_of(rule.values)
    return {
        Operator.ONE_OF: f"{label} is {values}",
        Operator.NOT_ONE_OF: f"{label} is known and not {values}",
        Operator.CONTAINS: f"{label} contains {values}",
        Operator.HAS_WORD: f"{label} has the word {values}",
        Operator.BETWEEN: f"{label} is {range_phrase(rule.low, rule.high)}",
        Operator.NOT_BETWEEN: f"{label} is known and not {range_phrase(rule.low, rule.high)}",
        Operator.IS_KNOWN: f"{label} is known",
        Operator.IS_BLANK: f"{label} is blank",
    }[rule.operator]


def behaviour_subject(rule: BehaviourRule) -> str:
    subject = rule.signal_name
    if rule.min_count > 1:
        subject += f", {rule.min_count} times or more"
    if rule.window_hours is not None:
        subject += f" within {days_phrase(rule.window_hours)}"
    return subject


def points_phrase(rule: FitRule | BehaviourRule) -> str:
    phrase = signed(rule.points)
    if isinstance(rule, BehaviourRule):
        if rule.each:
            phrase += " each time"
        if rule.cap is not None:
            bound = signed(rule.cap if rule.points > 0 else -rule.cap)
            phrase += f", {'at most' if rule.points > 0 else 'no lower than'} {bound}"
    return phrase


def decay_sentence(step: DecayStep) -> str:
    kept = f"{step.per_mille * 100 / PER_MILLE:g} %"
    return f"After {days_phrase(step.after_hours)} without engagement, {kept} of the behaviour points remain"


def tier_sentence(tier: CategoryTier) -> str:
    return (
        f"Category {tier.category} ({CATEGORY_MEANINGS[tier.category]}): "
        f"engagement of {tier.min_engagement} or more and readiness of {tier.min_readiness} or more"
    )


def frame_sentences(model: Model) -> list[str]:
    """Everything that is no rule: threshold, checklist, decay, categories."""
    sentences = [
        f"MQL from {count_phrase(model.threshold, 'point')}, or at once by an instant-MQL rule, "
        "if the checklist holds",
        f"ICP match: {count_phrase(model.icp_from, 'fit point')} or more",
        f"Clear signal of interest: a high-intent signal within the last {days_phrase(model.signal_hours)}",
        "No red flags: no disqualifier is true",
    ]
    sentences += [decay_sentence(step) for step in model.decay]
    if model.decay and model.decay_floor:
        sentences.append(f"Decay leaves at least {count_phrase(model.decay_floor, 'behaviour point')}")
    sentences += [tier_sentence(tier) for tier in model.categories]
    sentences.append(f"Category C ({CATEGORY_MEANINGS['C']}): all others")
    return sentences


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two versions: blank `before` is an addition, blank `after` a removal."""

    before: str
    after: str

    @property
    def kind(self) -> str:
        if not self.before:
            return "added"
        return "changed" if self.after else "removed"

    def __str__(self) -> str:
        if self.kind == "changed":
            return f"Changed: {self.before} → {self.after}"
        return f"{self.kind.capitalize()}: {self.before or self.after}"


def differences(old: Model | None, new: Model) -> list[Change]:
    """What changes for people when `new` takes the place of `old`, in sentences.

    Rules are paired by what they look at; a changed one of the same name is one change, not two.
    """
    before, after = _sentences(old), _sentences(new)
    gone = [entry for entry in before if entry not in after]
    come = [entry for entry in after if entry not in before]
    changes = []
    for name in dict.fromkeys(name for name, _ in (*gone, *come)):
        olds = [sentence for owner, sentence in gone if owner == name]
        news = [sentence for owner, sentence in come if owner == name]
        changes += [Change(was, now) for was, now in zip_longest(olds, news, fillvalue="")]
    return changes + _redefined(old, new)


def _sentences(model: Model | None) -> list[tuple[str, str]]:
    """(what it is called, sentence) of every rule and every line of the frame, in order."""
    if model is None:
        return []
    frame = [(sentence.split(" from ")[0].split(":")[0], sentence) for sentence in frame_sentences(model)]
    rules: tuple[FitRule | BehaviourRule, ...] = (*model.fit, *model.behaviour)
    return frame + [(f"{rule.effect} {rule.name}", rule_sentence(rule)) for rule in rules]


def _redefined(old: Model | None, new: Model) -> list[Change]:
    """Signals of the same name whose definition changed: the sentences alone would hide it."""
    if old is None:
        return []
    counted = {rule.signal_name: rule.signal for rule in old.behaviour}
    renewed = {
        rule.signal_name
        for rule in new.behaviour
        if counted.get(rule.signal_name, rule.signal) != rule.signal
    }
    return [
        Change(f"“{name}” as it was defined", f"“{name}” by its new definition") for name in sorted(renewed)
    ]


# Words


def any_of(values: Iterable[str]) -> str:
    quoted = [f"“{value.strip()}”" for value in values]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}" if quoted else ""


def range_phrase(low: int | None, high: int | None) -> str:
    if low is not None and high is not None:
        return f"from {low:,} to {high:,}"
    return f"{low:,} or more" if low is not None else f"{high or 0:,} or less"


def days_phrase(hours: int) -> str:
    return count_phrase(hours // 24, "day") if hours % 24 == 0 else count_phrase(hours, "hour")


def count_phrase(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def signed(points: int) -> str:
    return f"+{points:,}" if points > 0 else f"−{-points:,}" if points < 0 else "0"
