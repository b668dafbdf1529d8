"""The one place that talks to Salesforce."""

from .bulk import FileIsFull, JobStatus, UnfitForCsv, writing_csv
from .connected import SalesforceClient, connected_client, is_set_by_environment, org_url, record_url
from .login import Credentials
from .reading import Deleted, LeadStatus, Updated
from .rows import KEEP_OWNER, ROWS_PER_CALL, RowResult
from .session import Session, Transport, Usage

__all__ = [
    "KEEP_OWNER",
    "ROWS_PER_CALL",
    "Credentials",
    "Deleted",
    "FileIsFull",
    "JobStatus",
    "LeadStatus",
    "RowResult",
    "SalesforceClient",
    "Session",
    "Transport",
    "UnfitForCsv",
    "Updated",
    "Usage",
    "connected_client",
    "is_set_by_environment",
    "org_url",
    "record_url",
    "writing_csv",
]
