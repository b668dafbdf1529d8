"""Giving one handoff to somebody else: a manager does, or sales did in Salesforce. `overflow` hands out what
waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.models import User
from common.bulk import update_rows
from common.errors import InvalidInput
from handoffs.acting import HandoffChanged, lock_handoff, require_role, require_text
from handoffs.models import Handoff
from handoffs.routing.assignment import lock_pool, managers_of, team_of
from handoffs.routing.books import SlotMove, move_slots
from handoffs.routing.turns import Considered, Strategy
from handoffs.telling import tell_new_owner, tell_old_owner, tell_overflow
from leads.models import LeadEvent
from leads.services import Entry, assign_leads
from sla.handover import Handover, move_clocks_of_many


@transaction.atomic
def reassign_handoff(
    handoff: Handoff, *, to: User | None, by: User | None, now: datetime, reason: str
) -> Handoff:
    """A manager gives an open handoff to somebody else, or (`to` is None) back to the overflow queue. `by` is
    None when Salesforce reports it.

    What is accepted stays accepted, under the new name; clocks go on or start anew as the policy says.
    Giving it to its present owner changes nothing. Raises InvalidInput, HandoffChanged, NotAllowed.
    """
    if by is not None:
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
    handoff.lead, old_owner = lead, handoff.owner
    change_owners([Change(handoff, to)], by=by, now=now, why=why)
    lead.refresh_from_db(fields=["owner", "team", "revision"])
    _tell(handoff, old_owner, by=by, now=now)
    return handoff


@dataclass(frozen=True)
class Change:
    """A handoff, its lead and pool loaded, and who gets it; None: the overflow queue."""

    handoff: Handoff
    to: User | None


def change_owners(changes: Sequence[Change], *, by: User | None, now: datetime, why: str) -> None:
    """Do what reassignments entail in a few statements: decisions, turns, owners, log, clocks.

    The caller has checked that it may be, holds the locks of the leads and of the pools, and tells people.
    Lead objects in hand keep the old revision.
    """
    handovers, owners, reasons = [], {}, []
    for handoff, to in ((change.handoff, change.to) for change in changes):
        team = team_of(handoff.pool, to)
        handovers.append(Handover(handoff.lead_id, handoff.pk, to, team))
        owners[handoff.lead_id] = (to, team or handoff.lead.team)
        reasons.append(
            Entry(
                handoff.lead_id,
                LeadEvent.Kind.ASSIGNED if to else LeadEvent.Kind.OVERFLOWED,
                {
                    "owner_id": to.pk if to else None,
                    "from_id": handoff.owner_id,
                    "why": Strategy.REASSIGNED if by else Strategy.ELSEWHERE,
                },
                handoff.pk,
                by.pk if by else None,
            )
        )
    move_slots(
        [SlotMove(change.handoff, change.to, _consider(change.to, by, why)) for change in changes], now=now
    )
    for change in changes:
        begin_anew(change.handoff, owner=change.to, now=now)
    update_rows(
        Handoff,
        [
            {"id": change.handoff.pk} | {name: getattr(change.handoff, name) for name in ANEW}
            for change in changes
        ],
    )
    assign_leads(owners, [*reasons, *move_clocks_of_many(handovers, now=now)], at=now)


def _consider(to: User | None, by: User | None, why: str) -> list[Considered]:
    reason = f"chosen by {by}: {why}" if by else why
    return [Considered(to.pk, str(to), True, reason)] if to else []


ANEW = (
    "owner_id", "offered_at", "opened_at", "opened_by_id",
    "planned_contact_at", "planned_channel", "planned_note",
)  # fmt: skip


def begin_anew(handoff: Handoff, *, owner: User | None, now: datetime) -> None:
    """What a change of owner means to the handoff itself: the fields of ANEW, unsaved."""
    handoff.owner, handoff.offered_at = owner, now if owner else None
    # The next owner has not seen it; the log keeps that the last one had.
    handoff.opened_at = handoff.opened_by = None
    # When to try next was the last one's plan.
    handoff.planned_contact_at, handoff.planned_channel, handoff.planned_note = None, "", ""


def _tell(handoff: Handoff, old_owner: User | None, *, by: User | None, now: datetime) -> None:
    if handoff.owner:
        tell_new_owner(handoff, now=now)
    else:
        tell_overflow(handoff, managers_of(handoff.pool), now=now)
    if old_owner and old_owner != by:
        tell_old_owner(handoff, old_owner, now=now)
