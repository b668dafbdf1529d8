"""The admin of the exchange with Salesforce: mappings to edit, standings to look at."""

from crm.admin import mapping, owners, records, statuses

__all__ = ["mapping", "owners", "records", "statuses"]
