"""The gate to SQL: which parts of BANT the protocol wants, and what is asked in plain words (QUEUE-4)."""

from __future__ import annotations

from dataclasses import dataclass

from handoffs.models import Qualification, QualificationGate

PARTS = ("budget", "authority", "need", "timeline")

_QUESTIONS = {
    "budget": "Is there a budget?",
    "authority": "Does this person decide?",
    "need": "Do they need it?",
    "timeline": "Is there a date?",
}
_NAMES = {
    "budget": "budget",
    "authority": "decision maker",
    "need": "need",
    "timeline": "timeline",
}
_MEANINGS = {
    "budget": "Budget: there is money for it, or a way to get it.",
    "authority": "Authority: we speak with who decides, or with somebody who brings us there.",
    "need": "Need: they have a problem that we solve.",
    "timeline": "Timeline: they want it solved by a date.",
}
_ROUGHLY = {
    "question": "Does the budget roughly fit?",
    "name": "a budget that roughly fits",
    "meaning": "Budget: what they can spend roughly fits. It need not be granted yet.",
}


@dataclass(frozen=True)
class Gate:
    """The parts that must be a yes, in BANT's order; and whether each yes must say what it rests on."""

    requires: tuple[str, ...] = PARTS
    budget_may_be_rough: bool = False
    evidence_needed: bool = False

    def question(self, part: str) -> str:
        return _ROUGHLY["question"] if self._is_rough(part) else _QUESTIONS[part]

    def meaning(self, part: str) -> str:
        return _ROUGHLY["meaning"] if self._is_rough(part) else _MEANINGS[part]

    def missing(self, qualification: Qualification | None) -> list[str]:
        """The required parts that are not a yes."""
        yes = Qualification.Answer.YES
        return [part for part in self.requires if getattr(qualification, part, None) != yes]

    def unproven(self, qualification: Qualification | None) -> list[str]:
        """The required parts whose evidence is wanted and not there."""
        if not self.evidence_needed:
            return []
        return [part for part in self.requires if not getattr(qualification, f"{part}_evidence", "")]

    def name_all(self, parts: tuple[str, ...] | list[str]) -> str:
        """The parts in words: "need, decision maker and a budget that roughly fits"."""
        names = [_ROUGHLY["name"] if self._is_rough(part) else _NAMES[part] for part in parts]
        return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)

    @property
    def sentence(self) -> str:
        if not self.requires:
            return "Sales-qualified when you say so: no part of BANT is required."
        proof = ", each with what they said" if self.evidence_needed else ""
        return f"Sales-qualified needs a yes to {self.name_all(self.requires)}{proof}."

    def _is_rough(self, part: str) -> bool:
        return part == "budget" and self.budget_may_be_rough


def current_gate() -> Gate:
    """What the protocol wants; all four until somebody says otherwise."""
    row = QualificationGate.objects.first()
    if row is None:
        return Gate()
    requires = tuple(part for part in PARTS if part in row.requires)
    return Gate(requires, row.budget_may_be_rough, row.evidence_needed)
