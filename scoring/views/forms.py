"""What a person types when a version is proposed, decided upon, or tried as a pilot."""

from __future__ import annotations

from typing import Any

from django import forms

from scoring.language.attributes import ATTRIBUTES, Kind
from scoring.lifecycle.pilot import PilotPlan
from scoring.models import Rule

MAX_NUMBER = 2_147_483_647
NOW, LATER = "now", "later"
ALL, SOME = "all", "pilot"


def _text_area(hint: str, rows: int = 3) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows, "class": "form-control", "placeholder": hint})


class NoteForm(forms.Form):
    """A reason that is kept."""

    note = forms.CharField(
        label="Why",
        max_length=500,
        widget=_text_area(""),
        help_text="Kept with your name and the time, for whoever asks later.",
        error_messages={"required": "Say why: it is kept with the version."},
    )


class ReturnForm(forms.Form):
    comment = forms.CharField(
        label="What should be different",
        max_length=500,
        widget=_text_area("", rows=2),
        error_messages={"required": "Say what should be different."},
    )


class ApproveForm(forms.Form):
    comment = forms.CharField(label="Comment", max_length=500, required=False, widget=_text_area("", rows=2))
    # Which proposal the person looked at: it may be taken back, changed and made again meanwhile.
    proposed_at = forms.DateTimeField(
        widget=forms.HiddenInput,
        error_messages={
            "required": "Look at the proposal again, then approve it.",
            "invalid": "Look at the proposal again, then approve it.",
        },
    )


class ProposeForm(NoteForm):
    """Why, when, and for whom."""

    when = forms.ChoiceField(
        label="When",
        choices=((NOW, "As soon as it is approved"), (LATER, "At a time of your choice")),
        widget=forms.RadioSelect,
        initial=NOW,
    )
    takes_effect_at = forms.DateTimeField(
        label="Takes effect",
        required=False,
        input_formats=("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"),
        widget=forms.DateTimeInput(
            format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local", "class": "form-control"}
        ),
        error_messages={"invalid": "Give a date and a time, such as 2026-03-03 09:00."},
    )
    whom = forms.ChoiceField(
        label="For whom",
        choices=((ALL, "All leads"), (SOME, "Some leads first: a pilot beside the active version")),
        widget=forms.RadioSelect,
        initial=ALL,
    )
    percent = forms.IntegerField(
        label="Share of the leads, in %",
        required=False,
        min_value=1,
        max_value=100,
        initial=10,
        widget=forms.NumberInput(attrs={"class": "form-control"}),
    )
    attribute = forms.ChoiceField(
        label="Only leads whose",
        required=False,
        choices=[("", "— leads of every kind"), *((one.key, one.label) for one in ATTRIBUTES.values())],
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    operator = forms.ChoiceField(
        label="Condition",
        required=False,
        choices=Rule.Operator.choices,
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    values = forms.CharField(
        label="Values",
        required=False,
        max_length=1000,
        help_text="Separate several by commas; for a range of numbers give from and to, such as 50, 500.",
        widget=forms.TextInput(attrs={"class": "form-control"}),
    )
    # The version that the difference on the page was shown against; blank when there was none.
    replacing = forms.IntegerField(
        required=False, min_value=1, max_value=MAX_NUMBER, widget=forms.HiddenInput
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        is_dated = cleaned.get("takes_effect_at") or "takes_effect_at" in self.errors
        if cleaned.get("when") == LATER and not is_dated:
            self.add_error("takes_effect_at", "Say when it takes effect.")
        if cleaned.get("whom") == SOME:
            self._clean_pilot(cleaned)
        return cleaned

    def _clean_pilot(self, cleaned: dict[str, Any]) -> None:
        if not cleaned.get("percent") and "percent" not in self.errors:
            self.add_error("percent", "Say which share of the leads, from 1 to 100 %.")
        values = [value.strip() for value in (cleaned.get("values") or "").split(",") if value.strip()]
        bounds: tuple[int | None, int | None] = (None, None)
        attribute = ATTRIBUTES.get(cleaned.get("attribute") or "")
        if attribute and attribute.kind is Kind.NUMBER and values:
            if len(values) > 2 or not all(value.isdecimal() and len(value) < 19 for value in values):
                self.add_error("values", "Give from and to as whole numbers, such as 50, 500.")
            else:
                bounds = (int(values[0]), int(values[1]) if len(values) == 2 else None)
            values = []
        cleaned["segment"] = (values, *bounds)

    def plan(self) -> PilotPlan | None:
        """The pilot asked for, or None when it is for all leads."""
        cleaned = self.cleaned_data
        if cleaned["whom"] != SOME:
            return None
        if not cleaned["attribute"]:
            return PilotPlan(cleaned["percent"])
        values, low, high = cleaned["segment"]
        return PilotPlan(
            cleaned["percent"], cleaned["attribute"], cleaned["operator"], values, low=low, high=high
        )
