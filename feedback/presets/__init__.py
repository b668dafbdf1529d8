"""The feedback side of the protocol presets: why sales returns leads (FEED-1), what brings them back (FEED-2)
and what marketing promises. `shapes` says what a preset holds, `reasons` and `protocols` what each one says,
`loading` lays it."""

from feedback.presets.loading import load_feedback_preset
from feedback.presets.protocols import BANT, CLASSIC, HYBRID, PRESETS, SIX_STEP, SPEED
from feedback.presets.shapes import ContractPreset, FeedbackPreset, PolicyPreset, ReasonPreset

__all__ = [
    "BANT",
    "CLASSIC",
    "HYBRID",
    "PRESETS",
    "SIX_STEP",
    "SPEED",
    "ContractPreset",
    "FeedbackPreset",
    "PolicyPreset",
    "ReasonPreset",
    "load_feedback_preset",
]
