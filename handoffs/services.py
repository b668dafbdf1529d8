"""The verbs of an offer: hand off, open, accept, claim, withdraw, close.

What the rep does after accepting is in `contact` and `opportunities`; giving it to somebody else is in
`reassignment`. Every verb locks the lead first, then the pool, then the rest (ARCHITECTURE, lock order).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import User
from common.errors import DomainError
from common.queue import enqueue
from handoffs.acknowledgement.promising import promise_acknowledgement
from handoffs.acting import (
    HandoffAlreadyTaken,
    HandoffChanged,
    is_pool_member,
    lock_handoff,
    may_work,
    require_role,
    require_text,
    require_worker,
)
from handoffs.contact.promises import measure_return, promise_attempts
from handoffs.invitations.inviting import send_appointments, windows_of
from handoffs.models import Handoff
from handoffs.package.content import build_content, freeze_package, top_drivers
from handoffs.routing.assignment import choose_owner, find_route, lock_pool, managers_of, team_of
from handoffs.routing.books import count_claim, store_offer
from handoffs.routing.routes import RoutePlan
from handoffs.routing.turns import Choice, Strategy
from handoffs.telling import tell_catch_all, tell_new_owner, tell_overflow, tell_pool
from leads.models import Lead, LeadEvent
from leads.services import assign_lead, log_event, move_stage, release_lead
from scoring.lifecycle.release import note_handed_off
from scoring.models import LeadScore
from scoring.services import explain_score, score_lead
from sla.conditions import HandoffFacts
from sla.handover import move_clocks
from sla.models import Target
from sla.services import cancel_clocks, start_clocks, stop_clock

# How long one nudge is enough for all who get in line: then the sweep of every minute has come by.
NUDGE = timedelta(minutes=1)


class LeadAlreadyHandedOff(DomainError):
    """The lead is with sales already: one open handoff per lead (HAND-1)."""

    code = "already_handed_off"

    def __init__(self, handoff: Handoff) -> None:
        with_whom = str(handoff.owner) if handoff.owner else "the overflow queue"
        super().__init__(f"This lead is with sales already: {with_whom}.")
        self.handoff = handoff


class NoScoringModel(DomainError):
    """Without an active model a lead has neither score nor category to hand over."""

    code = "no_scoring_model"

    def __init__(self) -> None:
        super().__init__("No scoring model is active. Publish one, then hand the lead off.")


# --- Hand off -----------------------------------------------------------------------------------


@transaction.atomic
def hand_off(
    lead: Lead,
    score: LeadScore,
    *,
    trigger: Handoff.Trigger,
    now: datetime,
    by: User | None = None,
    note: str = "",
    hops: int = 0,
    route: RoutePlan | None = None,
) -> Handoff:
    """Pass a lead to sales, all or nothing: package, owner, clocks, log, messages (HAND-1).

    `hops` is how many reps have passed it on since marketing handed it over. A caller that had to lock pools
    beforehand gives the `route` it locked them for. The caller holds the lead's lock. Raises
    LeadAlreadyHandedOff and NoRouteForLead.
    """
    _require_no_open_handoff(lead)
    explanation = explain_score(lead, as_of=now)
    content = build_content(lead, score, explanation, now=now)
    route = route or find_route(lead, category=score.category, hops=hops)
    pool = lock_pool(route.pool_id)
    choice = choose_owner(pool, lead, route, now=now)
    handoff = Handoff.objects.create(
        lead=lead,
        pool=pool,
        owner_id=choice.user_id,
        trigger=trigger,
        trigger_note=note,
        score=score.total,
        category=score.category,
        warmth=score.warmth,
        drivers=top_drivers(explanation),
        # Passed from rep to rep is not returned: it never left sales. Nor is one that nobody ever had.
        is_returning=Handoff.objects.filter(lead=lead, slot_returned_at=None)
        .exclude(status=Handoff.Status.WITHDRAWN, owner=None)
        .exists(),
        created_at=now,
        offered_at=now if choice.user_id else None,
        hops=hops,
    )
    store_offer(handoff, choice, rule_name=route.rule_name, now=now)
    freeze_package(handoff, content, now=now)
    move_stage(lead, to=Lead.Stage.MQL, at=now, by=by, handoff_id=handoff.pk)
    log_event(
        lead,
        LeadEvent.Kind.HANDED_OFF,
        at=now,
        by=by,
        handoff_id=handoff.pk,
        trigger=trigger,
        score=score.total,
    )
    give_to_owner(handoff, lead, choice, now=now)
    facts = HandoffFacts(
        handoff_id=handoff.pk,
        category=score.category,
        warmth=score.warmth,
        source=lead.source,
        is_instant_mql=score.is_instant_mql,
        is_catch_all=route.is_catch_all,
        country=lead.country or (lead.company.country if lead.company else ""),
        industry=lead.company.industry if lead.company else "",
        employee_count=lead.company.employee_count if lead.company else None,
    )
    start_clocks(lead, facts, owner=handoff.owner, team=team_of(pool, handoff.owner), now=now)
    promise_acknowledgement(handoff, lead, now=now)
    note_handed_off(lead, now=now)
    # After the clocks are set: the messages say until when to act.
    _tell(handoff, choice, is_catch_all=route.is_catch_all, now=now)
    if choice.strategy == Strategy.IN_LINE and not _is_nudged(handoff, now=now):
        # Somebody has room: those before it are handed out, and then it is its turn.
        enqueue("handoffs.tasks.assign_overflow_soon", pool.pk)
    return handoff


def _is_nudged(handoff: Handoff, *, now: datetime) -> bool:
    """Whether another that still waits has just got in line, and asked for the line to be handed out."""
    in_line = Handoff.objects.overflow().filter(pool=handoff.pool_id, created_at__gt=now - NUDGE)
    return in_line.filter(routing_decisions__strategy=Strategy.IN_LINE).exclude(pk=handoff.pk).exists()


@transaction.atomic
def hand_off_by_hand(lead: Lead, *, by: User, reason: str, now: datetime) -> Handoff:
    """Marketing hands a lead off whatever its score, and says why (HAND-6). Releases a held lead.

    Raises InvalidInput(field="reason"), LeadAlreadyHandedOff, NoScoringModel.
    """
    require_role(by, User.Role.MARKETING, User.Role.MANAGER, act="hand a lead off by hand")
    note = require_text(reason, field="reason", ask="Say why this lead is handed off by hand.")
    lead = Lead.objects.lock(lead.pk)
    _require_no_open_handoff(lead)
    release_lead(lead, at=now)
    score = score_lead(lead, now=now)
    if score is None:
        raise NoScoringModel()
    return hand_off(lead, score, trigger=Handoff.Trigger.MANUAL, now=now, by=by, note=note)


def _require_no_open_handoff(lead: Lead) -> None:
    open_handoff = Handoff.objects.open().filter(lead=lead).select_related("owner").first()
    if open_handoff:
        raise LeadAlreadyHandedOff(open_handoff)


def give_to_owner(handoff: Handoff, lead: Lead, choice: Choice, *, now: datetime) -> None:
    """Make the chosen rep the lead's owner, or leave it to the overflow queue; log it."""
    pool = handoff.pool
    if handoff.owner is None:
        assign_lead(lead, owner=lead.owner, team=pool.team or lead.team)
        log_event(
            lead,
            LeadEvent.Kind.OVERFLOWED,
            at=now,
            handoff_id=handoff.pk,
            pool=pool.name,
            why=choice.strategy,
        )
    else:
        assign_lead(lead, owner=handoff.owner, team=team_of(pool, handoff.owner))
        log_event(
            lead,
            LeadEvent.Kind.ASSIGNED,
            at=now,
            handoff_id=handoff.pk,
            owner_id=handoff.owner_id,
            why=choice.strategy,
        )


