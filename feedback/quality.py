"""After the first conversation, in ten seconds: was the lead what marketing said (FEED-3)?"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.models import User
from common.errors import DomainError, InvalidInput
from feedback.models import QualityCheck
from handoffs.acting import allow_text, lock_handoff, require_worker
from handoffs.models import Attempt, Handoff
from leads.models import LeadEvent
from leads.services import log_event
from sla.models import Target
from sla.services import stop_clock

QUESTIONS = {
    "really_qualified": "Really qualified?",
    "data_matched": "Did the data match?",
    "timing_right": "Was the timing right?",
}
BEST_CONVERSATION = 5
CHECK_NOTE_LENGTH = 500


class NoConversationYet(DomainError):
    """There is nothing to judge before somebody was reached."""

    code = "no_conversation_yet"

    def __init__(self) -> None:
        super().__init__("Log the conversation first: the check is about what it showed.")


@transaction.atomic
def record_quality_check(
    handoff: Handoff,
    *,
    really_qualified: str,
    data_matched: str,
    timing_right: str,
    conversation: int,
    note: str = "",
    by: User,
    now: datetime,
) -> QualityCheck:
    """Keep the rep's answers: "yes", "partly" or "no" to each question, and 1 to 5 for the conversation.

    A later check replaces the earlier one; the log keeps both. The same answers change nothing. Raises
    InvalidInput naming the question, NoConversationYet, NotAllowed.
    """
    answers = {
        "really_qualified": really_qualified,
        "data_matched": data_matched,
        "timing_right": timing_right,
    }
    for question, answer in answers.items():
        if answer not in QualityCheck.Answer:
            raise InvalidInput(f"{QUESTIONS[question]} Answer yes, partly or no.", field=question)
    if not 1 <= conversation <= BEST_CONVERSATION:
        raise InvalidInput(f"Rate the conversation from 1 to {BEST_CONVERSATION}.", field="conversation")
    note = allow_text(note, field="note", length=CHECK_NOTE_LENGTH)
    lead = lock_handoff(handoff)
    require_worker(handoff, by, now=now)
    if not had_conversation(handoff):
        raise NoConversationYet()
    given: dict[str, object] = {**answers, "conversation": conversation, "note": note}
    kept = QualityCheck.objects.filter(handoff=handoff).first()
    if kept and all(getattr(kept, name) == value for name, value in given.items()):
        return kept
    check, _ = QualityCheck.objects.update_or_create(handoff=handoff, defaults=given | {"by": by, "at": now})
    stop_clock(lead, handoff_id=handoff.pk, kind=Target.Kind.QUALITY_CHECK, at=now, by=by)
    log_event(
        lead,
        LeadEvent.Kind.QUALITY_CHECKED,
        at=now,
        by=by,
        handoff_id=handoff.pk,
        **answers,
        conversation=conversation,
    )
    return check


def had_conversation(handoff: Handoff) -> bool:
    """Whether somebody was reached."""
    return Attempt.objects.filter(handoff=handoff, outcome=Attempt.Outcome.CONNECTED).exists()
