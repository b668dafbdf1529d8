"""What a person types when a version is published."""

from __future__ import annotations

from django import forms


class PublishForm(forms.Form):
    note = forms.CharField(
        label="Why",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept with your name and the time, for whoever asks later.",
        error_messages={"required": "Say why: it is kept with the version."},
    )
    # The version that the difference on the page was shown against; blank when there was none.
    replacing = forms.IntegerField(required=False, min_value=1, max_value=2_147_483_647)
