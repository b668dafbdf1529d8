"""Forms of the admin: one line per word, and every refusal a sentence that says what to do."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import slugify

from scoring.attributes import ATTRIBUTES
from scoring.loading import load_behaviour_rule, load_fit_rule
from scoring.models import ModelVersion, Rule, Signal, SignalCondition
from scoring.rules import MAX_POINTS, MAX_VALUES, RuleRefused
from scoring.sentences import rule_sentence

Kind = Rule.Kind

FIT_KINDS = (Kind.FIT, Kind.NEGATIVE, Kind.DISQUALIFIER)
BEHAVIOUR_KINDS = (Kind.BEHAVIOUR, Kind.INTENT, Kind.INSTANT_MQL, Kind.NEGATIVE, Kind.DISQUALIFIER)
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


class RuleForm(forms.ModelForm[Rule]):
    """What both kinds of rules share: points that suit the kind, and a check by the rule language itself."""

    kinds: tuple[Rule.Kind, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"] = forms.ChoiceField(choices=[(kind.value, kind.label) for kind in self.kinds])
        self.fields["points"].required = False

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if "points" not in self.errors:
            cleaned["points"] = points = cleaned.get("points") or 0
            if advice := points_advice(cleaned.get("kind", ""), points):
                self.add_error("points", advice)
        return cleaned

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # the stubs leave out ModelForm's own hook
        if self.errors:
            return
        try:
            rule_of(self.instance)
        except RuleRefused as refusal:
            self.add_error(None, str(refusal))


def points_advice(kind: str, points: int) -> str:
    """What is wrong with the points for this kind of rule; blank if nothing is."""
    if abs(points) > MAX_POINTS:
        return f"Points must lie between −{MAX_POINTS:,} and {MAX_POINTS:,}."
    if kind in (Kind.DISQUALIFIER, Kind.INSTANT_MQL):
        return "This kind of rule gives no points: leave 0." if points else ""
    if kind == Kind.NEGATIVE:
        return "" if points < 0 else "A negative rule takes points away: write for example -15."
    return "" if points > 0 else "Give at least 1 point, or choose the kind “Negative”."


def rule_of(rule: Rule) -> Any:
    """The row in the rule language. Raises RuleRefused."""
    return load_fit_rule(rule) if rule.signal is None else load_behaviour_rule(rule, rule.signal)


def sentence_of(rule: Rule) -> str:
    """The row as a plain sentence, also while it makes no sense yet."""
    try:
        return rule_sentence(rule_of(rule))
    except (RuleRefused, ValueError) as refusal:
        return str(refusal)


class FitRuleForm(RuleForm):
    kinds = FIT_KINDS
    attribute = forms.ChoiceField(
        choices=[("", "---------"), *((key, each.label) for key, each in ATTRIBUTES.items())]
    )
    operator = forms.ChoiceField(choices=[("", "---------"), *Rule.Operator.choices])
    values = LinesField(
        max_length_each=120, required=False, label="Words", help_text="One on each line; any of them."
    )

    class Meta:
        model = Rule
        fields = ("position", "kind", "name", "attribute", "operator", "values", "low", "high", "points")
        labels = {"position": "Order", "low": "From", "high": "To"}


class BehaviourRuleForm(RuleForm):
    kinds = BEHAVIOUR_KINDS

    class Meta:
        model = Rule
        fields = (
            "position",
            "kind",
            "name",
            "signal",
            "min_count",
            "window_days",
            "points",
            "per_occurrence",
            "cap",
        )
        labels = {
            "position": "Order",
            "min_count": "At least … times",
            "window_days": "Within … days",
            "per_occurrence": "Each time",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["signal"].required = True
        self.fields["min_count"].min_value = 1  # type: ignore[attr-defined]


class ModelVersionForm(forms.ModelForm[ModelVersion]):
    class Meta:
        model = ModelVersion
        fields = ("name", "threshold", "icp_from", "signal_days", "decay_floor")


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
