"""Forms of the quarantine."""

from __future__ import annotations

import json
from typing import Any, Self

from django import forms
from django.db.models import QuerySet

from common.json_input import parse_json
from leads.models import QuarantinedItem


class QuarantineFilter(forms.Form):
    """State, source and kind; whatever else the address says is passed over."""

    state = forms.ChoiceField(choices=[("", "Open"), ("settled", "Settled"), ("all", "All")], required=False)
    source = forms.ChoiceField(choices=[("", "Any source"), *QuarantinedItem.Source.choices], required=False)
    q = forms.CharField(required=False, max_length=120, strip=True)

    def narrow(self, items: QuerySet[QuarantinedItem]) -> QuerySet[QuarantinedItem]:
        self.is_valid()
        asked = self.cleaned_data
        state = asked.get("state", "")
        if state == "settled":
            items = items.exclude(replayed_at=None, dismissed_at=None)
        elif state != "all":
            items = items.filter(replayed_at=None, dismissed_at=None)
        if asked.get("source"):
            items = items.filter(source=asked["source"])
        if asked.get("q"):
            items = items.filter(reason__icontains=asked["q"])
        return items


class ReplayForm(forms.Form):
    """The item as JSON, to be corrected."""

    payload = forms.CharField(
        label="The item, as JSON",
        strip=False,
        widget=forms.Textarea(attrs={"rows": 18, "spellcheck": "false", "class": "form-control code"}),
    )

    @classmethod
    def of(cls, item: QuarantinedItem) -> Self:
        return cls(initial={"payload": json.dumps(item.payload, indent=2, ensure_ascii=False)})

    def clean_payload(self) -> Any:
        try:
            return parse_json(self.cleaned_data["payload"].encode("utf-8", "replace"))
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
