"""The books of the turns: who was offered what, whose share grew by how much, and why (HAND-3).

Every change is made under the lock of the pool's row. What the members of a pool are entitled to adds up to
what they received: a lead is booked on both sides or on neither. One that is passed on leaves both, so that
nobody gains or loses a turn by it; one that goes to somebody who is no member is not booked at all.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.db.models import BigIntegerField, Case, DecimalField, F, Field, Value, When
from django.db.models.expressions import Combinable

from accounts.models import User
from common.bulk import among, insert_rows
from handoffs.models import Handoff, PoolMembership, RoutingDecision
from handoffs.routing.turns import SHARE, Choice, Considered, Strategy


@dataclass(frozen=True)
class Offer:
    """What was decided about a handoff, by which rule."""

    handoff: Handoff
    choice: Choice
    rule_name: str


# --- Offers -------------------------------------------------------------------------------------


def store_offer(handoff: Handoff, choice: Choice, *, rule_name: str, now: datetime) -> None:
    """Keep the decision, and count the offer in the turns."""
    store_offers([Offer(handoff, choice, rule_name)], now=now)


def store_offers(offers: Sequence[Offer], *, now: datetime) -> None:
    """`store_offer` for many handoffs of one pool, in the order in which they were decided."""
    insert_rows(
        RoutingDecision,
        [
            _decision(
                offer.handoff,
                strategy=offer.choice.strategy,
                considered=offer.choice.considered,
                shares=offer.choice.shares,
                rule_name=offer.rule_name,
                now=now,
            )
            for offer in offers
        ],
    )
    entitled: Counter[int] = Counter()
    received: Counter[int] = Counter()
    for offer in offers:
        entitled.update(offer.choice.shares)
        if offer.choice.user_id is not None and offer.choice.shares:
            received[offer.choice.user_id] += 1
    if offers:
        _book(offers[0].handoff.pool_id, entitled=entitled, received=received, offered_at=now)


def store_decision(
    handoff: Handoff,
    *,
    strategy: Strategy,
    considered: Iterable[Considered],
    shares: Mapping[int, int] | None = None,
    rule_name: str = "",
    now: datetime,
) -> None:
    """Keep who was considered and why, for "why me" and "why not me".

    `shares` is what the turns are booked with for the lead from now on; None: what they were before.
    """
    decision = _decision(
        handoff, strategy=strategy, considered=considered, shares=shares, rule_name=rule_name, now=now
    )
    insert_rows(RoutingDecision, [decision])


def _decision(
    handoff: Handoff,
    *,
    strategy: Strategy,
    considered: Iterable[Considered],
    shares: Mapping[int, int] | None,
    rule_name: str,
    now: datetime,
) -> dict[str, object]:
    candidates = [
        {"user_id": one.user_id, "name": one.name, "chosen": one.chosen, "reason": one.reason}
        for one in considered
    ]
    return {
        "handoff_id": handoff.pk,
        "at": now,
        "rule_name": rule_name,
        "strategy": strategy.value,
        "chosen_id": next((one["user_id"] for one in candidates if one["chosen"]), None),
        "candidates": candidates,
        "shares": None
        if shares is None
        else {user_id: _in_words(share) for user_id, share in shares.items()},
    }


# --- Moves --------------------------------------------------------------------------------------


def count_claim(handoff: Handoff, *, by: User, now: datetime) -> None:
    """Count a lead somebody took from the overflow queue: one more received, and one more they were owed."""
    claimer = Considered(by.pk, str(by), True, "claimed it from the overflow queue")
    shares = _all_to(by, handoff.pool_id)
    store_decision(handoff, strategy=Strategy.CLAIMED, considered=[claimer], shares=shares, now=now)
    _book(handoff.pool_id, entitled=shares, received=dict.fromkeys(shares, 1), offered_at=now)


def give_slot_back(handoff: Handoff, *, now: datetime) -> None:
    """The owner passed the lead on: it no longer counts as received, nor as dealt to anybody."""
    handoff.slot_returned_at = now
    handoff.save(update_fields=["slot_returned_at"])
    take_off_books(handoff)


def take_slot_again(handoff: Handoff) -> None:
    """The inverse of give_slot_back: the owner has not passed the lead on after all."""
    handoff.slot_returned_at = None
    handoff.save(update_fields=["slot_returned_at"])
    _book_again(handoff, times=1)


def take_off_books(handoff: Handoff) -> None:
    """Take the lead out of what its owner received and out of what everybody was dealt with it."""
    _book_again(handoff, times=-1)


@dataclass(frozen=True)
class SlotMove:
    """A lead that is reassigned, under its old owner still; nobody: it goes to the overflow queue."""

    handoff: Handoff
    to: User | None
    considered: Sequence[Considered]


@dataclass(frozen=True)
class _Changes:
    """By how much the books of the members of a pool change, by their ids."""

    entitled: Counter[int] = field(default_factory=Counter)
    received: Counter[int] = field(default_factory=Counter)


def move_slots(moves: Sequence[SlotMove], *, now: datetime) -> None:
    """Count reassigned leads for their new owners instead of the old ones, and keep the decisions.

    From member to member the shares stay as they were dealt. A lead that leaves the members leaves the
    books, and one that comes to a member from elsewhere is theirs alone, like a claim.
    """
    standing = _standing_shares([move.handoff for move in moves])
    memberships = PoolMembership.objects.filter(user__in={move.to for move in moves if move.to})
    members = set(memberships.values_list("pool_id", "user_id"))
    lost: defaultdict[int, _Changes] = defaultdict(_Changes)
    gained: defaultdict[int, _Changes] = defaultdict(_Changes)
    decisions = []
    for move in moves:
        handoff, before = move.handoff, standing.get(move.handoff.pk, {})
        theirs = {move.to.pk: SHARE} if move.to and (handoff.pool_id, move.to.pk) in members else {}
        _rebook(move, before, theirs, lost=lost[handoff.pool_id], gained=gained[handoff.pool_id])
        decisions.append(
            _decision(
                handoff,
                strategy=Strategy.REASSIGNED,
                considered=move.considered,
                shares=None if before and theirs else theirs,
                rule_name="",
                now=now,
            )
        )
    for pool_id, books in lost.items():
        _book(pool_id, entitled=books.entitled, received=books.received)
    for pool_id, books in gained.items():
        _book(pool_id, entitled=books.entitled, received=books.received, offered_at=now)
    insert_rows(RoutingDecision, decisions)


def _rebook(
    move: SlotMove, before: Mapping[int, int], theirs: Mapping[int, int], *, lost: _Changes, gained: _Changes
) -> None:
    if before and move.handoff.owner_id is not None:
        lost.received[move.handoff.owner_id] -= 1
    if not (before and theirs):
        lost.entitled.subtract(before)
        gained.entitled.update(theirs)
    gained.received.update(theirs.keys())


def standing_shares(handoff: Handoff) -> dict[int, int]:
    """What the turns are booked with for this lead, in units of SHARE; nothing: it is not booked."""
    return _standing_shares([handoff]).get(handoff.pk, {})


def _standing_shares(handoffs: Sequence[Handoff]) -> dict[int, dict[int, int]]:
    owned = [handoff.pk for handoff in handoffs if handoff.owner_id is not None]
    latest = (
        RoutingDecision.objects.filter(handoff__in=among(owned), shares__isnull=False)
        .order_by("handoff_id", "-at", "-id")
        .distinct("handoff_id")
        .values_list("handoff_id", "shares")
    )
    return {
        handoff_id: {int(user_id): int(Decimal(share) * SHARE) for user_id, share in (shares or {}).items()}
        for handoff_id, shares in latest
    }


def _book_again(handoff: Handoff, *, times: int) -> None:
    shares = standing_shares(handoff)
    if shares and handoff.owner_id is not None:
        entitled = {user_id: times * share for user_id, share in shares.items()}
        _book(handoff.pool_id, entitled=entitled, received={handoff.owner_id: times})


def _all_to(user: User, pool_id: int) -> dict[int, int]:
    """The shares of a lead that is one member's alone; one who is no member has none."""
    is_member = PoolMembership.objects.filter(pool=pool_id, user=user).exists()
    return {user.pk: SHARE} if is_member else {}


