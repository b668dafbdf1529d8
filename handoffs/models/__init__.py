"""The tables of the handoffs, by subject."""

from handoffs.models.contact import Attempt, Cadence, CadenceStep, Opportunity, Qualification
from handoffs.models.handoffs import ContextPackage, Handoff, HandoffQuerySet, RoutingDecision
from handoffs.models.outreach import (
    Acknowledgement,
    AcknowledgementPolicy,
    AcknowledgementQuerySet,
    CalendarInvitation,
    CalendarInvitationQuerySet,
)
from handoffs.models.pools import Pool, PoolMembership, PoolQuerySet, RoutingRule
from handoffs.models.saved_views import SavedView
from handoffs.models.standards import PackageStandard, Playbook, QualificationGate, RecycleContract

__all__ = [
    "Acknowledgement",
    "AcknowledgementPolicy",
    "AcknowledgementQuerySet",
    "Attempt",
    "Cadence",
    "CadenceStep",
    "CalendarInvitation",
    "CalendarInvitationQuerySet",
    "ContextPackage",
    "Handoff",
    "HandoffQuerySet",
    "Opportunity",
    "PackageStandard",
    "Playbook",
    "Pool",
    "PoolMembership",
    "PoolQuerySet",
    "Qualification",
    "QualificationGate",
    "RecycleContract",
    "RoutingDecision",
    "RoutingRule",
    "SavedView",
]
