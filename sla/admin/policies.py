"""Policies in the admin: targets and steps in one form, each change a version, and what it changed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import BooleanField, Field
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.roles import signed_in_user
from common.inlines import LabelledFormSet
from sla.models import Calendar, EscalationStep, Policy, Target
from sla.policies import find_hidden
from sla.policy_history import Edition, history_of
from sla.versions import conditions_of, keep_version
from sla.wording import conditions_in_words, promise_in_words


class TargetFormSet(LabelledFormSet):
    def clean(self) -> None:
        """Refuse promises in working time that no calendar could measure."""
        super().clean()
        modes = {form.cleaned_data.get("mode") for form in self.forms if form.is_valid()}
        measured = Calendar.objects.filter(is_default=True, intervals__isnull=False).exists()
        if modes - {None, Target.Mode.WALL} and not measured:
            raise ValidationError(
                "There is no default calendar with working hours to count by. Add one, "
                "or promise “around the clock”."
            )


class TargetInline(admin.StackedInline[Target, Policy]):
    """Stacked: side by side its fields would be wider than a screen."""

    model = Target
    formset = TargetFormSet
    extra = 0
    fields = (
        ("kind", "mode", "minutes"),
        ("after_hours_minutes", "attempts", "max_pause_minutes"),
        ("warn_percent", "restarts_on_reassignment"),
    )
    verbose_name_plural = "Targets: what must have happened, and by when"


class StepForm(forms.ModelForm[EscalationStep]):
    kinds = forms.MultipleChoiceField(
        choices=Target.Kind.choices,
        required=False,
        help_text=EscalationStep._meta.get_field("kinds").help_text,
    )

    class Meta:
        model = EscalationStep
        fields = ("action", "after_minutes", "kinds", "waits_for_receiver", "lapses")


class StepInline(admin.TabularInline[EscalationStep, Policy]):
    model = EscalationStep
    form = StepForm
    formset = LabelledFormSet
    extra = 0
    verbose_name_plural = "Escalation: what follows a missed target, in order of time"


class AnyOrOnly(forms.NullBooleanSelect):
    """A condition that may be left open: Django's own choices, “Unknown, Yes, No”, read as a fact."""

    def __init__(self) -> None:
        super().__init__()
        self.choices = [("unknown", "Any"), ("true", "Only these"), ("false", "All but these")]


@admin.register(Policy)
class PolicyAdmin(admin.ModelAdmin[Policy]):
    list_display = ("name", "position", "applies_to", "promises", "version", "is_active")
    list_filter = ("is_active",)
    inlines = (TargetInline, StepInline)
    readonly_fields = ("history",)
    fieldsets = (
        (
            None,
            {
                "fields": ("name", "is_active", "reviews_breaches"),
                "description": "A policy that has been used is switched off, not deleted: handoffs refer to "
                "what it said.",
            },
        ),
        (
            "Applies to",
            {
                "fields": (
                    "position", "category", "warmth", "source", "countries", "industries", "min_employees",
                    "max_employees", "is_instant_mql", "is_catch_all",
                ),
                "description": "Policies are tried by position; the first that matches applies. "
                "Separate several countries or industries by commas. "
                "Clocks that run keep what they were started with.",
            },
        ),
        ("Versions", {"fields": ("history",), "classes": ("collapse",)}),
    )  # fmt: skip

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        if isinstance(db_field, BooleanField) and db_field.null:
            kwargs["widget"] = AnyOrOnly
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description="applies to")
    def applies_to(self, policy: Policy) -> str:
        return conditions_in_words(conditions_of(policy))

    @admin.display(description="promises")
    def promises(self, policy: Policy) -> str:
        return "; ".join(
            f"{target.get_kind_display()}: {promise_in_words(target)}" for target in policy.targets.all()
        )

    @admin.display(description="what it said, newest first")
    def history(self, policy: Policy) -> SafeString | str:
        editions = history_of(list(policy.versions.select_related("by"))) if policy.pk else []
        if not editions:
            return "Saving makes the first version."
        listed = format_html_join("", "<li>{}{}</li>", map(_edition, editions))
        link = format_html(
            '<a href="{}">Apply the terms in force to open clocks…</a>',
            reverse("sla:reapply", args=[policy.pk]),
        )
        return format_html("<ul>{}</ul><p>{}</p>", listed, link)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("targets")

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        before = form.instance.version
        version = keep_version(form.instance, by=signed_in_user(request), now=timezone.now())
        if change and version.number != before:
            self.message_user(
                request,
                f"Version {version.number} holds for handoffs from now on; clocks that run keep theirs.",
                messages.INFO,
            )
        for hidden, by in find_hidden(list(Policy.objects.filter(is_active=True))):
            self.message_user(
                request,
                f"“{hidden.name}” never applies: “{by.name}” comes first and matches everything it would.",
                messages.WARNING,
            )

    def has_delete_permission(self, request: HttpRequest, obj: Policy | None = None) -> bool:
        is_used = obj is not None and obj.version > 0
        return super().has_delete_permission(request, obj) and not is_used


def _edition(edition: Edition) -> tuple[str, SafeString]:
    version = edition.version
    since = date_format(timezone.localtime(version.at), "D j M Y, H:i")
    changes = format_html_join("", "<li>{}</li>", ((sentence,) for sentence in edition.changes))
    head = f"Version {version.number}, {since}, by {version.by or 'the portal'}"
    return head, format_html("<ul>{}</ul>", changes)
