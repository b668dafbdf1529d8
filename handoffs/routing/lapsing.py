"""A lead that its owner let lapse goes to the next rep, by the rules for one that is passed on (SLA-5).

It stays the same handoff: what is accepted stays accepted, and its clocks go on or start anew as the policy
says. Nobody did it, so nobody is named as having done it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from accounts.models import User
from common.errors import DomainError
from handoffs.models import Handoff, Pool
from handoffs.routing.assignment import choose_owner, find_route, lock_pool, team_of
from handoffs.routing.books import store_offer, take_off_books
from handoffs.routing.reassignment import ANEW, begin_anew
from handoffs.routing.routes import RoutePlan
from handoffs.routing.turns import Choice
from leads.models import LeadEvent
from leads.services import Entry, assign_leads
from sla.handover import Handover, move_clocks_of_many


class StaysWithOwner(DomainError):
    """The lead cannot go to anybody else now. The message says why, in a sentence."""

    code = "stays_with_owner"


@dataclass(frozen=True)
class NextOwner:
    """Who gets a lapsed lead, by which rule; nobody: it goes to the overflow queue of the pool."""

    route: RoutePlan
    pool: Pool
    choice: Choice


def route_of_lapsed(handoff: Handoff) -> RoutePlan:
    """Where the rules send a lead that one more rep did not keep. Raises StaysWithOwner, NoRouteForLead.

    Only the first word with the lead is anybody's: once the owner has reached out, it is theirs.
    """
    if handoff.owner is None:
        raise StaysWithOwner("It is in the overflow queue already: anybody of the pool can take it.")
    untouched = handoff.status in (Handoff.Status.OFFERED, Handoff.Status.ACCEPTED)
    if not untouched or handoff.first_contact_at:
        raise StaysWithOwner(f"{handoff.owner} has been in touch with the lead, so it stays theirs.")
    return find_route(handoff.lead, category=handoff.category, hops=handoff.hops + 1)


def choose_next_owner(handoff: Handoff, route: RoutePlan, *, now: datetime) -> NextOwner:
    """Who gets it: the same choice as for a lead that is passed on. Raises StaysWithOwner.

    The caller holds the locks of the lead and of both pools, the handoff's and the route's.
    """
    pool = lock_pool(route.pool_id)
    choice = choose_owner(pool, handoff.lead, route, now=now, let_lapse_by=handoff.owner)
    if choice.user_id is None and handoff.status != Handoff.Status.OFFERED:
        raise StaysWithOwner("It is accepted, and nobody else can take it now.")
    return NextOwner(route, pool, choice)


def give_to_next(handoff: Handoff, found: NextOwner, *, now: datetime) -> None:
    """Do what the choice says: books, owner, clocks, log. The caller tells people and logs the lapse.

    The handoff in hand is changed as well; the lead in hand keeps the old revision.
    """
    old_owner, choice = handoff.owner, found.choice
    take_off_books(handoff)
    owner = User.objects.select_related("team").get(pk=choice.user_id) if choice.user_id else None
    begin_anew(handoff, owner=owner, now=now)
    handoff.pool, handoff.hops = found.pool, handoff.hops + 1
    handoff.save(update_fields=["pool", "hops", *ANEW])
    store_offer(handoff, choice, rule_name=found.route.rule_name, now=now)
    team = team_of(found.pool, owner)
    assigned = Entry(
        handoff.lead_id,
        LeadEvent.Kind.ASSIGNED if owner else LeadEvent.Kind.OVERFLOWED,
        {
            "owner_id": choice.user_id,
            "from_id": old_owner.pk if old_owner else None,
            "why": choice.strategy,
        },
        handoff.pk,
    )
    moved = move_clocks_of_many([Handover(handoff.lead_id, handoff.pk, owner, team)], now=now)
    assign_leads({handoff.lead_id: (owner, team or handoff.lead.team)}, [assigned, *moved], at=now)
