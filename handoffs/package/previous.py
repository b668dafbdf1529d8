"""Earlier handoffs of a lead, as its next rep needs them: how each ended and what was learnt (HAND-7)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from handoffs.contact.gate import PARTS
from handoffs.models import Attempt, Handoff, Qualification
from leads.models import Lead, LeadEvent

Content = dict[str, Any]

# All that is read in two minutes beside the rest; the page of the lead has every one.
SHOWN = 5


def previous_handoffs(lead: Lead) -> list[Content]:
    """The last few handoffs, the latest first."""
    latest = Handoff.objects.filter(lead=lead).order_by("-created_at", "-id")
    handoffs = list(latest.select_related("owner", "qualification")[:SHOWN])
    attempts: defaultdict[int, list[Attempt]] = defaultdict(list)
    for attempt in Attempt.objects.filter(handoff__in=handoffs).order_by("at", "id"):
        attempts[attempt.handoff_id].append(attempt)
    reasons = _reasons(handoffs)
    return [_tell(handoff, attempts[handoff.pk], reasons.get(handoff.pk, "")) for handoff in handoffs]


def _reasons(handoffs: Iterable[Handoff]) -> dict[int | None, str]:
    """Why each rejected one came back, as the log has it: the name of the reason, and whether a manager said
    since that the lead was good."""
    rejected: dict[int | None, str] = {
        handoff.pk: handoff.rejection_code.replace("-", " ").capitalize()
        for handoff in handoffs
        if handoff.rejection_code
    }
    if not rejected:
        return {}
    told = LeadEvent.objects.filter(
        handoff_id__in=rejected, kind__in=(LeadEvent.Kind.REJECTED, LeadEvent.Kind.DISPUTE_SETTLED)
    )
    for event in told.order_by("at", "id"):
        if event.kind == LeadEvent.Kind.REJECTED:
            rejected[event.handoff_id] = event.detail.get("label") or rejected[event.handoff_id]
        elif event.detail.get("outcome") == "overturned":
            rejected[event.handoff_id] += ", overturned: the lead was good"
    return rejected


def _tell(handoff: Handoff, attempts: Sequence[Attempt], reason: str) -> Content:
    return {
        "handoff_id": handoff.pk,
        "at": handoff.created_at.isoformat(),
        "closed_at": handoff.closed_at.isoformat() if handoff.closed_at else None,
        "outcome": handoff.get_status_display(),
        "reason": reason or handoff.closing_note,
        # From rep to rep: it never left sales.
        "passed_on": handoff.slot_returned_at is not None,
        "owner": str(handoff.owner) if handoff.owner else "",
        "attempts": len(attempts),
        "last_attempt": _words(attempts[-1]) if attempts else "",
        "learnt": list(_learnt(getattr(handoff, "qualification", None))),
    }


def _words(attempt: Attempt) -> str:
    """'Call: voicemail'"""
    return f"{attempt.get_channel_display()}: {attempt.get_outcome_display().lower()}"


def _learnt(qualification: Qualification | None) -> Iterator[str]:
    """What sales found out of BANT: 'Budget yes: 40k approved'. What stayed unknown is left out."""
    for part in PARTS if qualification else ():
        answer = getattr(qualification, part)
        if answer != Qualification.Answer.UNKNOWN:
            evidence = getattr(qualification, f"{part}_evidence")
            yield f"{part.capitalize()} {answer}" + (f": {evidence}" if evidence else "")
