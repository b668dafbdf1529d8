"""Handing out what waits in the overflow queues, oldest first, as capacity frees (HAND-4).

Leads go in batches: one transaction locks the oldest ones, deals them in memory as if one by one, and writes
everything in a few statements. A batch of one is the same.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction

from accounts.models import User
from common.bulk import update_rows
from handoffs.models import Handoff, HandoffQuerySet, Pool
from handoffs.routing.assignment import facts_of, lock_pool, read_rules, team_of
from handoffs.routing.books import Offer, store_offers
from handoffs.routing.candidates import AccountOwners, read_histories
from handoffs.routing.dealing import Dealer
from handoffs.routing.routes import plan_within
from handoffs.telling import tell_new_owners
from leads.models import Lead, LeadEvent
from leads.services import assign_leads, log_events
from sla.handover import Handover, move_clocks_of_many

# While a batch is dealt, new leads of the pool wait for it: half a second or so.
BATCH = 500


def assign_all_overflow(*, now: datetime) -> int:
    """The sweep over all pools: capacity also frees by itself, when a week begins or an absence ends."""
    pools = Pool.objects.filter(pk__in=Handoff.objects.overflow().values("pool"))
    return sum(assign_overflow(pool, now=now) for pool in pools.order_by("pk"))


def assign_overflow(pool: Pool, *, now: datetime, batch: int = BATCH) -> int:
    """Hand waiting leads out, oldest first, while anybody has room; say how many (HAND-4).

    Any number may run at once: one that sees an older lead still waiting which it does not hold leaves it to
    whoever has it in hand, so no newer lead jumps the queue. A lead that nobody may take now does not hold
    up those behind it.
    """
    assigned = 0
    passed_over: set[int] = set()
    # A look without any lock, so that a full pool costs nobody anything.
    goes_on = Dealer(pool, now=now).anybody_has_room()
    while goes_on:
        dealt, goes_on = _assign_batch(pool.pk, passed_over, now=now, size=batch)
        assigned += dealt
    return assigned


@transaction.atomic(durable=True)
def _assign_batch(pool_id: int, passed_over: set[int], *, now: datetime, size: int) -> tuple[int, bool]:
    """Deal the oldest leads that were not passed over yet: how many, and whether there is more to deal."""
    leads = _lock_leads(_line(pool_id, passed_over)[:size])
    pool = lock_pool(pool_id)
    handoffs = _those_in_hand(pool, leads, passed_over, size=size)
    if not handoffs:
        return 0, False
    dealer = Dealer(pool, now=now)
    offers = _deal(dealer, handoffs, now=now)
    passed_over |= {handoff.pk for handoff in handoffs} - {offer.handoff.pk for offer in offers}
    if offers:
        _give(offers, pool, now=now)
    return len(offers), dealer.anybody_has_room()


def _line(pool_id: int, passed_over: Collection[int]) -> HandoffQuerySet:
    waiting = Handoff.objects.overflow().filter(pool=pool_id).exclude(pk__in=passed_over)
    return waiting.order_by("created_at", "id")


def _lock_leads(waiting: HandoffQuerySet) -> dict[int, Lead]:
    lead_ids = list(waiting.values_list("lead_id", flat=True))
    leads = Lead.objects.select_for_update(of=("self",), no_key=True).select_related("company", "team")
    return {lead.pk: lead for lead in leads.filter(pk__in=lead_ids).order_by("pk")}


def _those_in_hand(
    pool: Pool, leads: dict[int, Lead], passed_over: Collection[int], *, size: int
) -> list[Handoff]:
    """The line as it is under the locks, as far as we hold its leads: somebody may have taken one, or a
    manager put an older one back."""
    handoffs = []
    for handoff in _line(pool.pk, passed_over)[:size]:
        if handoff.lead_id not in leads:
            break
        handoff.lead, handoff.pool = leads[handoff.lead_id], pool
        handoffs.append(handoff)
    return handoffs


def _deal(dealer: Dealer, handoffs: Sequence[Handoff], *, now: datetime) -> list[Offer]:
    """Decide who gets which, in order; leads that nobody may take now are left out."""
    pool, leads = dealer.pool, [handoff.lead for handoff in handoffs]
    rules = read_rules()
    histories = read_histories(pool, leads, now=now)
    account_owners = AccountOwners(leads)
    offers = []
    for handoff in handoffs:
        lead = handoff.lead
        facts = facts_of(lead, category=handoff.category)
        plan = plan_within(facts, rules, pool_id=pool.pk, hops=handoff.hops)
        choice = dealer.choose(
            lead, plan, history=histories[lead.pk], account_owner_id=account_owners.of(lead)
        )
        if choice.user_id is None:
            if not dealer.anybody_has_room():
                break
            continue
        dealer.book(choice)
        handoff.owner_id, handoff.offered_at = choice.user_id, now
        account_owners.note(handoff, lead)
        offers.append(Offer(handoff, choice, plan.rule_name))
    return offers


def _give(offers: Sequence[Offer], pool: Pool, *, now: datetime) -> None:
    """Write what was dealt: decisions, owners, clocks, the log and the messages."""
    store_offers(offers, now=now)
    owners = User.objects.select_related("team").in_bulk({offer.handoff.owner_id for offer in offers})
    handovers = []
    for offer in offers:
        handoff = offer.handoff
        handoff.owner = owners[handoff.owner_id]
        handovers.append(Handover(handoff.lead_id, handoff.pk, handoff.owner, team_of(pool, handoff.owner)))
    update_rows(
        Handoff,
        [{"id": offer.handoff.pk, "owner_id": offer.choice.user_id, "offered_at": now} for offer in offers],
    )
    assign_leads({handover.lead_id: (handover.owner, handover.team) for handover in handovers})
    move_clocks_of_many(handovers, now=now)
    log_events(
        {
            offer.handoff.lead_id: {"owner_id": offer.choice.user_id, "why": offer.choice.strategy}
            for offer in offers
        },
        kind=LeadEvent.Kind.ASSIGNED,
        at=now,
        handoff_ids={offer.handoff.lead_id: offer.handoff.pk for offer in offers},
    )
    tell_new_owners([offer.handoff for offer in offers], now=now)
