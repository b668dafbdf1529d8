"""The verb of feedback: sales returns a lead for a reason, and the reason has its consequence (FEED-1)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.models import User
from common.errors import InvalidInput
from feedback.consequences import follow_reason
from feedback.models import RejectionReason, Verdict
from feedback.readings import ask_to_read
from feedback.undo import standing_of
from handoffs.acting import HandoffChanged, allow_text, lock_handoff, require_worker
from handoffs.models import Handoff
from handoffs.services import close_handoff
from leads.models import Lead, LeadEvent
from leads.services import log_event

NOTE_LENGTH = 1000

# A deal that is under way is lost, not returned.
RETURNABLE = (
    Handoff.Status.OFFERED,
    Handoff.Status.ACCEPTED,
    Handoff.Status.CONTACTED,
    Handoff.Status.QUALIFIED,
)


class ReasonRequired(InvalidInput):
    """There is no rejection without a reason (QUEUE-2)."""

    code = "reason_required"

    def __init__(self) -> None:
        super().__init__("Choose a reason: a handoff cannot be rejected without one.", field="reason")


class NoteRequired(InvalidInput):
    """The reason asks for a note."""

    code = "note_required"

    def __init__(self, reason: RejectionReason) -> None:
        super().__init__(f"“{reason}” needs a note: say what you saw.", field="note")


class DuplicateRequired(InvalidInput):
    """The reason asks which other lead this one duplicates."""

    code = "duplicate_required"

    def __init__(self) -> None:
        super().__init__("Name the lead that this one duplicates.", field="duplicate_of")


class AttemptsRequired(InvalidInput):
    """The reason asks for more attempts to reach the lead than are logged."""

    code = "attempts_required"

    def __init__(self, reason: RejectionReason, *, made: int) -> None:
        needed = _attempts(reason.requires_attempts)
        super().__init__(
            f"“{reason}” needs {needed} to reach the lead first; logged: {made}.", field="reason"
        )


@transaction.atomic
def reject_handoff(
    handoff: Handoff,
    *,
    reason: RejectionReason | None,
    note: str = "",
    duplicate_of: Lead | None = None,
    by: User,
    via: Verdict.Via,
    now: datetime,
) -> Verdict:
    """Return a lead to marketing, all or nothing: verdict, closed handoff, and what the reason entails.

    Rejecting again in the same words what one has rejected returns the verdict unchanged. Raises
    ReasonRequired, NoteRequired, DuplicateRequired, AttemptsRequired, InvalidInput, HandoffChanged,
    NotAllowed.
    """
    reason = _require_reason(reason)
    note = allow_text(note, field="note", length=NOTE_LENGTH)
    if reason.requires_note and not note:
        raise NoteRequired(reason)
    duplicate_of = _require_duplicate(handoff, reason, duplicate_of)
    lead, duplicate_of = _lock_both(handoff, duplicate_of)
    if handoff.status not in RETURNABLE:
        same = Verdict.objects.standing().filter(
            handoff=handoff, by=by, reason=reason, note=note, duplicate_of=duplicate_of
        )
        if verdict := same.first():
            return verdict
        raise HandoffChanged(handoff, now=now)
    require_worker(handoff, by, now=now)
    _require_attempts(handoff, reason)
    before = standing_of(handoff, lead)
    close_handoff(handoff, lead, status=Handoff.Status.REJECTED, rejection_code=reason.code, by=by, now=now)
    verdict = Verdict.objects.create(
        handoff=handoff,
        lead=lead,
        reason=reason,
        note=note,
        duplicate_of=duplicate_of,
        by=by,
        at=now,
        via=via,
    )
    log_event(
        lead,
        LeadEvent.Kind.REJECTED,
        at=now,
        by=by,
        handoff_id=handoff.pk,
        reason=reason.code,
        label=reason.label,
        type=reason.type,
        via=via,
        before=before,
    )
    ask_to_read(verdict, now=now)
    follow_reason(verdict, lead, now=now)
    return verdict


def _require_reason(reason: RejectionReason | None) -> RejectionReason:
    if reason is None:
        raise ReasonRequired()
    if not reason.is_active:
        raise InvalidInput(f"“{reason}” is no longer used. Choose another reason.", field="reason")
    return reason


def _require_attempts(handoff: Handoff, reason: RejectionReason) -> None:
    made = handoff.attempts.count() if reason.requires_attempts else 0
    if made < reason.requires_attempts:
        raise AttemptsRequired(reason, made=made)


def _attempts(number: int) -> str:
    return "1 attempt" if number == 1 else f"{number} attempts"


def _require_duplicate(handoff: Handoff, reason: RejectionReason, duplicate_of: Lead | None) -> Lead | None:
    if not reason.requires_duplicate:
        return None
    if duplicate_of is None:
        raise DuplicateRequired()
    if duplicate_of.pk == handoff.lead_id:
        raise InvalidInput("A lead cannot duplicate itself. Name the other lead.", field="duplicate_of")
    return duplicate_of


def _lock_both(handoff: Handoff, other: Lead | None) -> tuple[Lead, Lead | None]:
    """Lock the lead, and the one it duplicates, in id order: two people may name each other's at once."""
    if other is None:
        return lock_handoff(handoff), None
    ids = (handoff.lead_id, other.pk)
    locked = Lead.objects.filter(pk__in=ids).select_for_update(of=("self",), no_key=True).order_by("pk")
    other = {lead.pk: lead for lead in locked}[other.pk]
    return lock_handoff(handoff), other
