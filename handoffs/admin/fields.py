"""Lists on the admin's forms: of texts, of categories, of signals."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms

from scoring.models import LeadScore, Signal


class LinesField(forms.CharField):
    """A list of texts, one on each line: the texts themselves may hold commas."""

    widget = forms.Textarea(attrs={"rows": 3, "cols": 80})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        lines = value.splitlines() if isinstance(value, str) else value or []
        return [line.strip() for line in lines if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        before, after = self.to_python(initial), self.to_python(data)
        return before != after


def lines(help_text: str) -> LinesField:
    return LinesField(required=False, help_text=f"{help_text} One per line.")


def categories() -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        choices=LeadScore.Category.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None ticked: any.",
        error_messages={"invalid_choice": "There is no category %(value)s."},
    )


class SignalsField(forms.MultipleChoiceField):
    """Signals, shown by their names and kept by their keys."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, label: str, *, help_text: str) -> None:
        sentences = {"invalid_choice": "No signal has the key %(value)s."}
        super().__init__(required=False, label=label, help_text=help_text, error_messages=sentences)

    def offer(self, kept: Iterable[str]) -> None:
        """Offer the signals there are, and those kept already: a preset may name some that the present rules
        do without."""
        names = dict(Signal.objects.current().order_by("name").values_list("key", "name"))
        names |= {key: f"{key} (no such signal at present)" for key in kept if key not in names}
        self.choices = names.items()
