"""What people type to declare an incident."""

from __future__ import annotations

from django import forms

MINUTE_FORMATS = ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")


class MomentInput(forms.DateTimeInput):
    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


class IncidentForm(forms.Form):
    """Times are those of the viewer's zone. The verb says whether they make sense."""

    what = forms.CharField(
        label="What was out of order?",
        max_length=200,
        help_text="Such as “E-mail was down”. It is shown as the reason of each pause.",
        error_messages={"required": "Say what was out of order."},
    )
    started_at = forms.DateTimeField(
        label="From",
        input_formats=MINUTE_FORMATS,
        widget=MomentInput,
        error_messages={"required": "Say when it began.", "invalid": "Give a date and a time."},
    )
    ended_at = forms.DateTimeField(
        label="To",
        input_formats=MINUTE_FORMATS,
        widget=MomentInput,
        error_messages={"required": "Say when it was over.", "invalid": "Give a date and a time."},
    )
