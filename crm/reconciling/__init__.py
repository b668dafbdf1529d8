"""The comparison of both sides, record by record (CRM-9): what differs, why it may, and mending it."""

from crm.reconciling.runs import begin_comparison, begin_weekly_comparison, compare_next_page

__all__ = ["begin_comparison", "begin_weekly_comparison", "compare_next_page"]