def _tell(handoff: Handoff, choice: Choice, *, is_catch_all: bool, now: datetime) -> None:
    pool = handoff.pool
    if handoff.owner:
        tell_new_owner(handoff, now=now)
    elif choice.strategy != Strategy.IN_LINE:  # behind leads that are being handed out it lacks nobody
        tell_overflow(handoff, managers_of(pool), now=now)
    if is_catch_all:
        tell_catch_all(handoff, managers_of(pool), now=now)
    tell_pool(handoff, now=now)


# --- The decision -------------------------------------------------------------------------------


@transaction.atomic
def record_opened(handoff: Handoff, *, by: User, now: datetime) -> bool:
    """Note that the rep has seen the handoff (QUEUE-2); True the first time. Others change nothing."""
    if not _opening_counts(handoff, by):
        return False
    lead = lock_handoff(handoff)
    if not _opening_counts(handoff, by):
        return False
    handoff.opened_at, handoff.opened_by = now, by
    handoff.save(update_fields=["opened_at", "opened_by"])
    stop_clock(lead, handoff_id=handoff.pk, kind=Target.Kind.OPENED, at=now, by=by)
    log_event(lead, LeadEvent.Kind.OPENED, at=now, by=by, handoff_id=handoff.pk)
    return True


def _opening_counts(handoff: Handoff, by: User) -> bool:
    if handoff.opened_at is not None or not handoff.is_open:
        return False
    if handoff.owner_id is None:
        return by.role == User.Role.BDR and is_pool_member(handoff, by)
    return handoff.owner_id == by.pk


