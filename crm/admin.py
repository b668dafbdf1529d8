"""Mappings to edit; standings to look at."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone

from crm.changes import send_again
from crm.models import LeadSync, OwnerMapping, StatusMapping
from crm.owners import map_owner


@admin.register(OwnerMapping)
class OwnerMappingAdmin(admin.ModelAdmin[OwnerMapping]):
    list_display = ("user", "salesforce_user_id")
    search_fields = ("user__last_name", "user__email", "salesforce_user_id")
    autocomplete_fields = ("user",)

    def save_model(
        self, request: HttpRequest, obj: OwnerMapping, form: ModelForm[OwnerMapping], change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        map_owner(obj.user, salesforce_user_id=obj.salesforce_user_id, now=timezone.now())


@admin.register(StatusMapping)
class StatusMappingAdmin(admin.ModelAdmin[StatusMapping]):
    list_display = ("stage", "status")

    def save_model(
        self, request: HttpRequest, obj: StatusMapping, form: ModelForm[StatusMapping], change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        send_again(LeadSync.objects.filter(lead__stage=obj.stage), now=timezone.now())


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
