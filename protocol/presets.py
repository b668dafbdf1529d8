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
    """A protocol as an operator loads it. `summary` says in a sentence or two whom it suits.

    A part that is None stays as it is in the portal.
    """

    summary: str
    scoring: ScoringPreset
    sla: SlaPreset | None = None
    feedback: FeedbackPreset | None = None
    handoffs: HandoffPreset | None = None

    @property
    def kept(self) -> str:
        """What the preset leaves alone, in a sentence; blank if nothing."""
        lacking = {
            "Service levels": self.sla is None,
            "reasons": self.feedback is None,
            "routing": self.handoffs is None or not self.handoffs.rules,
        }
        names = [name for name, is_lacking in lacking.items() if is_lacking]
        if not names:
            return ""
        text = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
        return f"{text[:1].upper()}{text[1:]} stay as they are."


def _without_service_levels(
    scored: ScoringPreset, fed_back: FeedbackPreset, handed_off: HandoffPreset
) -> ProtocolPreset:
    return ProtocolPreset(summary=scored.summary, scoring=scored, feedback=fed_back, handoffs=handed_off)


PRESETS: dict[str, ProtocolPreset] = {
    "classic": ProtocolPreset(
        summary="Points for who it is and what they do, 50 of them make an MQL; demo requests the same day.",
        scoring=scoring.presets.CLASSIC,
        sla=classic.SLA,
        feedback=feedback.presets.CLASSIC,
        handoffs=handoffs.presets.CLASSIC,
    ),
    "hybrid": _without_service_levels(
        scoring.presets.HYBRID, feedback.presets.HYBRID, handoffs.presets.HYBRID
    ),
    "speed": _without_service_levels(scoring.presets.SPEED, feedback.presets.SPEED, handoffs.presets.SPEED),
    "six-step": _without_service_levels(
        scoring.presets.SIX_STEP, feedback.presets.SIX_STEP, handoffs.presets.SIX_STEP
    ),
    "bant": _without_service_levels(scoring.presets.BANT, feedback.presets.BANT, handoffs.presets.BANT),
    "marketplace": ProtocolPreset(
        summary="For leads that arrive ready-made, known by their origin alone: every one goes to sales.",
        scoring=marketplace.SCORING,
        sla=marketplace.SLA,
        feedback=feedback.presets.CLASSIC,
        handoffs=marketplace.HANDOFFS,
    ),
}
