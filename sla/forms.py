"""What people type on the pages of the service levels."""

from __future__ import annotations

from django import forms

from sla.models import Clock


class ReviewForm(forms.Form):
    cause = forms.ChoiceField(
        choices=Clock.Cause.choices,
        widget=forms.RadioSelect,
        label="What in the system led to it?",
        error_messages={"required": "Choose what in the system led to this."},
    )
    note = forms.CharField(
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        label="What would have prevented it?",
        help_text="For learning, not for blame.",
    )


class PauseForm(forms.Form):
    reason = forms.CharField(
        max_length=200,
        label="What does it wait for?",
        error_messages={"required": "Say what the clock waits for."},
    )
