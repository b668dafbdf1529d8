"""Accepting several handoffs at once, and taking that back: each for itself, so that one taken by a colleague
holds up no other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from accounts.models import User
from common.errors import DomainError
from handoffs.models import Handoff
from handoffs.services import accept_handoff
from handoffs.undo import undo_acceptance


@dataclass
class BulkResult:
    """What came of it: those of which it is done, and for each of the others the handoff and why not."""

    done: list[Handoff] = field(default_factory=list)
    refused: list[tuple[Handoff, DomainError]] = field(default_factory=list)

    @property
    def tried(self) -> int:
        return len(self.done) + len(self.refused)


def accept_handoffs(handoffs: Iterable[Handoff], *, by: User, now: datetime) -> BulkResult:
    """Accept each as accept_handoff() does, in a transaction of its own. A double click is harmless: what
    one has accepted is accepted."""
    return _one_by_one(accept_handoff, handoffs, by=by, now=now)


def undo_acceptances(handoffs: Iterable[Handoff], *, by: User, now: datetime) -> BulkResult:
    """Take each acceptance back as undo_acceptance() does, in a transaction of its own."""
    return _one_by_one(undo_acceptance, handoffs, by=by, now=now)


class _Verb(Protocol):
    def __call__(self, handoff: Handoff, /, *, by: User, now: datetime) -> Handoff: ...


def _one_by_one(verb: _Verb, handoffs: Iterable[Handoff], *, by: User, now: datetime) -> BulkResult:
    result = BulkResult()
    for handoff in handoffs:
        try:
            result.done.append(verb(handoff, by=by, now=now))
        except DomainError as refusal:
            result.refused.append((handoff, refusal))
    return result
