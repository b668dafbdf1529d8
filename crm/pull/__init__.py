"""Reads what people changed in Salesforce, and takes it over (CRM-3)."""

from crm.pull.polling import OVERLAP, PullResult, pull_changes

__all__ = ["OVERLAP", "PullResult", "pull_changes"]
