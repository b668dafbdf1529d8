"""Playbooks, the gate to SQL and the standard of packages in the admin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError

from handoffs.admin.bases import EditableListAdmin, OneRowAdmin
from handoffs.admin.fields import SignalsField, categories, lines
from handoffs.contact.gate import PARTS
from handoffs.models import PackageStandard, Playbook, QualificationGate
from handoffs.package.completeness import FACTS
from handoffs.package.playbooks import read_objection, unknown_placeholders

KNOWN_PLACEHOLDERS = "{first_name}, {company}, {title}"


class PlaybookForm(forms.ModelForm[Playbook]):
    signal_keys = SignalsField("Signals", help_text="Any of them is enough. None ticked: any lead.")
    categories = categories()
    sources = lines("Where the lead came from. None: anywhere.")
    industries = lines("Industry of the company. None: any.")
    topics = lines("What to talk about.")
    objections = lines("“What they may say”: what to answer.")

    class Meta:
        model = Playbook
        fields = (
            "name", "position", "is_active", "signal_keys", "categories", "sources", "industries",
            "channel", "timing", "opening_line", "topics", "objections", "next_step",
        )  # fmt: skip
        widgets: ClassVar[dict[str, forms.Widget]] = {
            "opening_line": forms.Textarea(attrs={"rows": 3, "cols": 80}),
            "next_step": forms.TextInput(attrs={"size": 80}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        signals: SignalsField = self.fields["signal_keys"]  # type: ignore[assignment]
        signals.offer(self.instance.signal_keys)

    def clean_opening_line(self) -> str:
        """One line: what is said in one breath."""
        return " ".join(self.cleaned_data["opening_line"].split())

    def clean_objections(self) -> list[str]:
        objections: list[str] = self.cleaned_data["objections"]
        for objection in objections:
            read = read_objection(objection)
            if not (read.says and read.answer):
                raise ValidationError(
                    f"Say what to answer, as in “It is dear”: ask why. This lacks it: {objection}"
                )
        return objections

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
class PlaybookAdmin(EditableListAdmin):
    form = PlaybookForm
    list_display = ("name", "position", "conditions", "channel", "timing", "is_active")
    list_editable = ("position", "is_active")

    @admin.display(description="for")
    def conditions(self, playbook: Playbook) -> str:
        """The conditions in words, and "any lead" for a playbook without one."""
        named = [playbook.signal_keys, playbook.categories, playbook.sources, playbook.industries]
        return ", ".join(" or ".join(values) for values in named if values) or "any lead"


def _choices(labels: Mapping[str, str]) -> forms.MultipleChoiceField:
    choices = list(labels.items())
    return forms.MultipleChoiceField(
        choices=choices, widget=forms.CheckboxSelectMultiple, required=False, label="Needs"
    )


class GateForm(forms.ModelForm[QualificationGate]):
    requires = _choices({part: part.capitalize() for part in PARTS})

    class Meta:
        model = QualificationGate
        fields = ("requires", "budget_may_be_rough", "evidence_needed")

    def clean_requires(self) -> list[str]:
        parts: list[str] = self.cleaned_data["requires"]
        if not parts:
            raise ValidationError("A gate that asks for nothing would make every lead an SQL.")
        return [part for part in PARTS if part in parts]


@admin.register(QualificationGate)
class QualificationGateAdmin(OneRowAdmin):
    form = GateForm


class PackageStandardForm(forms.ModelForm[PackageStandard]):
    requires = _choices({name: fact.label for name, fact in FACTS.items()})

    class Meta:
        model = PackageStandard
        fields = ("requires", "task_below")


@admin.register(PackageStandard)
class PackageStandardAdmin(OneRowAdmin):
    form = PackageStandardForm
