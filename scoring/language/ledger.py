"""The ledger of a score as people read it: in sections whose sums add up to the score (SCORE-7). Pure."""

from __future__ import annotations

from dataclasses import dataclass

from scoring.language.explanation import Explanation, LedgerLine

HEADINGS = {
    "fit": "Who they are",
    "behaviour": "What they do",
    "multiplies": "Multipliers of readiness",
    "instant_mql": "MQL at once",
    "disqualifies": "Never an MQL",
    "bound": "Bounds",
}


@dataclass(frozen=True, slots=True)
class LedgerSection:
    """Lines of one kind with the sum of their points."""

    heading: str
    lines: tuple[LedgerLine, ...]

    @property
    def points(self) -> int:
        return sum(line.points for line in self.lines)

    @property
    def gives_points(self) -> bool:
        """False for verdicts, which stand in the ledger without points."""
        return not all(line.kind in ("instant_mql", "disqualifies") for line in self.lines)


def ledger_sections(explanation: Explanation) -> list[LedgerSection]:
    """The lines by what they are, in a fixed order; sections without lines are left out."""
    found = []
    for kind, heading in HEADINGS.items():
        lines = tuple(line for line in explanation.lines if line.kind == kind)
        if lines:
            found.append(LedgerSection(heading, lines))
    return found
