"""The recycle contract: what a lead that came back from sales must show to become an MQL again (FEED-2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import (
    Case,
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Least

from handoffs.models import Handoff, RecycleContract
from leads.models import Lead, LeadEvent, LeadQuerySet
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
    if not was_returned(lead):
        return True
    if cooling_off([lead.pk], recycle_contract(), now=now).exists():
        return False
    standing = standing_of(lead, now=now)
    return standing is None or standing.is_met(now)


def was_returned(lead: Lead) -> bool:
    return lead.trips > 0 or lead.recycled_at is not None


def look_after_cool_off(leads: Iterable[Lead], *, now: datetime) -> None:
    """A returned lead may have shown enough and wait for its cool-off alone: mark it to be looked at then."""
    returned = [lead.pk for lead in leads if was_returned(lead)]
    contract = recycle_contract() if returned else None
    if contract is None or not contract.cool_off_days:
        return
    waiting = cooling_off(returned, contract, now=now).filter(stage__in=ENTRY_STAGES, hold=Lead.Hold.NONE)
    waiting.update(advance_at=Least("advance_at", F("cool_off_ends")))


def cooling_off(lead_ids: Sequence[int], contract: RecycleContract, *, now: datetime) -> LeadQuerySet:
    """Those of the leads whose cool-off after the last return is not over, with `cool_off_ends`.

    One that came back because its fit changed is marked as returned no longer; its last rejection tells.
    """
    void = LeadEvent.objects.filter(kind=LeadEvent.Kind.RELEASED, handoff_id=OuterRef("pk"))
    returns = Handoff.objects.filter(
        ~Exists(void), lead=OuterRef("pk"), status=Handoff.Status.REJECTED, slot_returned_at=None
    )
    last_return = returns.order_by("-closed_at").values("closed_at")[:1]
    returned_at = Case(
        When(recycled_at__isnull=False, then=F("recycled_at")),
        When(trips__gt=0, then=Subquery(last_return)),
    )
    ends = ExpressionWrapper(
        returned_at + Value(timedelta(days=contract.cool_off_days)), output_field=DateTimeField()
    )
    return Lead.objects.filter(pk__in=lead_ids).annotate(cool_off_ends=ends).filter(cool_off_ends__gt=now)


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
