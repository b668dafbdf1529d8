"""Handing out what waits in the overflow queues, oldest first, as capacity frees (HAND-4).

Leads go in batches: one transaction locks the oldest ones, deals them in memory as if one by one, and writes
everything in a few statements. A batch of one is the same. Of a batch that fails the halves are tried, down
to the lead that is to blame: it keeps its place, and keeps back no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.db import transaction

from accounts.models import User
from common.bulk import among, update_rows
from handoffs.models import Handoff, HandoffQuerySet, Pool
from handoffs.routing.assignment import choose_for_waiting, lock_pool, read_rules, team_of
from handoffs.routing.books import Offer, store_offers
from handoffs.routing.dealing import Dealer
from handoffs.telling import tell_new_owners
from leads.models import Lead, LeadEvent
from leads.services import Entry, assign_leads
from sla.handover import Handover, move_clocks_of_many

log = structlog.get_logger(__name__)

# While a batch is dealt, new leads of the pool wait for it: a second or so. In batches half as large, a lead
# costs a tenth more.
BATCH = 1_000

# Of the forty columns of a lead and the thirty of a handoff: what the rules ask and the message says.
LOOKED_AT = (
    "first_name", "last_name", "title", "email", "phone", "external_id", "country", "source", "language",
    "product_line", "deal_size", "trips", "revision",
    "company__name", "company__country", "company__industry", "company__employee_count",
)  # fmt: skip
DEALT_BY = (
    "lead_id", "owner_id", "pool_id", "public_id", "status", "trigger", "trigger_note", "category", "warmth",
    "score", "drivers", "hops", "created_at", "first_contact_at",
)  # fmt: skip


@dataclass
class _Line:
    """What is still to be looked at in a pool's overflow queue by one who hands out, oldest first."""

    pool_id: int
    passed_over: set[int] = field(default_factory=set)
    """Nobody may take them now, or they failed."""
    only: Sequence[int] | None = None
    """The leads for people who are no members; None: whatever waits, for the members above all."""

    def handoffs(self) -> HandoffQuerySet:
        waiting = Handoff.objects.overflow().filter(pool=self.pool_id).exclude(pk__in=self.passed_over)
        if self.only is not None:
            waiting = waiting.filter(pk__in=self.only)
        return waiting.order_by("created_at", "id")


class _BatchFailed(Exception):
    """These handoffs could not be handed out together; nothing of it is written."""

    def __init__(self, handoffs: Sequence[Handoff]) -> None:
        super().__init__(f"{len(handoffs)} handoffs were not assigned")
        self.handoff_ids = [handoff.pk for handoff in handoffs]


# --- All of it ----------------------------------------------------------------------------------


def assign_all_overflow(*, now: datetime) -> int:
    """The sweep over all pools: capacity also frees by itself, when a week begins or an absence ends.

    A pool that fails is left to the next sweep and keeps back no other.
    """
    assigned = 0
    for pool in Pool.objects.filter(pk__in=Handoff.objects.overflow().values("pool")).order_by("pk"):
        try:
            assigned += assign_overflow(pool, now=now)
        except Exception as error:
            log.exception("overflow_not_assigned", pool_id=pool.pk, error=type(error).__name__)
    return assigned


def assign_overflow(pool: Pool, *, now: datetime, batch: int = BATCH) -> int:
    """Hand waiting leads out, oldest first, while anybody has room; say how many (HAND-4).

    Any number may run at once: one that sees an older lead still waiting which it does not hold leaves it to
    whoever has it in hand, so no newer lead jumps the queue. A lead that nobody may take now does not hold
    up those behind it; one for somebody outside the pool does not wait until a member has room.
    """
    assigned = 0
    # Looks without any lock, so that a full pool costs nobody anything.
    if Dealer(pool, now=now).anybody_has_room():
        assigned += _work_through(_Line(pool.pk), now=now, batch=batch)
    if others := _for_outsiders(pool, now=now):
        assigned += _work_through(_Line(pool.pk, only=others), now=now, batch=batch)
    return assigned


def _for_outsiders(pool: Pool, *, now: datetime) -> list[int]:
    """The handoffs that somebody who is no member of the pool would get now, such as a manager."""
    dealer = Dealer(pool, now=now)
    rules = [rule for rule in read_rules() if rule.pool.pool_id == pool.pk]
    waiting = _Line(pool.pk).handoffs().select_related("lead__company")
    if not dealer.outsider_has_room({rule.named_owner_id for rule in rules if rule.named_owner_id}):
        waiting = waiting.filter(lead__trips__gt=pool.returns_before_manager)
    return [
        handoff.pk
        for handoff, _, choice in choose_for_waiting(dealer, list(waiting), now=now)
        if choice.user_id is not None and not choice.shares
    ]


