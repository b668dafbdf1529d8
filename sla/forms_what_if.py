"""Other terms to try: those of a policy, or typed target by target."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import QueryDict

from accounts.models import Team
from scoring.language.terms import Category
from sla.breach_list import ChoiceInput
from sla.figures.cohorts import Question
from sla.models import LONGEST_MINUTES, Policy, Target
from sla.versions import TargetTerms, terms_of

QUARTER_DAYS = 90


class WhatIfForm(forms.Form):
    """The query string of the page. Typed targets go before those of the policy."""

    PERIODS = (
        ("30", "last 30 days"),
        (str(QUARTER_DAYS), "last quarter (90 days)"),
        ("180", "last half-year"),
        ("365", "last year"),
    )

    days = forms.ChoiceField(choices=PERIODS, required=False, label="Promises of the", widget=ChoiceInput)
    team = forms.ModelChoiceField(
        Team.objects.order_by("name"), required=False, empty_label="All teams", widget=ChoiceInput
    )
    category = forms.ChoiceField(
        choices=[
            ("", "All categories"),
            *((letter.value, f"Category {letter.value}") for letter in Category),
        ],
        required=False,
        widget=ChoiceInput,
    )
    policy = forms.ModelChoiceField(
        Policy.objects.order_by("-is_active", "position", "id"),
        required=False,
        empty_label="No policy, only what is typed below",
        widget=ChoiceInput,
        label="Hold them to the policy",
    )

    def __init__(self, data: Mapping[str, Any]) -> None:
        asked = QueryDict(mutable=True)
        asked.update(data)
        if not asked.get("days"):
            asked["days"] = str(QUARTER_DAYS)
        super().__init__(asked)
        for kind in Target.Kind:
            self.fields[f"{kind}_mode"] = forms.ChoiceField(
                choices=[("", "As the policy says"), *Target.Mode.choices],
                required=False,
                widget=ChoiceInput,
                label=f"{kind.label}: counted in",
            )
            self.fields[f"{kind}_minutes"] = forms.IntegerField(
                required=False,
                widget=forms.NumberInput(attrs={"class": "form-control"}),
                label=f"{kind.label}: minutes",
                validators=[
                    MinValueValidator(1, "Give 1 minute or more."),
                    MaxValueValidator(LONGEST_MINUTES, "This is longer than a year: the unit is minutes."),
                ],
            )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        for kind in Target.Kind:
            mode, minutes = cleaned.get(f"{kind}_mode"), cleaned.get(f"{kind}_minutes")
            if f"{kind}_minutes" in self.errors or f"{kind}_mode" in self.errors:
                continue
            if minutes and not mode:
                self.add_error(f"{kind}_mode", "Choose what the minutes are counted in.")
            elif minutes and mode == Target.Mode.SAME_DAY:
                self.add_error(f"{kind}_minutes", "Leave them blank: by close of business has none.")
            elif mode and mode != Target.Mode.SAME_DAY and not minutes:
                self.add_error(f"{kind}_minutes", "Give the minutes allowed.")
        return cleaned

    @property
    def targets(self) -> list[TargetTerms]:
        """What a valid form wants to try; nothing, if nothing was chosen or typed."""
        asked = self.cleaned_data
        found = (
            {target.kind: target for target in terms_of(asked["policy"]).targets} if asked["policy"] else {}
        )
        for kind in Target.Kind:
            if mode := asked[f"{kind}_mode"]:
                found[kind.value] = TargetTerms(kind.value, mode, minutes=asked[f"{kind}_minutes"])
        return list(found.values())

    def question(self, *, now: datetime) -> Question:
        asked = self.cleaned_data
        return Question(
            since=now - timedelta(days=int(asked["days"])),
            until=now,
            team=asked["team"],
            category=asked["category"] or None,
        )

    @property
    def choices(self) -> list[forms.BoundField]:
        """Which promises, and which policy."""
        return [self[name] for name in ("policy", "days", "team", "category")]

    @property
    def typed(self) -> list[tuple[str, forms.BoundField, forms.BoundField]]:
        """The fields of each target with its name."""
        return [(kind.label, self[f"{kind}_mode"], self[f"{kind}_minutes"]) for kind in Target.Kind]

    @property
    def types_something(self) -> bool:
        names = (f"{kind}_{part}" for kind in Target.Kind for part in ("mode", "minutes"))
        return any(self.data.get(name) for name in names)

    @property
    def asks_nothing(self) -> bool:
        """Whether the page was opened without a question."""
        return not (self.data.get("policy") or self.types_something)
