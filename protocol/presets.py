"""The protocol presets by name: each app holds its own part as plain data, and here they come together."""

from __future__ import annotations

from dataclasses import dataclass

import feedback.presets
import handoffs.presets
import scoring.presets
from feedback.presets import FeedbackPreset
from handoffs.presets import HandoffPreset
from protocol import classic, marketplace
from scoring.presets import ScoringPreset
from sla.presets import SlaPreset


@dataclass(frozen=True)
class ProtocolPreset:
    """A whole protocol as an operator loads it. `summary` says in a sentence whom it suits."""

    summary: str
    scoring: ScoringPreset
    sla: SlaPreset
    feedback: FeedbackPreset
    handoffs: HandoffPreset


PRESETS: dict[str, ProtocolPreset] = {
    "classic": ProtocolPreset(
        summary="Points for who it is and what they do, 50 of them make an MQL; demo requests the same day.",
        scoring=scoring.presets.CLASSIC,
        sla=classic.SLA,
        feedback=feedback.presets.CLASSIC,
        handoffs=handoffs.presets.CLASSIC,
    ),
    "marketplace": ProtocolPreset(
        summary="For leads that arrive ready-made, known by their origin alone: every one goes to sales.",
        scoring=marketplace.SCORING,
        sla=marketplace.SLA,
        feedback=feedback.presets.CLASSIC,
        handoffs=marketplace.HANDOFFS,
    ),
}
