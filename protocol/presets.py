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
        parts = {"Service levels": self.sla, "reasons": self.feedback, "routing": self.handoffs}
        names = [name for name, part in parts.items() if part is None]
        if not names:
            return ""
        text = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
        return f"{text[:1].upper()}{text[1:]} stay as they are."


def _scoring_alone(preset: ScoringPreset) -> ProtocolPreset:
    return ProtocolPreset(summary=preset.summary, scoring=preset)


PRESETS: dict[str, ProtocolPreset] = {
    "classic": ProtocolPreset(
        summary="Points for who it is and what they do, 50 of them make an MQL; demo requests the same day.",
        scoring=scoring.presets.CLASSIC,
        sla=classic.SLA,
        feedback=feedback.presets.CLASSIC,
        handoffs=handoffs.presets.CLASSIC,
    ),
    "hybrid": _scoring_alone(scoring.presets.HYBRID),
    "speed": _scoring_alone(scoring.presets.SPEED),
    "six-step": _scoring_alone(scoring.presets.SIX_STEP),
    "bant": _scoring_alone(scoring.presets.BANT),
    "marketplace": ProtocolPreset(
        summary="For leads that arrive ready-made, known by their origin alone: every one goes to sales.",
        scoring=marketplace.SCORING,
        sla=marketplace.SLA,
        feedback=feedback.presets.CLASSIC,
        handoffs=marketplace.HANDOFFS,
    ),
}