@transaction.atomic
def accept_handoff(handoff: Handoff, *, by: User, now: datetime) -> Handoff:
    """Sales accepts the lead: `by` works it from now on. One out of the overflow queue becomes theirs.

    Accepting again what one has accepted returns it unchanged. Raises HandoffAlreadyTaken naming who was
    quicker and when, NotAllowed.
    """
    seen_with = handoff.owner_id
    lead = lock_handoff(handoff)
    if handoff.is_open and handoff.accepted_by_id == by.pk and may_work(handoff, by):
        return handoff
    if handoff.status != Handoff.Status.OFFERED or handoff.owner_id not in (seen_with, by.pk):
        raise HandoffAlreadyTaken(handoff, now=now)
    if handoff.owner_id is None:
        _claim(handoff, lead, by=by, now=now)
    require_worker(handoff, by, now=now)
    take_up(handoff, lead, rep=by, by=by, now=now)
    return handoff


def take_up(
    handoff: Handoff, lead: Lead, *, rep: User, by: User | None, now: datetime, **detail: str
) -> None:
    """Make an offer the work of `rep`: status, clocks, promises, log with that `detail`, stage. `by` is None
    when they did it in Salesforce. The caller has locked both. Raises HandoffAlreadyTaken.
    """
    taken = Handoff.objects.offered().filter(pk=handoff.pk, owner=handoff.owner_id)
    if not taken.update(status=Handoff.Status.ACCEPTED, accepted_by=rep, accepted_at=now):
        handoff.refresh_from_db()
        raise HandoffAlreadyTaken(handoff, now=now)
    handoff.refresh_from_db()
    for kind in (Target.Kind.OPENED, Target.Kind.DECISION):
        stop_clock(lead, handoff_id=handoff.pk, kind=kind, at=now, by=by)
    promise_attempts(handoff, lead, now=now)
    log_event(lead, LeadEvent.Kind.ACCEPTED, at=now, by=by, handoff_id=handoff.pk, **detail)
    move_stage(lead, to=Lead.Stage.SAL, at=now, by=by, handoff_id=handoff.pk)


@transaction.atomic
def claim_handoff(handoff: Handoff, *, by: User, now: datetime) -> Handoff:
    """Take a handoff out of the overflow queue without accepting it yet (HAND-4).

    Exactly one of two people wins; the other gets HandoffAlreadyTaken. Claiming again what one has
    claimed returns it unchanged. Raises NotAllowed.
    """
    lead = lock_handoff(handoff)
    if handoff.is_open and handoff.owner_id == by.pk:
        return handoff
    if handoff.owner_id is not None or not handoff.is_open:
        raise HandoffAlreadyTaken(handoff, now=now)
    _claim(handoff, lead, by=by, now=now)
    return handoff


