"""An offer that was taken back: in the books of the turns it was never made. The pool is locked."""

from __future__ import annotations

from datetime import datetime

from handoffs.models import Handoff, PoolMembership
from handoffs.routing.books import take_off_books


def take_offer_back(handoff: Handoff) -> None:
    """Take an offer to its present owner out of the turns: the shares it gave, and the lead they received."""
    take_off_books(handoff)
    if handoff.owner_id is None:
        return
    owner = PoolMembership.objects.filter(pool=handoff.pool_id, user=handoff.owner_id)
    owner.update(last_offered_at=_offered_before(handoff))


def _offered_before(handoff: Handoff) -> datetime | None:
    """When the owner was last offered something else of this pool."""
    others = Handoff.objects.filter(pool=handoff.pool_id, owner=handoff.owner_id).exclude(pk=handoff.pk)
    latest = others.filter(offered_at__isnull=False).order_by("-offered_at")
    return latest.values_list("offered_at", flat=True).first()
