"""The admin of the exchange with Salesforce: mappings to edit, standings to look at."""

from crm.admin import owners, records, statuses

__all__ = ["owners", "records", "statuses"]
