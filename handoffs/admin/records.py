"""Handoffs, to be read: their state changes by verbs alone, so no screen here sets a status."""

from __future__ import annotations

from django.contrib import admin

from handoffs.admin.bases import ReadOnlyAdmin, ReadOnlyInline
from handoffs.models import Attempt, ContextPackage, Handoff, RoutingDecision


class PackageInline(ReadOnlyInline):
    model = ContextPackage


class DecisionInline(ReadOnlyInline):
    model = RoutingDecision


class AttemptInline(ReadOnlyInline):
    model = Attempt


@admin.register(Handoff)
class HandoffAdmin(ReadOnlyAdmin):
    list_display = ("id", "lead", "status", "owner", "pool", "category", "score", "created_at")
    list_filter = ("status", "pool", "category", "trigger")
    list_select_related = ("lead", "owner", "pool")
    search_fields = ("lead__email", "lead__last_name")
    # A count of all rows behind a filter would cost more than the page.
    show_full_result_count = False
    inlines = (PackageInline, DecisionInline, AttemptInline)
