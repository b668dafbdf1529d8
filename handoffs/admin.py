"""Pools, routing, playbooks and the two standards in the admin. Handoffs are there to be read: their state
changes by verbs alone, so no screen here sets a status."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Model, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from common.inlines import LabelledFormSet
from handoffs.contact import PARTS
from handoffs.models import (
    Attempt,
    ContextPackage,
    Handoff,
    PackageStandard,
    Playbook,
    Pool,
    PoolMembership,
    QualificationGate,
    RoutingDecision,
    RoutingRule,
)
from handoffs.package import FACTS
from handoffs.pipeline import retry_parked_leads
from handoffs.playbooks import unknown_placeholders

KNOWN_PLACEHOLDERS = "{first_name}, {company}, {title}"


class LinesField(forms.CharField):
    """A list of texts, one on each line: the texts themselves may hold commas."""

    widget = forms.Textarea(attrs={"rows": 3, "cols": 80})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        lines = value.splitlines() if isinstance(value, str) else value or []
        return [line.strip() for line in lines if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        before, after = self.to_python(initial), self.to_python(data)
        return before != after


def lines(help_text: str) -> LinesField:
    return LinesField(required=False, help_text=f"{help_text} One per line.")


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """What verbs write and people read."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnlyInline(admin.TabularInline[Any, Any]):
    formset = LabelledFormSet
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


# --- Pools and routing --------------------------------------------------------------------------


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


# --- Playbooks and standards --------------------------------------------------------------------


class PlaybookForm(forms.ModelForm[Playbook]):
    signal_keys = lines("Keys of signals; any of them is enough. None: any lead.")
    categories = lines("A, B or C. None: any.")
    topics = lines("What to talk about.")
    objections = lines("“What they may say”: what to answer.")

    class Meta:
        model = Playbook
        fields = (
            "name", "position", "is_active", "signal_keys", "categories", "channel", "timing",
            "opening_line", "topics", "objections", "next_step",
        )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        for field in ("opening_line", "next_step", "topics", "objections"):
            value = cleaned.get(field) or ""
            unknown = unknown_placeholders(value if isinstance(value, str) else "\n".join(value))
            if unknown:
                words = ", ".join(unknown)
                self.add_error(field, f"Nothing fills in {words}. Use {KNOWN_PLACEHOLDERS}.")
        return cleaned


@admin.register(Playbook)
class PlaybookAdmin(admin.ModelAdmin[Playbook]):
    form = PlaybookForm
    list_display = ("name", "position", "channel", "timing", "is_active")
    list_editable = ("position", "is_active")


class OneRowAdmin(admin.ModelAdmin[Any]):
    """A standard there is one of: it can be changed, not multiplied nor removed."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not self.model._default_manager.exists()

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def _choices(names: tuple[str, ...]) -> forms.MultipleChoiceField:
    choices = [(name, name.replace("_", " ").capitalize()) for name in names]
    return forms.MultipleChoiceField(
        choices=choices, widget=forms.CheckboxSelectMultiple, required=False, label="Needs"
    )


class GateForm(forms.ModelForm[QualificationGate]):
    requires = _choices(PARTS)

    class Meta:
        model = QualificationGate
        fields = ("requires",)

    def clean_requires(self) -> list[str]:
        parts: list[str] = self.cleaned_data["requires"]
        if not parts:
            raise ValidationError("A gate that asks for nothing would make every lead an SQL.")
        return [part for part in PARTS if part in parts]


@admin.register(QualificationGate)
class QualificationGateAdmin(OneRowAdmin):
    form = GateForm


class PackageStandardForm(forms.ModelForm[PackageStandard]):
    requires = _choices(tuple(FACTS))

    class Meta:
        model = PackageStandard
        fields = ("requires",)


@admin.register(PackageStandard)
class PackageStandardAdmin(OneRowAdmin):
    form = PackageStandardForm


# --- Handoffs, to be read -----------------------------------------------------------------------


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
