"""Why this rep, and why not the others: a stored or imagined decision as the viewer reads it (HAND-3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accounts.models import User
from handoffs.models import Handoff, RoutingDecision
from handoffs.routing.turns import Considered


@dataclass(frozen=True, slots=True)
class ToldChoice:
    """Everybody considered: who was chosen, the viewer, and the rest in the order considered.

    `own` is the viewer's line, None where they were not considered.
    """

    own: Mapping[str, Any] | None
    others: Sequence[Mapping[str, Any]]

    @property
    def number(self) -> int:
        return len(self.others) + (self.own is not None)


@dataclass(frozen=True, slots=True)
class ToldDecision:
    decision: RoutingDecision
    told: ToldChoice


def tell_decisions(handoff: Handoff, *, viewer: User) -> list[ToldDecision]:
    """Every decision about the handoff, the latest first."""
    decisions = RoutingDecision.objects.filter(handoff=handoff).select_related("chosen")
    return [
        ToldDecision(decision, _tell(decision.candidates, viewer))
        for decision in decisions.order_by("-at", "-id")
    ]


def tell_choice(considered: Iterable[Considered], *, viewer: User) -> ToldChoice:
    """The same for a choice that is not on record, such as that of a dry run."""
    lines = [
        {"user_id": one.user_id, "name": one.name, "chosen": one.chosen, "reason": one.reason}
        for one in considered
    ]
    return _tell(lines, viewer)


def _tell(candidates: Iterable[Mapping[str, Any]], viewer: User) -> ToldChoice:
    """The chosen one leads the others, whatever the order considered."""
    everybody = list(candidates)
    own = next((one for one in everybody if one["user_id"] == viewer.pk), None)
    others = [one for one in everybody if one is not own]
    return ToldChoice(own, sorted(others, key=lambda one: not one["chosen"]))
