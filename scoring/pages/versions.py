"""What the scoring pages show of a version: its rules in sentences, by what they do, and its problems."""

from __future__ import annotations

from dataclasses import dataclass, field

from scoring.engine import model_of
from scoring.language.problems import faults, oddities
from scoring.language.rules import BehaviourRule, Effect, FitRule, Model, RuleRefused
from scoring.language.sentences import Change, differences, frame_sentences, rule_sentence
from scoring.models import ModelVersion


@dataclass(frozen=True, slots=True)
class RuleText:
    name: str
    sentence: str


@dataclass(frozen=True, slots=True)
class RuleGroup:
    heading: str
    rules: list[RuleText]


@dataclass(frozen=True, slots=True)
class VersionText:
    """A version in words. `refusal` says why a draft cannot be read at all; then the rest is empty."""

    groups: list[RuleGroup] = field(default_factory=list)
    frame: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    oddities: list[str] = field(default_factory=list)
    refusal: str = ""

    @property
    def is_publishable(self) -> bool:
        return not (self.refusal or self.faults)


def describe_version(version: ModelVersion, *, against: ModelVersion | None = None) -> VersionText:
    """The version in words and, if another is given, what would change if it took that one's place."""
    try:
        model = model_of(version)
    except RuleRefused as refusal:
        return VersionText(refusal=str(refusal))
    other = model_of(against) if against else None
    return VersionText(
        groups=_groups(model),
        frame=frame_sentences(model),
        changes=differences(other, model) if against != version else [],
        faults=faults(model),
        oddities=oddities(model),
    )


def _groups(model: Model) -> list[RuleGroup]:
    rules: tuple[FitRule | BehaviourRule, ...] = (*model.fit, *model.behaviour)
    headings: dict[str, list[RuleText]] = {
        "Who they are": [],
        "What they do": [],
        "What counts against them": [],
        "MQL at once": [],
        "Never an MQL": [],
    }
    for rule in rules:
        headings[_heading(rule)].append(RuleText(rule.name, rule_sentence(rule)))
    return [RuleGroup(heading, texts) for heading, texts in headings.items() if texts]


def _heading(rule: FitRule | BehaviourRule) -> str:
    if rule.effect is Effect.DISQUALIFIES:
        return "Never an MQL"
    if rule.effect is Effect.INSTANT_MQL:
        return "MQL at once"
    if rule.points < 0:
        return "What counts against them"
    return "Who they are" if isinstance(rule, FitRule) else "What they do"
