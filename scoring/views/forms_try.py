"""What a person types to try a draft: somebody we know, or a lead that is not there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django import forms

from scoring.language.attributes import ATTRIBUTES, Kind
from scoring.language.rules import MAX_DAYS, MAX_NUMBER
from scoring.models import Signal

HIT_ROWS = 6
MOST_TIMES = 100


class KnownLeadForm(forms.Form):
    who = forms.CharField(label="Name or e-mail address", max_length=200)


class ImaginedLeadForm(forms.Form):
    """Attributes by name, and a few lines of "this signal, so many times, so many days ago"."""

    trips = forms.IntegerField(
        label="Returned by sales so often", required=False, min_value=0, max_value=1_000, initial=0
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        signals = Signal.objects.current().values_list("key", "name")
        choices = [("", "—"), *signals]
        for key, attribute in ATTRIBUTES.items():
            self.fields[_fact(key)] = (
                forms.IntegerField(
                    label=attribute.label, required=False, min_value=-MAX_NUMBER, max_value=MAX_NUMBER
                )
                if attribute.kind is Kind.NUMBER
                else forms.CharField(label=attribute.label, required=False, max_length=1_000)
            )
        for row in range(HIT_ROWS):
            self.fields[f"signal-{row}"] = forms.ChoiceField(
                label=f"Signal {row + 1}", choices=choices, required=False
            )
            self.fields[f"times-{row}"] = forms.IntegerField(
                label=f"Times, of signal {row + 1}",
                required=False, min_value=1, max_value=MOST_TIMES, initial=1,
            )  # fmt: skip
            self.fields[f"days-{row}"] = forms.IntegerField(
                label=f"Days ago, of signal {row + 1}",
                required=False, min_value=0, max_value=MAX_DAYS, initial=0,
            )  # fmt: skip

    @property
    def fact_fields(self) -> list[forms.BoundField]:
        return [self[_fact(key)] for key in ATTRIBUTES]

    @property
    def hit_rows(self) -> list[tuple[forms.BoundField, forms.BoundField, forms.BoundField]]:
        return [(self[f"signal-{row}"], self[f"times-{row}"], self[f"days-{row}"]) for row in range(HIT_ROWS)]

    @property
    def facts(self) -> dict[str, str | int | None]:
        """What was given, by the keys of attributes. Needs a valid form, as the others do."""
        given = {key: self.cleaned_data[_fact(key)] for key in ATTRIBUTES}
        return {key: value for key, value in given.items() if value not in (None, "")}

    @property
    def trips_made(self) -> int:
        return self.cleaned_data["trips"] or 0

    def hits(self, now: datetime) -> Iterator[tuple[str, datetime]]:
        """(key of the signal, when) of each time something was done."""
        for row in range(HIT_ROWS):
            if key := self.cleaned_data[f"signal-{row}"]:
                ago = timedelta(days=self.cleaned_data[f"days-{row}"] or 0)
                yield from [(key, now - ago)] * (self.cleaned_data[f"times-{row}"] or 1)

    @property
    def sentences(self) -> list[str]:
        """Every error with the name of its field."""
        return [
            f"{self.fields[name].label}: {error}" for name, errors in self.errors.items() for error in errors
        ]


def _fact(key: str) -> str:
    return f"fact-{key.replace('.', '-')}"
