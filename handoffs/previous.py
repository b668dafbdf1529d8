"""Earlier handoffs of a lead, as its next rep needs them: how each ended and what was learnt (HAND-7)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Count, OuterRef, Subquery

from handoffs.gate import PARTS
from handoffs.models import Attempt, Handoff, Qualification
from leads.models import Lead

Content = dict[str, Any]

# All that is read in two minutes beside the rest; the page of the lead has every one.
SHOWN = 5


def previous_handoffs(lead: Lead) -> list[Content]:
    """The last few handoffs, the latest first."""
    latest = Attempt.objects.filter(handoff=OuterRef("pk")).order_by("-at", "-id")
    handoffs = (
        Handoff.objects.filter(lead=lead)
        .select_related("owner", "qualification")
        .annotate(
            tries=Count("attempts"),
            last_channel=Subquery(latest.values("channel")[:1]),
            last_outcome=Subquery(latest.values("outcome")[:1]),
        )
        .order_by("-created_at", "-id")
    )
    return [
        {
            **_tell(handoff),
            "attempts": handoff.tries,
            "last_attempt": _attempt(handoff.last_channel, handoff.last_outcome),
        }
        for handoff in handoffs[:SHOWN]
    ]


def _tell(handoff: Handoff) -> Content:
    return {
        "handoff_id": handoff.pk,
        "at": handoff.created_at.isoformat(),
        "closed_at": handoff.closed_at.isoformat() if handoff.closed_at else None,
        "outcome": handoff.get_status_display(),
        "reason": handoff.rejection_code.replace("-", " ").capitalize() or handoff.closing_note,
        # From rep to rep: it never left sales.
        "passed_on": handoff.slot_returned_at is not None,
        "owner": str(handoff.owner) if handoff.owner else "",
        "learnt": list(_learnt(getattr(handoff, "qualification", None))),
    }


def _attempt(channel: str | None, outcome: str | None) -> str:
    """'Call: voicemail'; blank if nobody tried."""
    if channel is None or outcome is None:
        return ""
    return f"{Attempt.Channel(channel).label}: {Attempt.Outcome(outcome).label.lower()}"


def _learnt(qualification: Qualification | None) -> Iterator[str]:
    """What sales found out of BANT: 'Budget yes: 40k approved'. What stayed unknown is left out."""
    for part in PARTS if qualification else ():
        answer = getattr(qualification, part)
        if answer != Qualification.Answer.UNKNOWN:
            evidence = getattr(qualification, f"{part}_evidence")
            yield f"{part.capitalize()} {answer}" + (f": {evidence}" if evidence else "")
