"""The tables of the exchange with Salesforce."""

from crm.models.exchanges import BulkJob, Drift, Exchange, Reconciliation
from crm.models.mappings import (
    AccountMatch,
    CampaignMatch,
    CampaignMembership,
    FieldMapping,
    OwnerMapping,
    QueueMapping,
    StatusMapping,
)
from crm.models.org import CallCount, Connection, Finding, ObjectDescription, PullCursor, PullFailure
from crm.models.standings import (
    AttemptSync,
    Conversion,
    Lane,
    LeadChange,
    LeadSync,
    LeadSyncQuerySet,
    TaskSync,
)

__all__ = [
    "AccountMatch",
    "AttemptSync",
    "BulkJob",
    "CallCount",
    "CampaignMatch",
    "CampaignMembership",
    "Connection",
    "Conversion",
    "Drift",
    "Exchange",
    "FieldMapping",
    "Finding",
    "Lane",
    "LeadChange",
    "LeadSync",
    "LeadSyncQuerySet",
    "ObjectDescription",
    "OwnerMapping",
    "PullCursor",
    "PullFailure",
    "QueueMapping",
    "Reconciliation",
    "StatusMapping",
    "TaskSync",
]
