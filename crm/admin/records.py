"""Where each lead stands, to look at."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from crm.models import LeadSync


@admin.register(LeadSync)
class LeadSyncAdmin(admin.ModelAdmin[LeadSync]):
    """Read only: what is written here belongs to the push and the pull. Retry from the Salesforce page."""

    list_display = ("lead", "salesforce_id", "pushed_revision", "pushed_at", "parked_at", "error_code")
    list_select_related = ("lead",)
    search_fields = ("salesforce_id", "lead__email", "lead__last_name")
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
