"""The protocol presets by name: each app holds its own part as plain data, and here they come together."""

from __future__ import annotations

from dataclasses import dataclass

import feedback.presets
import handoffs.presets
import scoring.presets
from feedback.presets import FeedbackPreset
from handoffs.presets import HandoffPreset
from protocol import marketplace, service_levels
from scoring.presets import ScoringPreset
from sla.presets import SlaPreset


@dataclass(frozen=True)
class ProtocolPreset:
    """A protocol as an operator loads it. `summary` says in a sentence or two whom it suits.

    A part that is None stays as it is in the portal.
    """

    summary: str
    scoring: ScoringPreset
    sla: SlaPreset
    feedback: FeedbackPreset | None = None
    handoffs: HandoffPreset | None = None

    @property
    def kept(self) -> str:
        """What the preset leaves alone, in a sentence; blank if nothing."""
        lacking = {
            "reasons": self.feedback is None,
            "routing rules": self.handoffs is None or not self.handoffs.rules,
        }
        names = [name for name, is_lacking in lacking.items() if is_lacking]
        if not names:
            return ""
        text = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
        return f"{text[:1].upper()}{text[1:]} stay as they are."


def _published(
    scored: ScoringPreset, promised: SlaPreset, fed_back: FeedbackPreset, handed_off: HandoffPreset
) -> ProtocolPreset:
    return ProtocolPreset(
        summary=scored.summary, scoring=scored, sla=promised, feedback=fed_back, handoffs=handed_off
    )


PRESETS: dict[str, ProtocolPreset] = {
    "classic": ProtocolPreset(
        summary="Points for who it is and what they do, 50 of them make an MQL; demo requests the same day.",
        scoring=scoring.presets.CLASSIC,
        sla=service_levels.CLASSIC,
        feedback=feedback.presets.CLASSIC,
        handoffs=handoffs.presets.CLASSIC,
    ),
    "hybrid": _published(
        scoring.presets.HYBRID, service_levels.HYBRID, feedback.presets.HYBRID, handoffs.presets.HYBRID
    ),
    "speed": _published(
        scoring.presets.SPEED, service_levels.SPEED, feedback.presets.SPEED, handoffs.presets.SPEED
    ),
    "six-step": _published(
        scoring.presets.SIX_STEP,
        service_levels.SIX_STEP,
        feedback.presets.SIX_STEP,
        handoffs.presets.SIX_STEP,
    ),
    "bant": _published(
        scoring.presets.BANT, service_levels.BANT, feedback.presets.BANT, handoffs.presets.BANT
    ),
    "marketplace": ProtocolPreset(
        summary="For leads that arrive ready-made, known by their origin alone: every one goes to sales.",
        scoring=marketplace.SCORING,
        sla=marketplace.SLA,
        feedback=feedback.presets.CLASSIC,
        handoffs=marketplace.HANDOFFS,
    ),
}