# --- A batch ------------------------------------------------------------------------------------


def _work_through(line: _Line, *, now: datetime, batch: int) -> int:
    assigned, goes_on = 0, True
    while goes_on:
        dealt, goes_on = _assign_some(line, now=now, size=batch)
        assigned += dealt
    return assigned


def _assign_some(line: _Line, *, now: datetime, size: int) -> tuple[int, bool]:
    """`_assign_batch`, or as much of it as does not fail: what fails alone is passed over this time."""
    try:
        return _assign_batch(line, now=now, size=size)
    except _BatchFailed as failure:
        suspects, error = failure.handoff_ids, type(failure.__cause__).__name__
        if len(suspects) == 1:
            log.exception("handoff_not_assigned", handoff_id=suspects[0], error=error)
            line.passed_over.update(suspects)
            return 0, True
        log.warning("batch_not_assigned", pool_id=line.pool_id, handoffs=len(suspects), error=error)
    assigned, goes_on = 0, True
    for _ in range(2):
        if goes_on:
            dealt, goes_on = _assign_some(line, now=now, size=(len(suspects) + 1) // 2)
            assigned += dealt
    return assigned, goes_on


@transaction.atomic(durable=True)
def _assign_batch(line: _Line, *, now: datetime, size: int) -> tuple[int, bool]:
    """Deal the oldest leads of the line: how many, and whether there is more to deal. Raises _BatchFailed."""
    leads = _lock_leads(line.handoffs()[:size])
    pool = lock_pool(line.pool_id)
    handoffs = _those_in_hand(line, pool, leads, size=size)
    if not handoffs:
        return 0, False
    dealer = Dealer(pool, now=now)
    try:
        offers = _deal(dealer, handoffs, to_members=line.only is None, now=now)
        if offers:
            _give(offers, pool, now=now)
    except Exception as error:
        raise _BatchFailed(handoffs) from error
    line.passed_over |= {handoff.pk for handoff in handoffs} - {offer.handoff.pk for offer in offers}
    return len(offers), line.only is not None or dealer.anybody_has_room()


def _lock_leads(waiting: HandoffQuerySet) -> dict[int, Lead]:
    lead_ids = list(waiting.values_list("lead_id", flat=True))
    leads = Lead.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=among(lead_ids))
    return {lead.pk: lead for lead in leads.select_related("company").only(*LOOKED_AT).order_by("pk")}


def _those_in_hand(line: _Line, pool: Pool, leads: dict[int, Lead], *, size: int) -> list[Handoff]:
    """The line as it is under the locks, as far as we hold its leads: somebody may have taken one, or a
    manager put an older one back."""
    handoffs = []
    for handoff in line.handoffs().only(*DEALT_BY)[:size]:
        if handoff.lead_id not in leads:
            break
        handoff.lead, handoff.pool = leads[handoff.lead_id], pool
        handoffs.append(handoff)
    return handoffs


def _deal(dealer: Dealer, handoffs: Sequence[Handoff], *, to_members: bool, now: datetime) -> list[Offer]:
    """Decide who gets which, in order; leads that nobody may take now are left out.

    Not `to_members`: only to others, and on when no member has room; members take their turns in the line.
    """
    offers = []
    for handoff, plan, choice in choose_for_waiting(dealer, handoffs, now=now):
        if choice.user_id is None or (choice.shares and not to_members):
            if to_members and not dealer.anybody_has_room():
                break
            continue
        dealer.book(choice)
        handoff.owner_id, handoff.offered_at = choice.user_id, now
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
    # That somebody has opened it in the overflow queue says nothing about its owner.
    unseen = {"opened_at": None, "opened_by_id": None}
    update_rows(
        Handoff,
        [
            {"id": offer.handoff.pk, "owner_id": offer.choice.user_id, "offered_at": now, **unseen}
            for offer in offers
        ],
    )
    entries = move_clocks_of_many(handovers, now=now)
    entries += [
        Entry(
            offer.handoff.lead_id,
            LeadEvent.Kind.ASSIGNED,
            {"owner_id": offer.choice.user_id, "why": offer.choice.strategy},
            offer.handoff.pk,
        )
        for offer in offers
    ]
    assign_leads(
        {handover.lead_id: (handover.owner, handover.team) for handover in handovers}, entries, at=now
    )
    tell_new_owners([offer.handoff for offer in offers], now=now)
