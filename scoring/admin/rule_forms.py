"""Forms of rules in the admin: only what a rule's kind asks for counts, and every refusal is a sentence."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS

from scoring.admin.forms import FactorField, LinesField, plain_decimal, shown_when
from scoring.language.attributes import ATTRIBUTES
from scoring.language.rules import (
    MAX_POINTS,
    NUMBER_OPERATORS,
    PER_MILLE,
    TEXT_OPERATORS,
    BehaviourRule,
    FitRule,
    RuleRefused,
)
from scoring.language.sentences import rule_sentence
from scoring.loading import load_behaviour_rule, load_fit_rule
from scoring.models import Rule

Kind = Rule.Kind

FIT_KINDS = (Kind.FIT, Kind.NEGATIVE, Kind.MULTIPLIER, Kind.DISQUALIFIER)
BEHAVIOUR_KINDS = (
    Kind.BEHAVIOUR,
    Kind.INTENT,
    Kind.INSTANT_MQL,
    Kind.NEGATIVE,
    Kind.MULTIPLIER,
    Kind.DISQUALIFIER,
)
WITH_POINTS = (Kind.FIT, Kind.BEHAVIOUR, Kind.INTENT, Kind.NEGATIVE)
FADING = (Rule.Decay.STEP, Rule.Decay.LINEAR, Rule.Decay.HALF_LIFE)

KIND_HELP = (
    "Points are given or, if negative, taken away. A multiplier raises readiness in the weighted formula. "
    "A disqualifier means never an MQL while true."
)
BEHAVIOUR_KIND_HELP = (
    f"{KIND_HELP} Explicit intent gives points to those who asked for contact. "
    "Instant MQL needs no points, but the checklist."
)


class RuleForm(forms.ModelForm[Rule]):
    """What both kinds of rules share: fields that suit the kind, and a check by the rule language itself."""

    kinds: tuple[Rule.Kind, ...] = ()
    factor = FactorField(
        required=False, label="Times", help_text="How much it multiplies readiness, such as ×1.5."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        help_text = KIND_HELP if self.kinds is FIT_KINDS else BEHAVIOUR_KIND_HELP
        choices = [(kind.value, kind.label) for kind in self.kinds]
        self.fields["kind"] = forms.ChoiceField(choices=choices, help_text=help_text)
        self.fields["points"].required = False
        self.fields["group"].required = False
        if self.instance.kind == Kind.MULTIPLIER:
            self.initial["factor"] = plain_decimal(self.instance.factor_per_mille / PER_MILLE)
        shown_when(self.fields["points"], kind=WITH_POINTS)
        shown_when(self.fields["group"], kind=WITH_POINTS)
        shown_when(self.fields["factor"], kind=[Kind.MULTIPLIER])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        kind = cleaned.get("kind", "")
        if "points" not in self.errors:
            cleaned["points"] = points = cleaned.get("points") or 0
            if advice := points_advice(kind, points):
                self.add_error("points", advice)
        self._clean_factor(cleaned)
        if kind not in WITH_POINTS:
            cleaned["group"] = None
        return cleaned

    def _clean_factor(self, cleaned: dict[str, Any]) -> None:
        factor = cleaned.get("factor")
        if cleaned.get("kind") != Kind.MULTIPLIER:
            self.instance.factor_per_mille = PER_MILLE
        elif factor is not None:
            self.instance.factor_per_mille = min(factor, 32_767)
        elif "factor" not in self.errors:
            self.add_error("factor", "Say how much it multiplies, such as 1.5 or 2.")

    def _post_clean(self) -> None:
        if self.errors:
            return  # the database's own words would only repeat them
        super()._post_clean()  # type: ignore[misc]  # the stubs leave out ModelForm's own hook
        if set(self.errors) - {NON_FIELD_ERRORS}:
            return
        try:
            rule_of(self.instance)
        except RuleRefused as refusal:
            # Instead of the name of the constraint that says the same.
            self.errors.pop(NON_FIELD_ERRORS, None)
            self.add_error(None, str(refusal))


class FitRuleForm(RuleForm):
    kinds = FIT_KINDS
    attribute = forms.ChoiceField(
        choices=[("", "---------"), *((key, each.label) for key, each in ATTRIBUTES.items())]
    )
    operator = forms.ChoiceField(choices=[("", "---------"), *Rule.Operator.choices], label="Is")
    values = LinesField(
        max_length_each=120, required=False, label="Words", help_text="One on each line; any of them."
    )

    class Meta:
        model = Rule
        fields = (
            "name",
            "kind",
            "position",
            "attribute",
            "operator",
            "values",
            "low",
            "high",
            "points",
            "group",
        )
        labels = {"position": "Order", "low": "From", "high": "To"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shown_when(self.fields["values"], operator=sorted(TEXT_OPERATORS))
        shown_when(self.fields["low"], operator=sorted(NUMBER_OPERATORS))
        shown_when(self.fields["high"], operator=sorted(NUMBER_OPERATORS))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("operator") not in TEXT_OPERATORS:
            cleaned["values"] = self.instance.values = []
        if cleaned.get("operator") not in NUMBER_OPERATORS:
            cleaned["low"] = cleaned["high"] = None
        return cleaned


class BehaviourRuleForm(RuleForm):
    kinds = BEHAVIOUR_KINDS

    class Meta:
        model = Rule
        fields = (
            "name",
            "kind",
            "position",
            "signal",
            "min_count",
            "max_count",
            "window_days",
            "points",
            "per_occurrence",
            "cap",
            "group",
            "decay",
            "decay_days",
            "decay_percent",
            "decay_floor_percent",
        )
        labels = {
            "position": "Order",
            "min_count": "At least … times",
            "max_count": "At most … times",
            "window_days": "Within … days",
            "per_occurrence": "Each time",
            "cap": "At most … points",
            "decay": "Fading",
            "decay_days": "Every, or over, … days",
            "decay_percent": "Loses … % each time",
            "decay_floor_percent": "… % always stay",
        }
        help_texts = {
            "max_count": "Empty: however often. It no longer holds once seen more often.",
            "window_days": "Empty: however long ago.",
            "per_occurrence": "Gives the points for every time, not only once.",
            "cap": "Empty: no bound.",
            "decay": "How its points get fewer while it is not seen again. In steps: loses a share every so "
            "many days. Evenly: gone after so many days. Halves: half every so many days.",
            "decay_percent": "",
            "decay_floor_percent": "0 if it may fade to nothing.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["signal"].required = True
        self.fields["min_count"].min_value = 1  # type: ignore[attr-defined]
        self.fields["decay"] = forms.ChoiceField(
            choices=Rule.Decay.choices,
            required=False,
            label="Fading",
            help_text=self.fields["decay"].help_text,
        )
        for name in ("per_occurrence", "cap", "decay"):
            shown_when(self.fields[name], kind=WITH_POINTS)
        for name in ("decay_days", "decay_floor_percent"):
            self.fields[name].required = False
            shown_when(self.fields[name], kind=WITH_POINTS, decay=FADING)
        shown_when(self.fields["decay_percent"], kind=WITH_POINTS, decay=[Rule.Decay.STEP])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("kind") not in WITH_POINTS:
            cleaned |= {"per_occurrence": False, "cap": None, "decay": Rule.Decay.NONE}
        self._clean_decay(cleaned)
        return cleaned

    def _clean_decay(self, cleaned: dict[str, Any]) -> None:
        """What does not belong to the chosen fading is passed over; what it needs is asked for."""
        decay = cleaned.get("decay") or Rule.Decay.NONE
        if decay == Rule.Decay.NONE:
            cleaned["decay_days"] = None
        elif cleaned.get("decay_days") is None and "decay_days" not in self.errors:
            self.add_error("decay_days", "Say over how many days the points fade.")
        if decay != Rule.Decay.STEP:
            cleaned["decay_percent"] = None
        elif cleaned.get("decay_percent") is None and "decay_percent" not in self.errors:
            self.add_error("decay_percent", "Say how many per cent of the points each step takes.")
        floor = cleaned.get("decay_floor_percent") if decay else 0
        cleaned["decay_floor_percent"] = floor or 0
        # A field with a default that is not sent keeps its old value, unless it is set here.
        self.instance.decay = decay


def points_advice(kind: str, points: int) -> str:
    """What is wrong with the points for this kind of rule; blank if nothing is."""
    if abs(points) > MAX_POINTS:
        return f"Points must lie between −{MAX_POINTS:,} and {MAX_POINTS:,}."
    if kind not in WITH_POINTS:
        return "This kind of rule gives no points: leave 0." if points else ""
    if kind == Kind.NEGATIVE:
        return "" if points < 0 else "A negative rule takes points away: write for example -15."
    return "" if points > 0 else "Give at least 1 point, or choose the kind “Negative”."


def rule_of(rule: Rule) -> FitRule | BehaviourRule:
    """The row in the rule language. Raises RuleRefused."""
    return load_fit_rule(rule) if rule.signal is None else load_behaviour_rule(rule, rule.signal)


def sentence_of(rule: Rule) -> str:
    """The row as a plain sentence, also while it makes no sense yet."""
    try:
        return rule_sentence(rule_of(rule))
    except (RuleRefused, ValueError) as refusal:
        return str(refusal)
