"""What the workers do for leads."""

from __future__ import annotations

from django.utils import timezone

from leads.spread import spread_company_changes


def spread_company_changes_task() -> int:
    return spread_company_changes(now=timezone.now())