# --- Rows ---------------------------------------------------------------------------------------


def _book(
    pool_id: int,
    *,
    entitled: Mapping[int, int] | None = None,
    received: Mapping[int, int] | None = None,
    offered_at: datetime | None = None,
) -> None:
    """Add to the books of these members in one statement; who is no member has none."""
    changes: dict[str, Combinable] = {}
    if entitled:
        gained = {user_id: _decimal(share) for user_id, share in entitled.items()}
        changes["entitled"] = F("entitled") + _by_user(gained, DecimalField())
    if received:
        changes["received"] = F("received") + _by_user(received, BigIntegerField())
        if offered_at is not None:
            offered = When(user__in=list(received), then=Value(offered_at))
            changes["last_offered_at"] = Case(offered, default=F("last_offered_at"))
    if changes:
        touched = {*(entitled or ()), *(received or ())}
        PoolMembership.objects.filter(pool=pool_id, user__in=touched).update(**changes)


def _by_user(amounts: Mapping[int, int] | Mapping[int, Decimal], column: Field[Any, Any]) -> Case:
    each = (When(user=user_id, then=Value(amount)) for user_id, amount in amounts.items())
    return Case(*each, default=Value(0), output_field=column)


@lru_cache(maxsize=1024)
def _in_words(share: int) -> str:
    """Without the zeros at the end. Cached, because a batch deals few different shares again and again."""
    return f"{_decimal(share).normalize():f}"


def _decimal(share: int) -> Decimal:
    """As the column keeps it: 20 places."""
    return Decimal(share).scaleb(-20)
