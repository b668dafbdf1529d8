"""The handoff side of the protocol presets: pools, routing rules, playbooks, the SQL gate, cadences, the
package standard. `shapes` says what a preset holds, `protocols` what each one says, `loading` lays it."""

from handoffs.presets.loading import load_handoff_preset
from handoffs.presets.protocols import BANT, CLASSIC, HYBRID, PRESETS, SIX_STEP, SPEED
from handoffs.presets.shapes import (
    AcknowledgementPreset,
    CadencePreset,
    HandoffPreset,
    PlaybookPreset,
    PoolPreset,
    RulePreset,
    StepPreset,
)

__all__ = [
    "BANT",
    "CLASSIC",
    "HYBRID",
    "PRESETS",
    "SIX_STEP",
    "SPEED",
    "AcknowledgementPreset",
    "CadencePreset",
    "HandoffPreset",
    "PlaybookPreset",
    "PoolPreset",
    "RulePreset",
    "StepPreset",
    "load_handoff_preset",
]
