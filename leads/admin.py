"""Leads in the admin: to look things up. What is known comes in by intake, and changes by the verbs."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from leads.models import Activity, AttributeChange, Company, Lead, LeadEvent, QuarantinedItem, WriteKey
from leads.write_keys import create_write_key, revoke_write_key


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """Shows rows that nobody edits by hand: the log, the history, facts from outside."""

    show_full_result_count = False  # counts the whole table for every page

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Lead)
class LeadAdmin(ReadOnlyAdmin):
    list_display = ("name", "email", "company", "stage", "owner", "source", "created_at")
    list_filter = ("stage", "hold")
    list_select_related = ("company", "owner")
    search_fields = ("email", "first_name", "last_name", "external_id")
    ordering = ("-created_at", "-id")


@admin.register(Company)
class CompanyAdmin(ReadOnlyAdmin):
    list_display = ("name", "domain", "employee_count", "industry", "country", "created_at")
    search_fields = ("name", "domain")
    ordering = ("name", "id")


@admin.register(Activity)
class ActivityAdmin(ReadOnlyAdmin):
    list_display = ("event", "lead", "occurred_at", "source")
    list_select_related = ("lead",)
    search_fields = ("=message_id", "=lead__email")
    ordering = ("-id",)


@admin.register(LeadEvent)
class LeadEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "kind", "lead", "by", "handoff_id")
    list_filter = ("kind",)
    list_select_related = ("lead", "by")
    search_fields = ("=lead__email", "=handoff_id")
    ordering = ("-id",)


@admin.register(AttributeChange)
class AttributeChangeAdmin(ReadOnlyAdmin):
    list_display = ("changed_at", "lead", "company", "field", "old_value", "new_value", "source", "by")
    list_select_related = ("lead", "company", "by")
    search_fields = ("=lead__email", "=company__domain")
    ordering = ("-id",)


@admin.register(QuarantinedItem)
class QuarantinedItemAdmin(ReadOnlyAdmin):
    list_display = ("received_at", "source", "kind", "field", "reason", "replayed_at", "dismissed_at")
    list_filter = ("source",)
    ordering = ("-received_at",)


@admin.register(WriteKey)
class WriteKeyAdmin(admin.ModelAdmin[WriteKey]):
    """Keys are made here, shown once, and revoked rather than deleted."""

    fields = ("name",)
    list_display = ("name", "prefix", "created_at", "last_used_at", "revoked_at")
    ordering = ("-created_at",)
    actions = ("revoke",)

    def has_change_permission(self, request: HttpRequest, obj: WriteKey | None = None) -> bool:
        # Without an object: may the list be acted upon. A key itself has nothing to edit.
        return obj is None and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: WriteKey | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: WriteKey, form: Any, change: bool) -> None:
        """The verb makes the row; the form's own object only lends its name."""
        key, secret = create_write_key(obj.name, now=timezone.now())
        obj.pk = key.pk
        messages.warning(request, f"The write key is {secret} – copy it now, it is shown only this once.")

    def log_addition(self, request: HttpRequest, obj: WriteKey, message: Any) -> Any:
        return super().log_addition(request, WriteKey.objects.get(pk=obj.pk), message)

    def response_add(self, request: HttpRequest, obj: WriteKey, post_url_continue: Any = None) -> Any:
        return HttpResponseRedirect(reverse("admin:leads_writekey_changelist"))

    @admin.action(description="Revoke the selected write keys", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[WriteKey]) -> None:
        for key in queryset:
            revoke_write_key(key, now=timezone.now())
        messages.success(request, "Revoked. Whatever still sends with them is refused from now on.")
