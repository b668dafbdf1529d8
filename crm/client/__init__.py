"""The one place that talks to Salesforce."""

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
    "LeadStatus",
    "RowResult",
    "SalesforceClient",
    "Session",
    "Transport",
    "Updated",
    "Usage",
    "connected_client",
    "is_set_by_environment",
    "org_url",
    "record_url",
]
