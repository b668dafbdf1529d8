"""Lists of texts on the admin's forms."""

from __future__ import annotations

from typing import Any

from django import forms


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
