"""Giving a handoff to somebody else: by a manager, to the next in turn, or out of the overflow queue."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from accounts.models import User
from common.errors import InvalidInput
from handoffs.acting import HandoffChanged, lock_handoff, require_role, require_text
from handoffs.assignment import (
    gather_candidates,
    lock_pool,
    managers_of,
    move_slot,
    preferred_owners,
    store_decision,
    store_offer,
    team_of,
)
from handoffs.models import Handoff, Pool
from handoffs.routing import Choice, Considered, Strategy, choose
from handoffs.services import give_to_owner
from handoffs.telling import tell_new_owner, tell_old_owner, tell_overflow
from leads.models import Lead, LeadEvent
from leads.services import assign_lead, log_event
from sla.services import move_clocks


@transaction.atomic
def reassign_handoff(handoff: Handoff, *, to: User | None, by: User, now: datetime, reason: str) -> Handoff:
    """A manager gives an open handoff to somebody else, or (`to` is None) back to the overflow queue.

    What is accepted stays accepted, under the new name; clocks go on or start anew as the policy says.
    Giving it to its present owner changes nothing. Raises InvalidInput, HandoffChanged, NotAllowed.
    """
    require_role(by, User.Role.MANAGER, act="reassign a handoff")
    why = require_text(reason, field="reason", ask="Say why this handoff is reassigned.", length=200)
    if to is not None and (not to.is_active or to.role not in (User.Role.BDR, User.Role.MANAGER)):
        raise InvalidInput(f"{to} does not work handoffs. Choose a BDR or a manager.", field="to")
    lead = lock_handoff(handoff)
    if not handoff.is_open:
        raise HandoffChanged(handoff, now=now)
    if to is None and handoff.status != Handoff.Status.OFFERED:
        raise InvalidInput("It is accepted already: choose who goes on with it.", field="to")
    if handoff.owner_id == (to.pk if to else None):
        return handoff
    lock_pool(handoff.pool_id)
    considered = [Considered(to.pk, str(to), True, f"chosen by {by}: {why}")] if to else []
    store_decision(handoff, strategy=Strategy.REASSIGNED, considered=considered, now=now)
    _change_owner(handoff, lead, to=to, by=by, now=now)
    return handoff


def _change_owner(handoff: Handoff, lead: Lead, *, to: User | None, by: User, now: datetime) -> None:
    old_owner = handoff.owner
    move_slot(handoff, from_id=handoff.owner_id, to_id=to.pk if to else None, now=now)
    handoff.owner, handoff.offered_at = to, now if to else None
    # The next owner has not seen it; the log keeps that the last one had.
    handoff.opened_at = handoff.opened_by = None
    handoff.save(update_fields=["owner", "offered_at", "opened_at", "opened_by"])
    team = team_of(handoff.pool, to)
    assign_lead(lead, owner=to, team=team or lead.team)
    kind = LeadEvent.Kind.ASSIGNED if to else LeadEvent.Kind.OVERFLOWED
    log_event(
        lead,
        kind,
        at=now,
        by=by,
        handoff_id=handoff.pk,
        owner_id=to.pk if to else None,
        from_id=old_owner.pk if old_owner else None,
        why=Strategy.REASSIGNED,
    )
    move_clocks(lead, handoff_id=handoff.pk, owner=to, team=team, now=now)
    if to:
        tell_new_owner(handoff, now=now)
    else:
        tell_overflow(handoff, managers_of(handoff.pool), now=now)
    if old_owner and old_owner != by:
        tell_old_owner(handoff, old_owner, now=now)


# --- Out of the overflow queue ------------------------------------------------------------------


def assign_overflow(pool: Pool, *, now: datetime) -> int:
    """Hand waiting leads out, oldest first, while anybody has room; say how many (HAND-4).

    Each in a transaction of its own. Any number may run at once: one that sees an older lead still
    waiting leaves it to whoever has it in hand, so no newer lead jumps the queue.
    """
    assigned = 0
    passed_over: list[int] = []
    waiting = Handoff.objects.overflow().filter(pool=pool).order_by("created_at", "id")
    for handoff_id in list(waiting.values_list("pk", flat=True)):
        outcome = _assign_waiting(handoff_id, passed_over, now=now)
        if outcome is None:
            break
        assigned += outcome
        if not outcome:
            passed_over.append(handoff_id)
    return assigned


def assign_all_overflow(*, now: datetime) -> int:
    """The sweep over all pools: capacity also frees by itself, when a week begins or an absence ends."""
    pools = Pool.objects.filter(pk__in=Handoff.objects.overflow().values("pool"))
    return sum(assign_overflow(pool, now=now) for pool in pools.order_by("pk"))


@transaction.atomic(durable=True)
def _assign_waiting(handoff_id: int, passed_over: list[int], *, now: datetime) -> bool | None:
    """True: assigned. False: it cannot go to anybody now, the next may. None: stop here."""
    handoff = Handoff.objects.get(pk=handoff_id)
    lead = lock_handoff(handoff)
    if handoff.status != Handoff.Status.OFFERED or handoff.owner_id is not None:
        return False  # claimed, withdrawn or assigned meanwhile
    pool = lock_pool(handoff.pool_id)
    if _older_waits(handoff, passed_over):
        return None
    candidates = gather_candidates(pool, lead, now=now)
    if not any(candidate.has_capacity for candidate in candidates):
        return None
    choice = choose(candidates, preferences=preferred_owners(pool, lead))
    if choice.user_id is None:
        return False
    _offer_waiting(handoff, lead, choice, now=now)
    return True


def _older_waits(handoff: Handoff, passed_over: list[int]) -> bool:
    older = Q(created_at__lt=handoff.created_at) | Q(created_at=handoff.created_at, pk__lt=handoff.pk)
    waiting = Handoff.objects.overflow().filter(older, pool=handoff.pool_id)
    return waiting.exclude(pk__in=passed_over).exists()


def _offer_waiting(handoff: Handoff, lead: Lead, choice: Choice, *, now: datetime) -> None:
    handoff.owner_id, handoff.offered_at = choice.user_id, now
    handoff.save(update_fields=["owner", "offered_at"])
    store_offer(handoff, choice, rule_name="", now=now)
    team = team_of(handoff.pool, handoff.owner)
    move_clocks(lead, handoff_id=handoff.pk, owner=handoff.owner, team=team, now=now)
    give_to_owner(handoff, lead, choice, now=now)
