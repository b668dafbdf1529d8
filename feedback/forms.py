"""The reject dialog and the filters of marketing's inbox."""

from __future__ import annotations

from django import forms

from common.errors import InvalidInput
from feedback.duplicates import lead_of_address
from feedback.figures.cohorts import Grouping
from feedback.models import RejectionReason
from feedback.services import NOTE_LENGTH
from leads.models import Lead

# What patterns are looked for by.
PATTERN_GROUPINGS = (Grouping.RULE, Grouping.SIGNAL, Grouping.SOURCE, Grouping.CAMPAIGN)


class RejectForm(forms.Form):
    """Shape only: whether the reason is there and has what it asks for is the verb's to decide (QUEUE-2)."""

    reason = forms.ModelChoiceField(
        queryset=RejectionReason.objects.filter(is_active=True),
        to_field_name="code",
        required=False,
        error_messages={"invalid_choice": "That reason is not in use. Choose one of these."},
    )
    note = forms.CharField(
        max_length=NOTE_LENGTH,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    duplicate_of = forms.CharField(max_length=254, required=False, label="E-mail address of the other lead")

    def clean_duplicate_of(self) -> Lead | None:
        text: str = self.cleaned_data["duplicate_of"]
        if not text.strip():
            return None
        try:
            return lead_of_address(text, field="duplicate_of")
        except InvalidInput as error:
            raise forms.ValidationError(str(error)) from error


class InboxFilterForm(forms.Form):
    """The query string of /marketing/."""

    PERIODS = (("7", "Last 7 days"), ("30", "Last 30 days"), ("90", "Last 90 days"), ("365", "Last year"))

    days = forms.ChoiceField(choices=PERIODS, required=False, label="Period")
    reason = forms.ModelChoiceField(
        queryset=RejectionReason.objects.all(), to_field_name="code", required=False, empty_label="Any reason"
    )

    by = forms.ChoiceField(
        choices=[(grouping.value, grouping.value.capitalize()) for grouping in PATTERN_GROUPINGS],
        required=False,
    )

    def period(self) -> int:
        return int(self.cleaned_data.get("days") or 30)

    def grouping(self) -> Grouping:
        return Grouping(self.cleaned_data.get("by") or Grouping.RULE)
