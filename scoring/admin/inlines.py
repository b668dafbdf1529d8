"""The parts of a version in the admin: groups, rules, decay and categories, open while it is a draft."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from common.inlines import LabelledFormSet
from scoring.admin.forms import CategoryTierForm, DecayStepForm, RuleGroupForm
from scoring.admin.rule_forms import BehaviourRuleForm, FitRuleForm
from scoring.models import CategoryTier, DecayStep, ModelVersion, Rule, RuleGroup, Signal


def is_published(obj: ModelVersion | None) -> bool:
    return obj is not None and obj.status != ModelVersion.Status.DRAFT


class OpenWhileDraft:
    """Permissions of a part of a version: it can be edited as long as the version is a draft."""

    def has_add_permission(self, request: HttpRequest, obj: ModelVersion | None = None) -> bool:
        return not is_published(obj) and bool(super().has_add_permission(request, obj))  # type: ignore[misc]

    def has_change_permission(self, request: HttpRequest, obj: ModelVersion | None = None) -> bool:
        return not is_published(obj) and bool(super().has_change_permission(request, obj))  # type: ignore[misc]

    def has_delete_permission(self, request: HttpRequest, obj: ModelVersion | None = None) -> bool:
        return not is_published(obj) and bool(super().has_delete_permission(request, obj))  # type: ignore[misc]


class PartInline(OpenWhileDraft, admin.TabularInline[Any, ModelVersion]):
    """Short lines, as a table."""

    formset = LabelledFormSet
    extra = 0


class RuleGroupInline(PartInline):
    model = RuleGroup
    form = RuleGroupForm
    verbose_name = "group"
    verbose_name_plural = (
        "Groups: rules that together give no more than a cap. Save one, then choose it in rules"
    )


class DecayStepInline(PartInline):
    model = DecayStep
    form = DecayStepForm
    verbose_name_plural = "Decay: what is left of behaviour points without engagement"


class CategoryTierInline(PartInline):
    model = CategoryTier
    form = CategoryTierForm
    verbose_name = "line"
    verbose_name_plural = "Categories: the first line that holds decides, and C is for all others"


class RuleInline(OpenWhileDraft, admin.StackedInline[Rule, ModelVersion]):
    """Rules as a list of sentences, each of which opens to be edited."""

    model = Rule
    template = "admin/scoring/rule_inline.html"
    extra = 0

    def formfield_for_foreignkey(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> forms.ModelChoiceField[Any] | None:
        match = request.resolver_match
        version = match.kwargs.get("object_id") if match else None
        if db_field.name == "group":
            kwargs["queryset"] = RuleGroup.objects.filter(version=version)
        if db_field.name == "signal":
            # A copy of an older version may count a revision that is retired by now.
            counted = Rule.objects.filter(version=version).values("signal") if version else []
            kwargs["queryset"] = Signal.objects.filter(Q(retired_at=None) | Q(pk__in=counted))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> forms.Field | None:
        formfield = super().formfield_for_dbfield(db_field, request, **kwargs)
        if formfield and db_field.name == "signal":
            # A signal is deleted on its own page, not from a rule that counts it.
            formfield.widget.can_delete_related = False
        return formfield


class FitRuleInline(RuleInline):
    form = FitRuleForm
    fields = (
        ("name", "kind", "position"),
        ("attribute", "operator", "values", "low", "high"),
        ("points", "factor", "group"),
    )
    verbose_name = "fit rule"
    verbose_name_plural = "Who they are: rules on attributes"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Rule]:
        return super().get_queryset(request).filter(signal=None).select_related("group")


class BehaviourRuleInline(RuleInline):
    form = BehaviourRuleForm
    fields = (
        ("name", "kind", "position"),
        ("signal", "min_count", "max_count", "window_days"),
        ("points", "per_occurrence", "cap", "factor", "group"),
        ("decay", "decay_days", "decay_percent", "decay_floor_percent"),
    )
    verbose_name = "behaviour rule"
    verbose_name_plural = "What they do: rules on signals"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Rule]:
        return super().get_queryset(request).exclude(signal=None).select_related("signal", "group")
