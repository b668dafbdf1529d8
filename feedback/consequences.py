"""What becomes of a returned lead: each treatment has its consequence; nothing disappears (FEED-2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.urls import reverse

from accounts.models import User
from common.errors import DomainError
from feedback.models import Recycling, RejectionReason, Verdict
from feedback.tasks_for_marketing import open_fix_task
from handoffs.models import Handoff
from handoffs.routing.assignment import NoRouteForLead, find_route, lock_pools
from handoffs.routing.books import give_slot_back
from handoffs.services import hand_off
from handoffs.summary import name_with_company
from leads.models import Lead, LeadEvent
from leads.services import hold_lead, log_event, move_stage
from notifications.models import Notification
from notifications.services import notify_users
from scoring.services import score_lead

Treatment = RejectionReason.Treatment


class CannotReroute(DomainError):
    """The lead cannot be offered to another rep, so passing it on is refused: it stays with its owner."""

    code = "cannot_reroute"

    def __init__(self, why: str) -> None:
        super().__init__(f"This lead cannot be passed on to another rep now. {why}")


def follow_reason(verdict: Verdict, lead: Lead, *, now: datetime) -> None:
    """Do what the reason's treatment says. Called once per verdict, under the lead's lock."""
    _CONSEQUENCES[Treatment(verdict.reason.treatment)](verdict, lead, now)
    # A task tells marketing by itself.
    if verdict.reason.tells_marketing and verdict.reason.treatment != Treatment.FIX_DATA:
        _tell_marketing(verdict, now=now)


# --- The treatments -----------------------------------------------------------------------------


def _reroute(verdict: Verdict, lead: Lead, now: datetime) -> None:
    """Offer it to another rep at once: a procedural return says nothing about the lead."""
    if lead.stage == Lead.Stage.SQL:
        raise CannotReroute("It is qualified already; a manager can reassign it.")
    rejected = verdict.handoff
    score = score_lead(lead, now=now)
    if score is None:
        raise CannotReroute("No scoring model is active.")
    hops = rejected.hops + 1
    try:
        route = find_route(lead, category=score.category, hops=hops)
    except NoRouteForLead as error:
        raise CannotReroute(str(error)) from error
    # The turns of both pools change, so both are locked first, in the order everybody locks them.
    lock_pools(rejected.pool_id, route.pool_id)
    give_slot_back(rejected, now=now)
    hand_off(
        lead,
        score,
        trigger=Handoff.Trigger(rejected.trigger),
        now=now,
        by=verdict.by,
        note=f"Passed on: {verdict.reason}"[:500],
        hops=hops,
        # Found anew it could lead to a third pool, if the rules change meanwhile.
        route=route,
    )


def _recycle_until_due(verdict: Verdict, lead: Lead, now: datetime) -> None:
    """Back to nurture, and looked at again by itself after the reason's delay."""
    days = verdict.reason.recycle_after_days
    if days is None:
        _recycle(verdict, lead, Lead.Hold.UNTIL_ACTIVITY, now=now)
    else:
        _recycle(verdict, lead, Lead.Hold.UNTIL_DATE, wake_at=now + timedelta(days=days), now=now)


def _recycle_until_fit_changes(verdict: Verdict, lead: Lead, now: datetime) -> None:
    """Back to nurture until something new is known about who the lead is: about what the reason names."""
    _recycle(verdict, lead, Lead.Hold.UNTIL_FIT_CHANGES, awaited=verdict.reason.fit_fields, now=now)


def _fix_data(verdict: Verdict, lead: Lead, now: datetime) -> None:
    """Held until its data is right: marketing has a task, and closing it sends the lead back (FEED-1).

    No other news lets it go, or it would come back with what was wrong, past marketing's clock.
    """
    _recycle(verdict, lead, Lead.Hold.UNTIL_FIXED, now=now)
    open_fix_task(verdict, now=now)


def _recycle_until_activity(verdict: Verdict, lead: Lead, now: datetime) -> None:
    """Back to nurture until the lead shows up again."""
    _recycle(verdict, lead, Lead.Hold.UNTIL_ACTIVITY, now=now)


def _link_duplicate(verdict: Verdict, lead: Lead, now: datetime) -> None:
    """Out for good under this name; whoever has the other lead is told."""
    _disqualify(verdict, lead, now)
    other = verdict.duplicate_of
    if other is None:
        return
    notify_users(
        [other.owner] if other.owner else _marketing(),
        kind=Notification.Kind.REJECTION,
        dedupe_key=f"verdict-{verdict.pk}-duplicate",
        title=f"{other.name} was entered twice",
        body=f"{verdict.by} found that {name_with_company(verdict.handoff)} is the same person.",
        url=reverse("leads:detail", args=[other.pk]),
        now=now,
    )


def _disqualify(verdict: Verdict, lead: Lead, now: datetime) -> None:
    """Out for good. Marketing can still hand it off by hand, with a reason."""
    move_stage(lead, to=Lead.Stage.DISQUALIFIED, at=now, by=verdict.by, handoff_id=verdict.handoff_id)
    hold_lead(lead, hold=Lead.Hold.FOR_GOOD, until=None, at=now)


def _recycle(
    verdict: Verdict,
    lead: Lead,
    hold: Lead.Hold,
    *,
    wake_at: datetime | None = None,
    awaited: Sequence[str] = (),
    now: datetime,
) -> None:
    move_stage(lead, to=Lead.Stage.NURTURE, at=now, by=verdict.by, handoff_id=verdict.handoff_id)
    hold_lead(lead, hold=hold, until=wake_at, awaited=awaited, at=now)
    Recycling.objects.create(
        verdict=verdict, lead=lead, treatment=verdict.reason.treatment, started_at=now, wake_at=wake_at
    )
    log_event(
        lead,
        LeadEvent.Kind.RECYCLED,
        at=now,
        by=verdict.by,
        handoff_id=verdict.handoff_id,
        hold=hold,
        wake_at=wake_at.isoformat() if wake_at else None,
        # The missing part of BANT is in the reason: "no-budget" and the like (FEED-2).
        reason=verdict.reason.code,
        label=verdict.reason.label,
    )


_CONSEQUENCES: dict[Treatment, Callable[[Verdict, Lead, datetime], None]] = {
    Treatment.REROUTE: _reroute,
    Treatment.EDUCATE: _recycle_until_due,
    Treatment.NURTURE: _recycle_until_due,
    Treatment.BLOCK_UNTIL_FIT_CHANGES: _recycle_until_fit_changes,
    Treatment.FIX_DATA: _fix_data,
    Treatment.RE_ENGAGE: _recycle_until_activity,
    Treatment.LINK_DUPLICATE: _link_duplicate,
    Treatment.DISQUALIFY: _disqualify,
}


# --- Telling ------------------------------------------------------------------------------------


def _tell_marketing(verdict: Verdict, *, now: datetime) -> None:
    notify_users(
        _marketing(),
        kind=Notification.Kind.REJECTION,
        dedupe_key=f"verdict-{verdict.pk}",
        title=f"{verdict.reason}: {name_with_company(verdict.handoff)}",
        body=verdict.note or f"Returned by {verdict.by}. {verdict.reason.promise}",
        url=verdict.handoff.get_absolute_url(),
        now=now,
    )


def _marketing() -> list[User]:
    return list(User.objects.filter(role=User.Role.MARKETING, is_active=True))
