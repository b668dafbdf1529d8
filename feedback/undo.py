"""Taking a rejection back within seconds: the verdict is kept and no longer stands."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import User
from feedback.models import MarketingTask, Verdict, VerdictUndoing
from feedback.recycling import end_recycling
from feedback.tasks_for_marketing import drop_task
from handoffs.acting import HandoffChanged, lock_handoff
from handoffs.models import Handoff
from handoffs.routing.assignment import lock_pools
from handoffs.routing.books import take_slot_again
from handoffs.services import close_handoff
from handoffs.summary import name_with_company
from handoffs.taking_back import take_offer_back
from handoffs.undo import is_undone, latest_entry, log_undone, require_undoable, return_lead_to
from leads.models import Lead, LeadEvent
from leads.services import undo_return
from notifications.models import Notification
from notifications.services import notify_users, retract_messages
from sla.reopening import reopen_clocks

TAKEN_BACK = "Offered by mistake, and taken back within seconds."


@transaction.atomic
def undo_rejection(handoff: Handoff, *, by: User, now: datetime) -> Handoff:
    """Make a rejection void, with all that followed from it: the handoff stands as it did before, the lead is
    not held, an offer to the next rep that nobody has seen is withdrawn, tasks and messages are taken back.

    Undoing twice changes nothing the second time. Raises TooLateToUndo, ActedOnSince, HandoffChanged,
    NotAllowed.
    """
    lead = lock_handoff(handoff)
    entry = latest_entry(handoff, LeadEvent.Kind.REJECTED)
    if entry and is_undone(entry, by=by):
        return handoff
    if entry is None or handoff.status != Handoff.Status.REJECTED:
        raise HandoffChanged(handoff, now=now)
    require_undoable(entry, by=by, now=now)
    verdict = Verdict.objects.standing().select_related("reason").get(handoff=handoff)
    passed_on = Handoff.objects.open().filter(lead=lead).first()
    if passed_on and passed_on.created_at != entry.at:
        raise HandoffChanged(passed_on, now=now)
    lock_pools(handoff.pool_id, *([passed_on.pool_id] if passed_on else []))
    VerdictUndoing.objects.create(verdict=verdict, by=by, at=now)
    log_undone(lead, entry, by=by, now=now)
    messages = [
        f"verdict-{verdict.pk}",
        f"verdict-{verdict.pk}-duplicate",
        f"handoff-{handoff.pk}-{MarketingTask.Kind.FIX_DATA}-{verdict.at.isoformat()}",
    ]
    if passed_on:
        messages += _withdraw_offer(passed_on, lead, by=by, now=now)
    _reopen(handoff, entry.detail["before"], by=by, now=now)
    _restore_lead(lead, entry.detail["before"], handoff=handoff, by=by, now=now)
    reopen_clocks(lead, handoff_id=handoff.pk, stopped_at=entry.at, by=by, now=now)
    end_recycling(verdict, now=now)
    drop_task(verdict, now=now)
    _take_messages_back(verdict, messages, now=now)
    return handoff


def standing_of(handoff: Handoff, lead: Lead) -> dict[str, Any]:
    """How handoff and lead stand before a rejection: the entry of the log keeps it, for it to be undone."""
    return {
        "status": handoff.status,
        "stage": lead.stage,
        "trips": lead.trips,
        "recycled_at": lead.recycled_at.isoformat() if lead.recycled_at else None,
        "owner_id": lead.owner_id,
        "team_id": lead.team_id,
    }


def _withdraw_offer(passed_on: Handoff, lead: Lead, *, by: User, now: datetime) -> list[str]:
    """The next rep never had it: out of their queue, their turns and their memory. Returns the messages of
    it. That nobody has opened it is known from the log."""
    offered = latest_entry(passed_on, LeadEvent.Kind.HANDED_OFF)
    if offered is not None:
        log_undone(lead, offered, by=by, now=now)
    messages = [f"handoff-{passed_on.pk}-overflow-{passed_on.created_at.isoformat()}"]
    if passed_on.offered_at:
        messages.append(f"handoff-{passed_on.pk}-offered-{passed_on.offered_at.isoformat()}")
    take_offer_back(passed_on)
    close_handoff(passed_on, lead, status=Handoff.Status.WITHDRAWN, note=TAKEN_BACK, by=by, now=now)
    passed_on.owner, passed_on.offered_at = None, None
    passed_on.save(update_fields=["owner", "offered_at"])
    return messages


def _reopen(handoff: Handoff, before: dict[str, Any], *, by: User, now: datetime) -> None:
    rejected = Handoff.objects.filter(pk=handoff.pk, status=Handoff.Status.REJECTED, closed_by=by)
    if not rejected.update(
        status=before["status"], closed_at=None, closed_by=None, rejection_code="", closing_note=""
    ):
        handoff.refresh_from_db()
        raise HandoffChanged(handoff, now=now)
    handoff.refresh_from_db()
    if handoff.slot_returned_at:
        take_slot_again(handoff)


def _restore_lead(lead: Lead, before: dict[str, Any], *, handoff: Handoff, by: User, now: datetime) -> None:
    recycled_at = before["recycled_at"]
    return_lead_to(lead, owner_id=before["owner_id"], team_id=before["team_id"])
    undo_return(
        lead,
        stage=Lead.Stage(before["stage"]),
        trips=before["trips"],
        recycled_at=datetime.fromisoformat(recycled_at) if recycled_at else None,
        at=now,
        by=by,
        handoff_id=handoff.pk,
    )


def _take_messages_back(verdict: Verdict, messages: list[str], *, now: datetime) -> None:
    """Who has read one already is told; for the others it never came."""
    notify_users(
        retract_messages(messages),
        kind=Notification.Kind.REJECTION,
        dedupe_key=f"verdict-{verdict.pk}-undone",
        title=f"Not returned after all: {name_with_company(verdict.handoff)}",
        body=f"{verdict.by} took “{verdict.reason}” back within seconds.",
        url=verdict.handoff.get_absolute_url(),
        now=now,
    )
