"""Marketing contradicts a rejection, once; a manager settles it; both outcomes count (FEED-4)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.models import User
from common.errors import DomainError, InvalidInput
from feedback.models import Dispute, RejectionReason, Verdict
from feedback.policy import due_after, feedback_policy
from feedback.returning import give_back, handoff_given_back
from handoffs.acting import allow_text, require_role, require_text
from handoffs.models import Handoff
from handoffs.routing.assignment import managers_of
from handoffs.summary import name_with_company
from leads.models import Lead, LeadEvent
from leads.services import log_event
from notifications.models import Notification
from notifications.services import notify_users

COMMENT_LENGTH = 1000


class AlreadyDisputed(DomainError):
    """A rejection is disputed once. The message says by whom."""

    code = "already_disputed"

    def __init__(self, dispute: Dispute) -> None:
        super().__init__(f"{dispute.by} has disputed this rejection already; a rejection is disputed once.")
        self.dispute = dispute


class NothingToDispute(DomainError):
    """The rejection does not stand, or says nothing about the lead."""

    code = "nothing_to_dispute"


class DisputeSettled(DomainError):
    """It is settled, otherwise or in other words. The message says by whom and how."""

    code = "dispute_settled"

    def __init__(self, dispute: Dispute) -> None:
        outcome = dispute.get_outcome_display().lower()
        super().__init__(f"{dispute.settled_by} has settled this dispute: {outcome}.")
        self.dispute = dispute


@transaction.atomic
def dispute_verdict(verdict: Verdict, *, comment: str, by: User, now: datetime) -> Dispute:
    """Contradict a rejection, for a manager to settle within the policy's time.

    Doing it again with the same comment returns the dispute. Raises InvalidInput(field="comment"),
    NothingToDispute, AlreadyDisputed, NotAllowed.
    """
    require_role(by, User.Role.MARKETING, act="dispute a rejection")
    comment = require_text(comment, field="comment", ask="Say why this lead was good.", length=COMMENT_LENGTH)
    lead = Lead.objects.lock(verdict.lead_id)
    _require_disputable(verdict)
    made = Dispute.objects.filter(verdict=verdict).select_related("by").first()
    if made is not None:
        if (made.by_id, made.comment) == (by.pk, comment):
            return made
        raise AlreadyDisputed(made)
    dispute = Dispute.objects.create(
        verdict=verdict,
        comment=comment,
        by=by,
        at=now,
        due_at=due_after(feedback_policy().dispute_minutes, now=now),
    )
    log_event(
        lead,
        LeadEvent.Kind.DISPUTED,
        at=now,
        by=by,
        handoff_id=verdict.handoff_id,
        due_at=dispute.due_at.isoformat(),
    )
    _tell_managers(dispute, now=now)
    return dispute


def _require_disputable(verdict: Verdict) -> None:
    if not Verdict.objects.standing().filter(pk=verdict.pk).exists():
        raise NothingToDispute("This rejection was undone: there is nothing to dispute.")
    if verdict.reason.type == RejectionReason.Type.PROCEDURAL:
        raise NothingToDispute(
            "The lead was passed on to another rep, which says nothing about its quality: there is nothing "
            "to dispute."
        )


@transaction.atomic
def settle_dispute(
    dispute: Dispute, *, outcome: str, settlement: str = "", by: User, now: datetime
) -> Handoff | None:
    """Decide who was right. A lead that was good goes to sales again at once; that handoff is returned.

    None when the rejection stands, or when the lead is with sales already. Settling again in the same way and
    words changes nothing and returns the same. Raises InvalidInput, DisputeSettled, NoRouteForLead,
    NoScoringModel, NotAllowed.
    """
    require_role(by, User.Role.MANAGER, act="settle a dispute")
    if outcome not in Dispute.Outcome:
        raise InvalidInput("Choose whether the rejection stands or the lead was good.", field="outcome")
    settlement = allow_text(settlement, field="settlement", length=COMMENT_LENGTH)
    lead = Lead.objects.lock(dispute.verdict.lead_id)
    open_dispute = Dispute.objects.filter(pk=dispute.pk, outcome="")
    if not open_dispute.update(outcome=outcome, settlement=settlement, settled_by=by, settled_at=now):
        dispute.refresh_from_db()
        settled = (dispute.settled_by_id, dispute.outcome, dispute.settlement)
        if settled != (by.pk, outcome, settlement):
            raise DisputeSettled(dispute)
        return handoff_given_back(dispute.verdict, at=dispute.settled_at)
    dispute.refresh_from_db()
    handoff_id = dispute.verdict.handoff_id
    log_event(lead, LeadEvent.Kind.DISPUTE_SETTLED, at=now, by=by, handoff_id=handoff_id, outcome=outcome)
    _tell_both_sides(dispute, now=now)
    if outcome == Dispute.Outcome.UPHELD:
        return None
    return give_back(
        dispute.verdict, lead, by=by, note="The dispute was settled: the lead was good.", now=now
    )


# --- Telling ------------------------------------------------------------------------------------


def _tell_managers(dispute: Dispute, *, now: datetime) -> None:
    handoff = dispute.verdict.handoff
    notify_users(
        managers_of(handoff.pool),
        kind=Notification.Kind.DISPUTE,
        dedupe_key=f"dispute-{dispute.pk}",
        title=f"{dispute.by} disputes “{dispute.verdict.reason}” for {name_with_company(handoff)}",
        body=dispute.comment,
        url=handoff.get_absolute_url(),
        now=now,
    )


def _tell_both_sides(dispute: Dispute, *, now: datetime) -> None:
    handoff = dispute.verdict.handoff
    notify_users(
        {dispute.by, dispute.verdict.by},
        kind=Notification.Kind.DISPUTE,
        dedupe_key=f"dispute-{dispute.pk}-settled",
        title=f"{dispute.get_outcome_display()}: {name_with_company(handoff)}",
        body=dispute.settlement or f"{dispute.settled_by} settled the dispute.",
        url=handoff.get_absolute_url(),
        now=now,
    )
