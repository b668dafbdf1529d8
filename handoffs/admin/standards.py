"""Playbooks, the gate to SQL and the standard of packages in the admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError

from handoffs.admin.bases import OneRowAdmin
from handoffs.admin.fields import lines
from handoffs.contact import PARTS
from handoffs.models import PackageStandard, Playbook, QualificationGate
from handoffs.package import FACTS
from handoffs.playbooks import unknown_placeholders

KNOWN_PLACEHOLDERS = "{first_name}, {company}, {title}"


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
