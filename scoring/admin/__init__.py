"""Scoring in the admin: marketing edits signals and drafts; what is published can only be read (SCORE-1)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import BaseModelFormSet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils import timezone
from django.utils.text import slugify

from accounts.roles import signed_in_user
from common.errors import DomainError
from common.inlines import LabelledFormSet
from scoring.admin.forms import ConditionForm, ModelVersionForm, SignalForm
from scoring.admin.inlines import (
    BehaviourRuleInline,
    CategoryTierInline,
    DecayStepInline,
    FitRuleInline,
    RuleGroupInline,
    is_published,
)
from scoring.admin.presets import preset_urls
from scoring.admin.signals import conditions_of, signal_urls
from scoring.admin.workbench import workbench_urls
from scoring.lifecycle.permissions import may_edit_scoring
from scoring.lifecycle.revising import revise_signal
from scoring.models import ModelVersion, ScoringPolicy, Signal, SignalCondition
from scoring.pages.versions import describe_version
from scoring.services import create_draft
from scoring.views.trying import empty_forms


@admin.register(ModelVersion)
class ModelVersionAdmin(admin.ModelAdmin[ModelVersion]):
    form = ModelVersionForm
    inlines = (RuleGroupInline, FitRuleInline, BehaviourRuleInline, DecayStepInline, CategoryTierInline)
    fieldsets = (
        (None, {"fields": ("name", "formula", "engagement_percent")}),
        ("What makes an MQL", {"fields": ("threshold", "icp_from", "signal_days", "decay_floor")}),
    )
    list_display = ("number", "name", "status", "published_at", "published_by", "note")
    list_display_links = ("number", "name")
    list_filter = ("status",)
    list_select_related = ("published_by",)
    actions = ("copy_to_draft",)
    view_on_site = False

    def get_inline_instances(self, request: HttpRequest, obj: ModelVersion | None = None) -> list[Any]:
        # A version is begun with its name and numbers; its rules come in the next step.
        return super().get_inline_instances(request, obj) if obj else []

    def get_urls(self) -> list[URLPattern]:
        return [*preset_urls(self), *workbench_urls(self), *super().get_urls()]

    def has_change_permission(self, request: HttpRequest, obj: ModelVersion | None = None) -> bool:
        return not is_published(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: ModelVersion | None = None) -> bool:
        return not is_published(obj) and super().has_delete_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        # The bulk delete would stumble over published versions; drafts are deleted one by one.
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions if may_edit_scoring(signed_in_user(request)) else {}

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context["may_edit"] = may_edit_scoring(signed_in_user(request))
        if context.get("original") and not is_published(context["original"]):
            context |= empty_forms()
            text = describe_version(ModelVersion.objects.with_rules().get(pk=context["original"].pk))
            context["problems"] = [*text.faults, *text.oddities]
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(
        self, request: HttpRequest, obj: ModelVersion, form: forms.ModelForm[ModelVersion], change: bool
    ) -> None:
        if not change:
            draft = create_draft(based_on=None, by=signed_in_user(request), now=timezone.now(), name=obj.name)
            obj.pk, obj.number, obj.created_at = draft.pk, draft.number, draft.created_at
            obj._state.adding = False
        obj.save(update_fields=list(ModelVersionForm.Meta.fields))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if change:
            self._tell_problems(request, form.instance)

    def _tell_problems(self, request: HttpRequest, version: ModelVersion) -> None:
        text = describe_version(ModelVersion.objects.with_rules().get(pk=version.pk))
        if text.refusal:
            messages.error(request, text.refusal)
        for sentence in text.faults:
            messages.error(request, sentence)
        for sentence in text.oddities:
            messages.warning(request, sentence)

    @admin.action(description="Copy to a new draft", permissions=["add"])
    def copy_to_draft(self, request: HttpRequest, versions: QuerySet[ModelVersion]) -> None:
        if versions.count() != 1:
            self.message_user(request, "Choose one version to copy.", messages.WARNING)
            return
        draft = create_draft(based_on=versions.get(), by=signed_in_user(request), now=timezone.now())
        self.message_user(request, f"{draft} is a new draft.", messages.SUCCESS)


class ConditionInline(admin.TabularInline[SignalCondition, Signal]):
    formset = LabelledFormSet
    model = SignalCondition
    form = ConditionForm
    extra = 0
    verbose_name_plural = "Conditions on properties of the event; all must hold, and case does not matter"


@admin.register(Signal)
class SignalAdmin(admin.ModelAdmin[Signal]):
    form = SignalForm
    inlines = (ConditionInline,)
    list_display = ("name", "intent", "is_engagement", "events", "conditions_in_words")
    list_filter = ("intent",)
    search_fields = ("name",)

    def get_urls(self) -> list[URLPattern]:
        return [*signal_urls(self), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Signal]:
        return super().get_queryset(request).filter(retired_at=None).prefetch_related("conditions")

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """A refused change is told alone: the admin must neither log it nor call it a success."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except DomainError as refusal:
            messages.error(request, str(refusal))
            return redirect(request.get_full_path())

    @admin.display(description="Events")
    def events(self, signal: Signal) -> str:
        return ", ".join(signal.event_names)

    @admin.display(description="Where")
    def conditions_in_words(self, signal: Signal) -> str:
        return "; ".join(map(str, signal.conditions.all())) or "—"

    def save_model(
        self, request: HttpRequest, obj: Signal, form: forms.ModelForm[Signal], change: bool
    ) -> None:
        if change:
            return  # together with its conditions, in save_related
        obj.key = _free_key(obj.name)
        obj.created_at = timezone.now()
        obj.save()

    def save_related(
        self,
        request: HttpRequest,
        form: forms.ModelForm[Signal],
        formsets: list[BaseModelFormSet[Any, Any]],
        change: bool,
    ) -> None:
        if not change:
            super().save_related(request, form, formsets, change)
            return
        changed = form.has_changed() or any(formset.has_changed() for formset in formsets)
        for formset in formsets:
            formset.save(commit=False)  # sets what the admin's log tells of them
        if not changed:
            return
        number = form.instance.pk
        signal = revise_signal(
            form.instance,
            conditions=conditions_of(formsets),
            by=signed_in_user(request),
            now=timezone.now(),
        )
        if signal.pk != number:
            messages.info(
                request,
                f"“{signal}” is counted by a published version, so this is its revision {signal.revision}. "
                "Drafts count it; the active version keeps the old definition until a draft is published.",
            )


@admin.register(ScoringPolicy)
class ScoringPolicyAdmin(admin.ModelAdmin[ScoringPolicy]):
    """There is one; a manager keeps it, and can neither multiply nor remove it."""

    fields = ("needs_second_person", "min_outcomes", "min_training_outcomes")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not ScoringPolicy.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: ScoringPolicy | None = None) -> bool:
        return False


def _free_key(name: str) -> str:
    """A key that no signal has: its name in small letters, numbered if need be."""
    stem = slugify(name)[:50]
    taken = set(Signal.objects.filter(key__startswith=stem).values_list("key", flat=True))
    numbered = (f"{stem}-{number}" for number in range(2, len(taken) + 3))
    return next(key for key in (stem, *numbered) if key not in taken)
