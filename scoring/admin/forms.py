"""Forms of the admin: one line per word, and every refusal a sentence that says what to do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.text import slugify

from scoring.language.rules import MAX_CAP, MAX_DAYS, MAX_THRESHOLD, MAX_VALUES, PER_MILLE
from scoring.models import CategoryTier, DecayStep, ModelVersion, RuleGroup, Signal, SignalCondition

NUMBER_OPERATORS = (SignalCondition.Operator.AT_LEAST, SignalCondition.Operator.AT_MOST)


class LinesField(forms.CharField):
    """Several short texts, one on each line."""

    widget = forms.Textarea

    def __init__(self, *, max_length_each: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_length_each = max_length_each
        self.widget.attrs |= {"rows": 3, "cols": 24}

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        text = super().clean(value)
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if len(lines) > MAX_VALUES:
            raise ValidationError(f"At most {MAX_VALUES} lines; these are {len(lines)}.")
        for line in lines:
            if len(line) > self.max_length_each:
                raise ValidationError(f"“{line[:30]}…” is longer than {self.max_length_each} characters.")
        return lines

    def has_changed(self, initial: Any, data: Any) -> bool:
        before = "\n".join(initial) if isinstance(initial, list) else initial
        return super().has_changed(before, "\n".join((data or "").split("\r\n")))


class FactorField(forms.DecimalField):
    """A multiplier as people write it, such as 1.5 or ×1.5; cleaned to per mille."""

    widget = forms.TextInput

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=8, decimal_places=3, **kwargs)
        self.widget.attrs |= {"size": 6, "inputmode": "decimal"}

    def to_python(self, value: Any) -> Any:
        return super().to_python(str(value or "").strip().lstrip("×xX").strip())

    def clean(self, value: Any) -> int | None:
        factor = super().clean(value)
        return None if factor is None else int(factor * PER_MILLE)


class PercentField(forms.DecimalField):
    """A share of 0 to 100 %, with one decimal at most; cleaned to per mille."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=100, max_digits=4, decimal_places=1, **kwargs)

    def clean(self, value: Any) -> int | None:
        percent = super().clean(value)
        return None if percent is None else int(percent * 10)


def plain_decimal(number: float) -> str:
    """A number as one would type it: 1.5, or 2."""
    return f"{number:g}"


def shown_when(field: forms.Field, **conditions: Iterable[str]) -> None:
    """Show the field only while others of its form hold one of the values; static/js/scoring-admin.js
    hides and disables it otherwise, and the form passes over what it held."""
    wrapped = getattr(field.widget, "widget", None)  # the admin wraps the choice of a related row
    (wrapped or field.widget).attrs["data-when"] = ";".join(
        f"{name}={','.join(held)}" for name, held in conditions.items()
    )


def bound(field: forms.Field, low: int, high: int) -> None:
    """Refuse values outside in words of people: the database's own constraint would name itself."""
    field.validators += [
        MinValueValidator(low, f"Give at least {low:,}."),
        MaxValueValidator(high, f"Give at most {high:,}."),
    ]
    field.widget.attrs |= {"min": low, "max": high}


class ModelVersionForm(forms.ModelForm[ModelVersion]):
    class Meta:
        model = ModelVersion
        fields = (
            "name",
            "formula",
            "engagement_percent",
            "threshold",
            "icp_from",
            "signal_days",
            "decay_floor",
        )
        help_texts = {
            "formula": "“Points are added up”: who they are and what they do give points; the sum decides. "
            "“Weighted”: engagement and readiness each have a share, and multipliers raise readiness. "
            "“The checklist alone decides”: points are shown, but ICP match and a clear signal decide.",
            "threshold": "The score from which a lead is an MQL, if the checklist holds.",
            "icp_from": "So many points from rules on who they are tick “ICP match” on the checklist.",
            "signal_days": "For so many days a high-intent signal ticks “clear signal of interest”.",
            "decay_floor": "However long nothing happens, so many of the points earned by behaviour stay.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.fields:
            return  # a version that can only be read
        for name in ("formula", "engagement_percent"):
            # What is hidden, or was not asked yet, keeps what it was.
            self.fields[name].required = False
        shown_when(self.fields["engagement_percent"], formula=[ModelVersion.Formula.HYBRID])
        bound(self.fields["engagement_percent"], 0, 100)
        bound(self.fields["threshold"], 1, MAX_THRESHOLD)
        bound(self.fields["icp_from"], 0, MAX_THRESHOLD)
        bound(self.fields["signal_days"], 1, MAX_DAYS)
        bound(self.fields["decay_floor"], 0, MAX_THRESHOLD)


class RuleGroupForm(forms.ModelForm[RuleGroup]):
    class Meta:
        model = RuleGroup
        fields = ("name", "cap")
        labels = {"cap": "Together at most"}
        help_texts = {"cap": "Points; of a group that takes points away, at most so many are taken."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "cap" in self.fields:
            bound(self.fields["cap"], 1, MAX_CAP)


class DecayStepForm(forms.ModelForm[DecayStep]):
    kept = PercentField(label="% of points kept", help_text="75 keeps three quarters of the points.")

    class Meta:
        model = DecayStep
        fields = ("after_days",)
        labels = {"after_days": "After … days without engagement"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "after_days" in self.fields:
            bound(self.fields["after_days"], 1, MAX_DAYS)
        if self.instance.pk:
            self.initial["kept"] = plain_decimal(self.instance.per_mille / 10)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if (kept := cleaned.get("kept")) is not None:
            self.instance.per_mille = kept
        return cleaned


class CategoryTierForm(forms.ModelForm[CategoryTier]):
    class Meta:
        model = CategoryTier
        fields = ("position", "category", "min_engagement", "min_readiness")
        labels = {"position": "Order"}


class SignalForm(forms.ModelForm[Signal]):
    event_names = LinesField(max_length_each=120, help_text="Any of these events, one on each line.")

    class Meta:
        model = Signal
        fields = ("name", "event_names", "intent", "is_engagement")

    def clean_event_names(self) -> list[str]:
        names: list[str] = self.cleaned_data["event_names"]
        if not names:
            raise ValidationError("Name at least one event, such as Demo Requested.")
        return names

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not slugify(name):
            raise ValidationError("The name needs at least one letter or digit.")
        return name


class ConditionForm(forms.ModelForm[SignalCondition]):
    values = LinesField(max_length_each=200, help_text="One on each line; any of them.")

    class Meta:
        model = SignalCondition
        fields = ("property_name", "operator", "values")
        widgets = {"property_name": forms.TextInput(attrs={"list": "property-names"})}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        values, operator = cleaned.get("values"), cleaned.get("operator")
        if values == []:
            self.add_error("values", "Say what to compare with.")
        elif values and operator in NUMBER_OPERATORS and (len(values) > 1 or not is_number(values[0])):
            self.add_error("values", "Give one number, such as 100 or 2.5.")
        elif values and operator == SignalCondition.Operator.EQUALS and len(values) > 1:
            self.add_error("values", "Give one value, or choose “is one of”.")
        return cleaned


def is_number(text: str) -> bool:
    """Whether matching can compare it: plain digits with at most one point."""
    whole, point, part = text.removeprefix("-").partition(".")
    is_whole = whole.isascii() and whole.isdigit() and len(whole) <= 15
    return is_whole and (not point or (part.isascii() and part.isdigit() and len(part) <= 9))
