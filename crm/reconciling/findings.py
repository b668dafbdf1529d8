"""What a page of the comparison found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum, auto

from crm.models import Drift, Reconciliation

Why = Reconciliation.Why


class Verdict(Enum):
    """What lies behind a difference, and so what would mend it."""

    UNSENT = auto()
    """Ours changed and never went: send it."""
    OVERWRITTEN = auto()
    """They hold something else than we told, in a field where we are right: send it anew."""
    UNREAD = auto()
    """Theirs changed and was never taken over: settle it as the poll does."""
    KEPT_THERE = auto()
    """They changed what we only tell them: it is theirs to keep."""
    KEY_LOST = auto()
    """Their record does not carry our key any more."""
    GONE = auto()
    """Their record was deleted, or merged into another one."""
    NEVER_ARRIVED = auto()
    FOR_A_PERSON = auto()


# Why each may be, in words for an operator.
WORDS = {
    Verdict.UNSENT: "It changed here, and nothing says that it still has to be sent.",
    Verdict.OVERWRITTEN: "The portal is right about this field, and it was overwritten there.",
    Verdict.UNREAD: "It changed there, and was not taken over.",
    Verdict.KEY_LOST: "The record is there, without the portal's id: somebody took it away.",
    Verdict.GONE: "Deleted there, or hidden from our user, and the portal had not heard of it.",
    Verdict.NEVER_ARRIVED: "It never reached Salesforce, and nothing says that it still has to be sent.",
}
DONE = {
    Verdict.UNREAD: "Settled by the rule of the field.",
    Verdict.GONE: "An operator now says whether it is made anew.",
}
SENT_AGAIN = "It is sent again."


@dataclass
class Difference:
    """One difference, its values masked. `held` is what the record holds, in the form in which the push
    compares it; `master_id` is the record that it was merged into."""

    kind: Drift.Kind
    verdict: Verdict
    lead_id: int | None
    salesforce_id: str = ""
    field: str = ""
    ours: str = ""
    theirs: str = ""
    words: str = ""
    held: object = None
    master_id: str = ""
    is_mended: bool = False

    def as_drift(self, run: Reconciliation) -> Drift:
        done = DONE.get(self.verdict, SENT_AGAIN) if self.is_mended else ""
        return Drift(
            reconciliation=run,
            lead_id=self.lead_id,
            salesforce_id=self.salesforce_id,
            kind=self.kind,
            field=self.field,
            ours=self.ours[:255],
            theirs=self.theirs[:255],
            explanation=f"{self.words or WORDS.get(self.verdict, '')} {done}".strip()[:300],
            is_mended=self.is_mended,
        )


@dataclass
class Page:
    """One page of the comparison. `reached` is where the next one begins; blank after the last."""

    compared: int = 0
    reached: str = ""
    differences: list[Difference] = field(default_factory=list)
    explained: Counter[Why] = field(default_factory=Counter)
    """Records whose difference explains itself, by why."""
