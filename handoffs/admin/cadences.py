"""Cadences in the admin: how often and when to try to reach a lead after acceptance."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest

from common.inlines import LabelledFormSet
from handoffs.admin.bases import EditableListAdmin
from handoffs.admin.fields import categories, lines
from handoffs.models import Cadence, CadenceStep

MINUTES_A_HOUR = 60


class CadenceForm(forms.ModelForm[Cadence]):
    categories = categories()
    sources = lines("Where the lead came from. None: anywhere.")

    class Meta:
        model = Cadence
        fields = ("name", "position", "is_active", "categories", "sources")


class StepFormSet(LabelledFormSet):
    """Attempts come one after the other: a later one cannot be due before an earlier one."""

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        kept = [
            form.cleaned_data
            for form in self.forms
            if form.cleaned_data and not form.cleaned_data.get("DELETE")
        ]
        if not kept:
            raise ValidationError("Add a step, or nobody is told when to try.")
        ordered = sorted(kept, key=lambda step: step["number"])
        for in_hours in (True, False):
            minutes = [step["minutes"] for step in ordered if step["in_working_hours"] is in_hours]
            if minutes != sorted(minutes):
                raise ValidationError("Give later attempts more minutes than earlier ones.")


class StepInline(admin.TabularInline[CadenceStep, Cadence]):
    formset: type[BaseInlineFormSet[Any, Any, Any]] = StepFormSet
    model = CadenceStep
    extra = 0
    min_num = 1
    fields = ("number", "channel", "minutes", "in_working_hours")


@admin.register(Cadence)
class CadenceAdmin(EditableListAdmin):
    form = CadenceForm
    list_display = ("name", "position", "conditions", "plan", "is_active")
    list_editable = ("position", "is_active")
    inlines = (StepInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Cadence]:
        return super().get_queryset(request).prefetch_related("steps")

    @admin.display(description="for")
    def conditions(self, cadence: Cadence) -> str:
        """The conditions in words, and "any lead" for a cadence without one."""
        named = [cadence.categories, cadence.sources]
        return ", ".join(" or ".join(values) for values in named if values) or "any lead"

    @admin.display(description="attempts")
    def plan(self, cadence: Cadence) -> str:
        """Such as "3: within 4 h of work, 48 h, 120 h"."""
        steps = cadence.steps.all()
        return f"{len(steps)}: within {', '.join(_span(step) for step in steps)}" if steps else "none"


def _span(step: CadenceStep) -> str:
    hours, minutes = divmod(step.minutes, MINUTES_A_HOUR)
    parts = [f"{hours} h"] if hours else []
    parts += [f"{minutes} min"] if minutes else []
    return " ".join(parts) + (" of work" if step.in_working_hours else "")
