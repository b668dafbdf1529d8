"""The books of the turns, backwards: as if an offer had never been made. The pools are locked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

from django.db.models import Case, DecimalField, F, Value, When

from handoffs.models import Handoff, PoolMembership, RoutingDecision


def take_offer_back(handoff: Handoff, decisions: Iterable[RoutingDecision]) -> None:
    """Take an offer to its present owner out of the books: the shares it gave, and the lead they received."""
    members = PoolMembership.objects.filter(pool=handoff.pool_id)
    gained: defaultdict[int, Fraction] = defaultdict(Fraction)
    for decision in decisions:
        for candidate in decision.candidates:
            gained[candidate["user_id"]] += Fraction(candidate.get("share", 0))
    lost = [
        When(user=user_id, then=Value(Decimal(share.numerator) / Decimal(share.denominator)))
        for user_id, share in gained.items()
        if share
    ]
    if lost:
        share = Case(*lost, default=Value(Decimal(0)), output_field=DecimalField())
        members.update(entitled=F("entitled") - share)
    if handoff.owner_id is not None:
        members.filter(user=handoff.owner_id).update(
            received=F("received") - 1, last_offered_at=_offered_before(handoff)
        )


def take_slot_again(handoff: Handoff) -> None:
    """The owner has not passed the lead on after all: it counts as received again."""
    handoff.slot_returned_at = None
    handoff.save(update_fields=["slot_returned_at"])
    owner = PoolMembership.objects.filter(pool=handoff.pool_id, user=handoff.owner_id)
    owner.update(received=F("received") + 1)


def _offered_before(handoff: Handoff) -> object:
    """When the owner was last offered something else of this pool."""
    others = Handoff.objects.filter(pool=handoff.pool_id, owner=handoff.owner_id).exclude(pk=handoff.pk)
    latest = others.filter(offered_at__isnull=False).order_by("-offered_at")
    return latest.values_list("offered_at", flat=True).first()
