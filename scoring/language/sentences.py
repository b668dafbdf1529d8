"""Rules as plain English, the same words in admin, diff and lead page (SCORE-13). Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from scoring.language.attributes import ATTRIBUTES
from scoring.language.rules import (
    PER_MILLE,
    BehaviourRule,
    CategoryTier,
    DecayStep,
    Effect,
    FitRule,
    Formula,
    Group,
    Model,
    Operator,
    RuleDecay,
    Shape,
)

CATEGORY_MEANINGS = {"A": "ready to engage", "B": "interested but early", "C": "engaged research"}


def rule_sentence(rule: FitRule | BehaviourRule) -> str:
    """What the rule looks at and what follows: "Pricing page visit: +20"."""
    return f"{rule_subject(rule)}: {effect_phrase(rule)}"


def rule_subject(rule: FitRule | BehaviourRule) -> str:
    return fit_subject(rule) if isinstance(rule, FitRule) else behaviour_subject(rule)


def effect_phrase(rule: FitRule | BehaviourRule) -> str:
    if rule.effect is Effect.DISQUALIFIES:
        return "never an MQL while true"
    if rule.effect is Effect.INSTANT_MQL:
        return "MQL at once, if the checklist holds"
    if rule.effect is Effect.MULTIPLIES:
        return f"readiness × {factor_phrase(rule.factor)}"
    return points_phrase(rule)


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
    if often := frequency_phrase(rule.min_count, rule.max_count):
        subject += f", {often}"
    if rule.window_hours is not None:
        subject += f" within {days_phrase(rule.window_hours)}"
    return subject


def frequency_phrase(least: int, most: int | None) -> str:
    """How often a signal must be seen; blank if once is enough and there is no upper bound."""
    if most is None:
        return f"{least:,} times or more" if least > 1 else ""
    if most == least:
        return "exactly once" if least == 1 else f"exactly {least:,} times"
    return f"{least:,} to {most:,} times"


def points_phrase(rule: FitRule | BehaviourRule) -> str:
    phrase = signed(rule.points)
    if isinstance(rule, BehaviourRule):
        if rule.each:
            phrase += " each time"
        if rule.cap is not None:
            bound = signed(rule.cap if rule.points > 0 else -rule.cap)
            phrase += f", {'at most' if rule.points > 0 else 'no lower than'} {bound}"
        if rule.decay is not None:
            phrase += f", {fading_phrase(rule.decay)}"
    return phrase


def fading_phrase(decay: RuleDecay) -> str:
    days = count_phrase(decay.days, "day")
    each = "day" if decay.days == 1 else days
    phrase = {
        Shape.STEP: f"losing {decay.percent} % every {each}",
        Shape.LINEAR: f"fading evenly over {days}",
        Shape.HALF_LIFE: f"halving every {each}",
    }[decay.shape]
    return f"{phrase}, down to {decay.floor_percent} %" if decay.floor_percent else phrase


def factor_phrase(factor: int) -> str:
    return f"{factor / PER_MILLE:g}"


def group_sentence(group: Group, members: Iterable[FitRule | BehaviourRule]) -> str:
    """What a group allows together; rules that take points away stop at a lowest."""
    rules = list(members)
    hurts = any(rule.points < 0 for rule in rules)
    bound = f"no lower than {signed(-group.cap)}" if hurts else f"at most {signed(group.cap)}"
    names = f" from {listed([f'“{rule.name}”' for rule in rules], 'and')}" if rules else ""
    return f"Group “{group.name}”: {bound} together{names}"


def decay_sentence(step: DecayStep) -> str:
    kept = f"{step.per_mille * 100 / PER_MILLE:g} %"
    return f"After {days_phrase(step.after_hours)} without engagement, {kept} of the behaviour points remain"


def tier_sentence(tier: CategoryTier) -> str:
    return (
        f"Category {tier.category} ({CATEGORY_MEANINGS[tier.category]}): "
        f"engagement of {tier.min_engagement} or more and readiness of {tier.min_readiness} or more"
    )


def frame_sentences(model: Model) -> list[str]:
    """Everything that is no rule: formula, threshold, checklist, groups, decay, categories."""
    return [sentence for _, sentence in _frame(model)]


def _frame(model: Model) -> list[tuple[str, str]]:
    """(what the line is about, the line): lines about the same in two versions are one change."""
    lasts = days_phrase(model.signal_hours)
    frame = [
        ("formula", formula_sentence(model)),
        ("mql", _mql_sentence(model)),
        ("icp", f"ICP match: {count_phrase(model.icp_from, 'fit point')} or more"),
        ("signal", f"Clear signal of interest: a high-intent signal within the last {lasts}"),
        ("flags", "No red flags: no disqualifier is true"),
    ]
    for group in model.groups:
        members = (rule for rule in model.rules if rule.group == group.key)
        frame.append((f"group {group.name}", group_sentence(group, members)))
    frame += [(f"decay {step.after_hours}", decay_sentence(step)) for step in model.decay]
    if model.decay and model.decay_floor:
        floor = count_phrase(model.decay_floor, "behaviour point")
        frame.append(("floor", f"Decay leaves at least {floor}"))
    frame += [(f"category {tier.category}", tier_sentence(tier)) for tier in model.categories]
    return [*frame, ("category C", f"Category C ({CATEGORY_MEANINGS['C']}): all others")]


def formula_sentence(model: Model) -> str:
    if model.formula is Formula.HYBRID:
        rest = 100 - model.engagement_percent
        return (
            f"Score: {model.engagement_percent} % of engagement + {rest} % of readiness, "
            "which is all points times the multipliers"
        )
    return "Score: all points added up"


def _mql_sentence(model: Model) -> str:
    if model.formula is Formula.CHECKLIST:
        return "MQL as soon as the checklist holds, whatever the score"
    return (
        f"MQL from {count_phrase(model.threshold, 'point')}, or at once by an instant-MQL rule, "
        "if the checklist holds"
    )


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
    gone = list((Counter(before) - Counter(after)).elements())
    come = list((Counter(after) - Counter(before)).elements())
    changes = []
    for name in dict.fromkeys(name for name, _ in (*gone, *come)):
        olds = [sentence for owner, sentence in gone if owner == name]
        news = [sentence for owner, sentence in come if owner == name]
        changes += [Change(was, now) for was, now in zip_longest(olds, news, fillvalue="")]
    return changes + _reordered(old, new) + _redefined(old, new)


def _reordered(old: Model | None, new: Model) -> list[Change]:
    """The first category that fits decides, so the order of the same categories says something too."""
    if old is None or old.categories == new.categories or Counter(old.categories) != Counter(new.categories):
        return []
    return [Change(*(_order_sentence(model.categories) for model in (old, new)))]


def _order_sentence(tiers: Sequence[CategoryTier]) -> str:
    bounds = [f"{tier.category} from {tier.min_engagement} and {tier.min_readiness}" for tier in tiers]
    return f"The first category that fits decides: {listed(bounds, 'then')}"


def _sentences(model: Model | None) -> list[tuple[str, str]]:
    """(what it is called, sentence) of every rule and every line of the frame, in order."""
    if model is None:
        return []
    return _frame(model) + [(f"{rule.effect} {rule.name}", rule_sentence(rule)) for rule in model.rules]


def _redefined(old: Model | None, new: Model) -> list[Change]:
    """What the sentences alone would hide: signals of the same name whose definition changed, and rules that
    begin or cease to mean that somebody asked for contact."""
    if old is None:
        return []
    counted = {rule.signal_name: rule for rule in old.behaviour}
    renewed = {
        rule.signal_name: (counted[rule.signal_name], rule)
        for rule in new.behaviour
        if rule.signal_name in counted and counted[rule.signal_name].signal != rule.signal
    }
    changes = [
        Change(
            f"“{name}” as it was defined{_meaning(was, now)}",
            f"“{name}” by its new definition{_meaning(now, was)}",
        )
        for name, (was, now) in sorted(renewed.items())
    ]
    asked = {(rule.name, rule_sentence(rule)): rule.explicit for rule in old.behaviour}
    for rule in new.behaviour:
        was = asked.get((rule.name, rule_sentence(rule)), rule.explicit)
        if was != rule.explicit:
            meant = (f"“{rule.name}” shows interest", f"“{rule.name}” asks for contact")
            changes.append(Change(*(meant if rule.explicit else meant[::-1])))
    return changes


def _meaning(rule: BehaviourRule, other: BehaviourRule) -> str:
    """What the rule's signal means where the other's means something else."""
    words = []
    if rule.high_intent != other.high_intent:
        words.append("high intent" if rule.high_intent else "low intent")
    if rule.engages != other.engages:
        words.append("counts as engagement" if rule.engages else "is no engagement")
    return f" ({', '.join(words)})" if words else ""


# Words


def any_of(values: Iterable[str]) -> str:
    return listed([f"“{value.strip()}”" for value in values], "or")


def listed(words: Sequence[str], last: str) -> str:
    """ "a, b or c": `last` is the word before the last one."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


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
