"""Pools and routing rules in the admin (HAND-3)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from common.inlines import LabelledFormSet
from handoffs.admin.fields import lines
from handoffs.models import Pool, PoolMembership, RoutingRule
from handoffs.pipeline import retry_parked_leads


class MembershipInline(admin.TabularInline[PoolMembership, Pool]):
    formset = LabelledFormSet
    model = PoolMembership
    extra = 0
    autocomplete_fields = ("user",)
    fields = (
        "user", "weight", "weekly_capacity", "max_open", "is_active", "received", "entitled",
        "last_offered_at",
    )  # fmt: skip
    # The books of the turns: whoever could write them could jump the queue.
    readonly_fields = ("received", "entitled", "last_offered_at")


@admin.register(Pool)
class PoolAdmin(admin.ModelAdmin[Pool]):
    list_display = ("name", "team", "active_members", "declined_for_days", "returns_to_same_rep")
    list_select_related = ("team",)
    inlines = (MembershipInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Pool]:
        active = Count("memberships", filter=Q(memberships__is_active=True))
        return super().get_queryset(request).annotate(active_members=active)

    @admin.display(description="active members", ordering="active_members")
    def active_members(self, pool: Pool) -> int:
        count: int = pool.active_members  # type: ignore[attr-defined]
        return count


class RoutingRuleForm(forms.ModelForm[RoutingRule]):
    countries = lines("Country of the lead, else of the company.")
    industries = lines("Industry of the company.")
    categories = lines("A, B or C.")
    sources = lines("Where the lead came from.")

    class Meta:
        model = RoutingRule
        fields = (
            "name", "position", "is_active", "countries", "industries", "categories", "sources",
            "employees_from", "employees_to", "pool",
        )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        low, high = cleaned.get("employees_from"), cleaned.get("employees_to")
        if low is not None and high is not None and low > high:
            self.add_error("employees_to", f"No company has at least {low} and at most {high} employees.")
        return cleaned


@admin.register(RoutingRule)
class RoutingRuleAdmin(admin.ModelAdmin[RoutingRule]):
    form = RoutingRuleForm
    list_display = ("name", "position", "conditions", "pool", "is_active")
    list_editable = ("position", "is_active")
    list_select_related = ("pool",)

    @admin.display(description="for")
    def conditions(self, rule: RoutingRule) -> str:
        """The conditions in words, and "any lead" for a rule without one."""
        named = [rule.countries, rule.industries, rule.categories, rule.sources]
        words = [" or ".join(values) for values in named if values]
        if rule.employees_from is not None or rule.employees_to is not None:
            words.append(f"{rule.employees_from or 0}–{rule.employees_to or '∞'} employees")
        return ", ".join(words) or "any lead"

    def save_model(self, request: HttpRequest, obj: RoutingRule, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        retried = retry_parked_leads(now=timezone.now())
        if retried:
            self.message_user(request, f"{retried} parked leads are tried again.", messages.INFO)
