"""The recycle contract: what a lead that came back from sales must show to become an MQL again (FEED-2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, Value
from django.db.models.functions import Least

from handoffs.models import Handoff, RecycleContract
from leads.models import Lead, LeadEvent
from scoring.evidence import has_signal_since, points_since, raised_hand_since
from scoring.models import LeadScore
from scoring.models.scores import ENTRY_STAGES


@dataclass(frozen=True)
class Standing:
    """Where a returned lead stands with the contract. `points` is what it did since, `enough` whether one of
    its signals was enough by itself."""

    returned_at: datetime
    points: int
    needed: int
    enough: bool
    free_at: datetime

    @property
    def has_evidence(self) -> bool:
        return self.enough or self.points >= self.needed

    def is_met(self, now: datetime) -> bool:
        return self.has_evidence and self.free_at <= now


def recycle_contract() -> RecycleContract:
    """The contract in force; the mildest one until somebody writes another."""
    return RecycleContract.objects.first() or RecycleContract()


def look_again_at_returned_leads(*, now: datetime) -> int:
    """Mark the leads that only the contract keeps from sales; say how many. To be called when it has changed.

    An eased contract may let them go at once; whom it still keeps is looked at in vain.
    """
    returned = Lead.objects.filter(
        Q(recycled_at__isnull=False) | Q(trips__gt=0), stage__in=ENTRY_STAGES, hold=Lead.Hold.NONE
    )
    qualified = LeadScore.objects.filter(qualifies=True)
    return returned.filter(pk__in=qualified.values("lead")).update(advance_at=Least("advance_at", Value(now)))


def may_become_mql_again(lead: Lead, *, now: datetime) -> bool:
    """Whether a lead may go to sales as far as earlier returns are concerned; one never returned may.

    One whose fit changed while it waited for just that has its evidence, and only the cool-off to wait for.
    """
    standing = standing_of(lead, now=now)
    if standing is not None:
        return standing.is_met(now)
    ends = cool_off_ends(lead, recycle_contract()) if lead.trips else None
    return ends is None or ends <= now


def standing_of(lead: Lead, *, now: datetime) -> Standing | None:
    """What the contract asks of the lead, and what it has shown; None if it asks for nothing."""
    since = lead.recycled_at
    if since is None:
        return None
    contract = recycle_contract()
    enough = has_signal_since(lead, contract.enough_signals, since=since) or raised_hand_since(
        lead, since=since
    )
    return Standing(
        returned_at=since,
        points=points_since(lead, since=since, now=now),
        needed=contract.min_points,
        enough=enough,
        free_at=since + timedelta(days=contract.cool_off_days),
    )


def cool_off_ends(lead: Lead, contract: RecycleContract) -> datetime | None:
    """When the cool-off after the last return is over; None for a lead never returned."""
    returned_at = lead.recycled_at or (_last_returned_at(lead) if lead.trips else None)
    return returned_at + timedelta(days=contract.cool_off_days) if returned_at else None


def _last_returned_at(lead: Lead) -> datetime | None:
    void = LeadEvent.objects.filter(lead=lead, kind=LeadEvent.Kind.RELEASED, handoff_id__isnull=False)
    returned = Handoff.objects.filter(lead=lead, status=Handoff.Status.REJECTED, slot_returned_at=None)
    returned = returned.exclude(pk__in=void.values("handoff_id"))
    return returned.order_by("-closed_at").values_list("closed_at", flat=True).first()
