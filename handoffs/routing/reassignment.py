"""Giving one handoff to somebody else, by a manager. `overflow` hands out what waits."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.models import User
from common.errors import InvalidInput
from handoffs.acting import HandoffChanged, lock_handoff, require_role, require_text
from handoffs.models import Handoff
from handoffs.routing.assignment import lock_pool, managers_of, team_of
from handoffs.routing.books import move_slot
from handoffs.routing.turns import Considered, Strategy
from handoffs.telling import tell_new_owner, tell_old_owner, tell_overflow
from leads.models import Lead, LeadEvent
from leads.services import assign_lead, log_event
from sla.handover import move_clocks


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
    change_owner(handoff, lead, to=to, by=by, now=now, why=why)
    return handoff


def change_owner(
    handoff: Handoff, lead: Lead, *, to: User | None, by: User, now: datetime, why: str, tell: bool = True
) -> None:
    """Do what a reassignment entails: decision, turns, owner, log, clocks, messages (unless `tell` is False).

    The caller has checked that it may be, and holds the locks of the lead and of the pool.
    """
    considered = [Considered(to.pk, str(to), True, f"chosen by {by}: {why}")] if to else []
    move_slot(handoff, to=to, considered=considered, now=now)
    old_owner = handoff.owner
    handoff.owner, handoff.offered_at = to, now if to else None
    # The next owner has not seen it; the log keeps that the last one had.
    handoff.opened_at = handoff.opened_by = None
    # When to try next was the last one's plan.
    handoff.planned_contact_at, handoff.planned_channel, handoff.planned_note = None, "", ""
    handoff.save(
        update_fields=[
            "owner", "offered_at", "opened_at", "opened_by",
            "planned_contact_at", "planned_channel", "planned_note",
        ]
    )  # fmt: skip
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
    if tell:
        _tell(handoff, old_owner, by=by, now=now)


def _tell(handoff: Handoff, old_owner: User | None, *, by: User, now: datetime) -> None:
    if handoff.owner:
        tell_new_owner(handoff, now=now)
    else:
        tell_overflow(handoff, managers_of(handoff.pool), now=now)
    if old_owner and old_owner != by:
        tell_old_owner(handoff, old_owner, now=now)