def _claim(handoff: Handoff, lead: Lead, *, by: User, now: datetime) -> None:
    require_worker(handoff, by, now=now)
    pool = lock_pool(handoff.pool_id)
    # That somebody else has opened it says nothing about its owner.
    has_seen_it = handoff.opened_by_id == by.pk
    unseen = {} if has_seen_it else {"opened_at": None, "opened_by": None}
    if not Handoff.objects.overflow().filter(pk=handoff.pk).update(owner=by, offered_at=now, **unseen):
        handoff.refresh_from_db()
        raise HandoffAlreadyTaken(handoff, now=now)
    handoff.refresh_from_db(fields=["owner", "offered_at", "opened_at", "opened_by"])
    count_claim(handoff, by=by, now=now)
    log_event(
        lead,
        LeadEvent.Kind.CLAIMED,
        at=now,
        by=by,
        handoff_id=handoff.pk,
        # Whose the lead was, for when it is given back.
        from_id=lead.owner_id,
        from_team_id=lead.team_id,
    )
    assign_lead(lead, owner=by, team=team_of(pool, by))
    move_clocks(lead, handoff_id=handoff.pk, owner=by, team=team_of(pool, by), now=now)
    if has_seen_it:
        stop_clock(lead, handoff_id=handoff.pk, kind=Target.Kind.OPENED, at=now, by=by)
    send_appointments(windows_of([handoff]), now=now)


# --- The end ------------------------------------------------------------------------------------


@transaction.atomic
def withdraw_handoff(handoff: Handoff, *, by: User, now: datetime, reason: str) -> Handoff:
    """Marketing takes back what nobody has accepted yet, and says why (HAND-6).

    The lead qualifies again only on new evidence. Withdrawing twice changes nothing the second time.
    Raises InvalidInput(field="reason"), HandoffChanged, NotAllowed.
    """
    require_role(by, User.Role.MARKETING, User.Role.MANAGER, act="withdraw a handoff")
    note = require_text(reason, field="reason", ask="Say why this handoff is withdrawn.")
    lead = lock_handoff(handoff)
    if handoff.status == Handoff.Status.WITHDRAWN and handoff.closed_by_id == by.pk:
        return handoff
    if handoff.status != Handoff.Status.OFFERED:
        raise HandoffChanged(handoff, now=now)
    close_handoff(handoff, lead, status=Handoff.Status.WITHDRAWN, by=by, now=now, note=note)
    log_event(lead, LeadEvent.Kind.WITHDRAWN, at=now, by=by, handoff_id=handoff.pk)
    move_stage(lead, to=Lead.Stage.NURTURE, at=now, by=by, handoff_id=handoff.pk)
    # Not a trip: sales did not return it. But the score that brought it here must not do so again.
    lead.recycled_at = now
    lead.save(update_fields=["recycled_at"])
    return handoff


@transaction.atomic
def close_handoff(
    handoff: Handoff,
    lead: Lead,
    *,
    status: Handoff.Status,
    rejection_code: str = "",
    note: str = "",
    by: User | None,
    now: datetime,
) -> None:
    """End a handoff: status, clocks, and the place it took. The caller has locked both and logs why.

    Raises HandoffChanged when it is closed already.
    """
    ended = Handoff.objects.open().filter(pk=handoff.pk)
    closing = {"status": status, "rejection_code": rejection_code, "closing_note": note}
    if not ended.update(closed_at=now, closed_by=by, **closing):
        handoff.refresh_from_db()
        raise HandoffChanged(handoff, now=now)
    handoff.refresh_from_db()
    if status == Handoff.Status.REJECTED:
        stop_clock(lead, handoff_id=handoff.pk, kind=Target.Kind.OPENED, at=now, by=by)
        stop_clock(lead, handoff_id=handoff.pk, kind=Target.Kind.DECISION, at=now, by=by)
        measure_return(handoff, lead, by=by, now=now)
    cancel_clocks(lead, handoff_id=handoff.pk, at=now)
    # Who had none of it in hand has no more room than before.
    if handoff.owner_id and Handoff.objects.overflow().filter(pool=handoff.pool_id).exists():
        enqueue("handoffs.tasks.assign_overflow_soon", handoff.pool_id)
