"""What people type on the pages of the service levels."""

from __future__ import annotations

from django import forms

from sla.models import Clock

# Value, label and what is meant by it: causes in the system, not in people.
CAUSES = [
    (Clock.Cause.CAPACITY, "More work than people to do it"),
    (Clock.Cause.PRIORITISATION, "Something else came first"),
    (Clock.Cause.ROUTING, "It went to the wrong person or pool, or to somebody away"),
    (Clock.Cause.LEAD_QUALITY, "The lead could not be worked as it was"),
    (Clock.Cause.OTHER, "Say what in the note"),
]


# What a promise usually waits for. Others are said in one's own words.
PAUSE_REASONS = [
    "The lead is away",
    "The lead asked to be contacted later",
    "Waiting for an answer of the lead",
    "Waiting for data from marketing",
]


class ReviewForm(forms.Form):
    cause = forms.ChoiceField(
        choices=Clock.Cause.choices,
        label="What in the system led to it?",
        error_messages={"required": "Choose what in the system led to this."},
    )
    note = forms.CharField(
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        label="Note",
        help_text="What would have prevented it? For learning, not for blame.",
    )


class PauseForm(forms.Form):
    reason = forms.CharField(
        max_length=200,
        label="What does it wait for?",
        error_messages={"required": "Say what the clock waits for."},
    )
