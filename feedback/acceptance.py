"""Why a lead was accepted: acceptance is feedback too (FEED-3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts.models import User
from common.errors import InvalidInput
from feedback.models import AcceptanceReason
from handoffs.acting import NotAcceptedYet, allow_text, lock_handoff, require_worker
from handoffs.models import ContextPackage, Handoff
from handoffs.package.reading import read_content
from leads.models import LeadEvent
from leads.services import log_event

ACCEPTANCE_NOTE_LENGTH = 500
# As many as can be told apart at a glance; the strongest come first.
MOST_DRIVERS = 6


@transaction.atomic
def explain_acceptance(
    handoff: Handoff, *, drivers: Sequence[str] = (), note: str = "", by: User, now: datetime
) -> AcceptanceReason:
    """Keep which of the lead's drivers mattered to the rep, by the names of their rules, and words of their
    own.

    A later answer replaces the earlier one. The same answer changes nothing. Raises InvalidInput,
    NotAcceptedYet, NotAllowed.
    """
    note = allow_text(note, field="note", length=ACCEPTANCE_NOTE_LENGTH)
    offered = drivers_of(handoff)
    unknown = [name for name in drivers if name not in offered]
    if unknown:
        choice = ", ".join(offered) or "none"
        raise InvalidInput(f"That did not drive this lead. Choose from: {choice}.", field="drivers")
    if not drivers and not note:
        raise InvalidInput("Choose what mattered, or say it in your own words.", field="drivers")
    chosen = [name for name in offered if name in drivers]
    lead = lock_handoff(handoff)
    require_worker(handoff, by, now=now)
    if handoff.accepted_at is None:
        raise NotAcceptedYet()
    kept = AcceptanceReason.objects.filter(handoff=handoff).first()
    if kept and (kept.drivers, kept.note) == (chosen, note):
        return kept
    reason, _ = AcceptanceReason.objects.update_or_create(
        handoff=handoff, defaults={"drivers": chosen, "note": note, "by": by, "at": now}
    )
    log_event(lead, LeadEvent.Kind.ACCEPTANCE_EXPLAINED, at=now, by=by, handoff_id=handoff.pk, drivers=chosen)
    return reason


def drivers_of(handoff: Handoff) -> list[str]:
    """What drove the lead to sales, by the package the rep read, the strongest first; each name once."""
    package = ContextPackage.objects.filter(handoff=handoff).first()
    lines = read_content(package.content)["score"]["lines"] if package else []
    helpful = [line for line in lines if line["points"] > 0 or line["kind"] == "instant_mql"]
    helpful.sort(key=lambda line: line["points"], reverse=True)
    names = [line["name"] for line in helpful] or [driver["name"] for driver in handoff.drivers]
    return list(dict.fromkeys(names))[:MOST_DRIVERS]
