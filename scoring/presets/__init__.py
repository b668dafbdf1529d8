"""Scoring as published frameworks have it, as plain data (chapter 12 of the protocol), one module each.

Their points, thresholds, counts and windows are as published; what they leave open (which industries, which
paths, how many points off) is a starting point that marketing edits.
"""

from __future__ import annotations

from scoring.presets.as_model import model_of_preset
from scoring.presets.bant import BANT
from scoring.presets.classic import CLASSIC
from scoring.presets.hybrid import HYBRID
from scoring.presets.shapes import (
    ConditionPreset,
    FadingPreset,
    GroupPreset,
    RulePreset,
    ScoringPreset,
    SignalPreset,
)
from scoring.presets.six_step import SIX_STEP
from scoring.presets.speed import SPEED

__all__ = [
    "BANT",
    "CLASSIC",
    "HYBRID",
    "PRESETS",
    "SIX_STEP",
    "SPEED",
    "ConditionPreset",
    "FadingPreset",
    "GroupPreset",
    "RulePreset",
    "ScoringPreset",
    "SignalPreset",
    "model_of_preset",
]

PRESETS = {
    "classic": CLASSIC,
    "hybrid": HYBRID,
    "speed": SPEED,
    "six-step": SIX_STEP,
    "bant": BANT,
}
