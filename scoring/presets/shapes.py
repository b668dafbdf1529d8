"""What a preset of scoring is made of: plain values, in the words of the admin."""

from __future__ import annotations

from dataclasses import dataclass

from scoring.language.rules import PER_MILLE, Formula, Operator, Shape


@dataclass(frozen=True, slots=True)
class ConditionPreset:
    property_name: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SignalPreset:
    key: str
    name: str
    event_names: tuple[str, ...]
    is_high_intent: bool = False
    is_engagement: bool = True
    conditions: tuple[ConditionPreset, ...] = ()


@dataclass(frozen=True, slots=True)
class FadingPreset:
    shape: Shape
    days: int
    percent: int = 0
    floor_percent: int = 0


@dataclass(frozen=True, slots=True)
class GroupPreset:
    name: str
    cap: int


@dataclass(frozen=True, slots=True)
class RulePreset:
    """A rule on an attribute or on a signal, which is named by its key, perhaps in a group, by its name.

    `kind` is one of the kinds of the admin; `factor` is per mille, as in `scoring.language.rules`.
    """

    kind: str
    name: str
    points: int = 0
    attribute: str = ""
    operator: Operator | None = None
    values: tuple[str, ...] = ()
    low: int | None = None
    high: int | None = None
    signal: str = ""
    min_count: int = 1
    max_count: int | None = None
    window_days: int | None = None
    per_occurrence: bool = False
    cap: int | None = None
    fading: FadingPreset | None = None
    factor: int = PER_MILLE
    group: str = ""


@dataclass(frozen=True, slots=True)
class ScoringPreset:
    """`decay` holds (days, per mille kept); `tiers` (category, least engagement, least readiness).

    `summary` says in a sentence or two whom it suits and what marketing should set first.
    """

    name: str
    threshold: int
    icp_from: int
    signal_days: int
    signals: tuple[SignalPreset, ...]
    rules: tuple[RulePreset, ...]
    decay: tuple[tuple[int, int], ...] = ()
    decay_floor: int = 0
    tiers: tuple[tuple[str, int, int], ...] = ()
    formula: Formula = Formula.ADDITIVE
    engagement_percent: int = 40
    groups: tuple[GroupPreset, ...] = ()
    summary: str = ""
