"""Rows of a table in the Django admin that a screen reader can name."""

from __future__ import annotations

from typing import Any

from django.forms.models import BaseInlineFormSet


class LabelledFormSet(BaseInlineFormSet[Any, Any, Any]):
    """Names each input by its column: in a tabular inline the label is only in the table's head."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        for field in form.fields.values():
            # The admin wraps the choice of a related row; what is rendered is the widget inside.
            widget = getattr(field.widget, "widget", field.widget)
            widget.attrs.setdefault("aria-label", str(field.label))
