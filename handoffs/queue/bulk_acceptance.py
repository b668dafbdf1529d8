"""Accepting several handoffs at once: each for itself, so that one taken by a colleague holds up no other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from accounts.models import User
from common.errors import DomainError
from handoffs.models import Handoff
from handoffs.services import accept_handoff


@dataclass
class BulkAcceptance:
    """What came of it: those accepted, and for each of the others the handoff and why not."""

    accepted: list[Handoff] = field(default_factory=list)
    refused: list[tuple[Handoff, DomainError]] = field(default_factory=list)

    @property
    def tried(self) -> int:
        return len(self.accepted) + len(self.refused)


def accept_handoffs(handoffs: Iterable[Handoff], *, by: User, now: datetime) -> BulkAcceptance:
    """Accept each as accept_handoff() does, in a transaction of its own. A double click is harmless: what
    one has accepted is accepted."""
    result = BulkAcceptance()
    for handoff in handoffs:
        try:
            result.accepted.append(accept_handoff(handoff, by=by, now=now))
        except DomainError as refusal:
            result.refused.append((handoff, refusal))
    return result
