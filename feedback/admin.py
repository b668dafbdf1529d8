"""Reasons in the admin; verdicts and recyclings are there to be read."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from feedback.models import Recycling, RejectionReason, Verdict
from handoffs.admin import ReadOnlyAdmin

# Treatments that bring the lead back by themselves need to know when.
DELAYED = (RejectionReason.Treatment.EDUCATE, RejectionReason.Treatment.NURTURE)


class ReasonForm(forms.ModelForm[RejectionReason]):
    class Meta:
        model = RejectionReason
        fields = (
            "code", "label", "position", "is_active", "type", "treatment", "consequence",
            "recycle_after_days", "requires_note", "requires_duplicate", "tells_marketing",
        )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        treatment = cleaned.get("treatment")
        if treatment in DELAYED and not cleaned.get("recycle_after_days"):
            self.add_error("recycle_after_days", "Say after how many days the lead is looked at again.")
        if treatment == RejectionReason.Treatment.LINK_DUPLICATE and not cleaned.get("requires_duplicate"):
            self.add_error("requires_duplicate", "Linking needs the other lead: tick this.")
        return cleaned


@admin.register(RejectionReason)
class RejectionReasonAdmin(admin.ModelAdmin[RejectionReason]):
    form = ReasonForm
    list_display = ("label", "code", "type", "treatment", "recycle_after_days", "position", "is_active")
    list_editable = ("position", "is_active")

    def get_readonly_fields(
        self, request: HttpRequest, obj: RejectionReason | None = None
    ) -> tuple[str, ...]:
        # Handoffs keep the code, and Salesforce maps it: a used one must not change its meaning.
        return ("code",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: RejectionReason | None = None) -> bool:
        return False  # switched off, never deleted: verdicts name it


@admin.register(Verdict)
class VerdictAdmin(ReadOnlyAdmin):
    list_display = ("handoff", "reason", "by", "at", "via")
    list_filter = ("reason", "via")
    list_select_related = ("handoff__lead", "reason", "by")
    show_full_result_count = False


@admin.register(Recycling)
class RecyclingAdmin(ReadOnlyAdmin):
    list_display = ("lead", "treatment", "started_at", "wake_at", "woken_at", "parked_at", "error")
    list_filter = ("treatment",)
    list_select_related = ("lead",)
    show_full_result_count = False
