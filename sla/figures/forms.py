"""What may be asked about how promises were kept: the query string of the page, the file and the API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone

from accounts.models import Team, User
from scoring.language.terms import Category
from sla.breach_list import ChoiceInput, DayInput, check_year, midnight
from sla.figures.cohorts import Grouping, Question
from sla.models import Target

USUAL_DAYS = 30
LONGEST_DAYS = 366
PERIODS = ((7, "7 days"), (30, "30 days"), (90, "90 days"), (365, "A year"))
CATEGORY_NOT_KNOWN = "-"


class ComplianceFilter(forms.Form):
    """Everything is optional: by default the last 30 days of everybody, by rep. Days are the viewer's."""

    since = forms.DateField(required=False, widget=DayInput, label="Promised from", validators=[check_year])
    until = forms.DateField(required=False, widget=DayInput, label="to", validators=[check_year])
    team = forms.ModelChoiceField(
        Team.objects.order_by("name"), required=False, empty_label="All teams", widget=ChoiceInput
    )
    owner = forms.ModelChoiceField(
        User.objects.filter(role=User.Role.BDR).order_by("first_name", "last_name"),
        required=False,
        empty_label="All reps",
        widget=ChoiceInput,
        label="Rep",
    )
    category = forms.ChoiceField(
        choices=[
            ("", "All categories"),
            *((letter.value, f"Category {letter}") for letter in Category),
            (CATEGORY_NOT_KNOWN, "Category not known"),
        ],
        required=False,
        widget=ChoiceInput,
    )
    source = forms.CharField(
        max_length=80,
        required=False,
        widget=forms.TextInput(attrs={"class": "form-control", "placeholder": "Any source"}),
    )
    kind = forms.ChoiceField(
        choices=[("", "All targets"), *Target.Kind.choices],
        required=False,
        widget=ChoiceInput,
        label="Target",
    )
    incidents = forms.ChoiceField(
        choices=[("", "Incidents excused"), ("counted", "As if no incident were excused")],
        required=False,
        widget=ChoiceInput,
    )
    hours = forms.ChoiceField(
        choices=[("", "Times in working hours"), ("wall", "Times around the clock")],
        required=False,
        widget=ChoiceInput,
        label="Times",
    )
    by = forms.ChoiceField(
        choices=[(grouping.value, grouping.value.capitalize()) for grouping in Grouping], required=False
    )

    def __init__(self, data: Mapping[str, Any], *, now: datetime) -> None:
        asked = QueryDict(mutable=True)
        asked.update(data)
        if not asked.get("since"):
            asked["since"] = _first_day(asked.get("until"), now).isoformat()
        super().__init__(asked)
        self._now = now

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until") or timezone.localdate(self._now)
        if since and since > until:
            self.add_error("until", "The last day must not be before the first, nor the first after today.")
        elif since and (until - since).days > LONGEST_DAYS:
            self.add_error("since", "That is more than a year. Choose a later first day.")
        return cleaned

    @property
    def question(self) -> Question:
        """What a valid form asks about, up to now or the end of the last day."""
        asked = self.cleaned_data
        until = midnight(asked["until"] + timedelta(days=1)) if asked["until"] else self._now
        category = asked["category"] or None
        return Question(
            since=midnight(asked["since"]),
            until=until,
            team=asked["team"],
            owner=asked["owner"],
            category="" if category == CATEGORY_NOT_KNOWN else category,
            source=asked["source"],
            kind=asked["kind"],
            counts_incidents=asked["incidents"] == "counted",
        )

    @property
    def grouping(self) -> Grouping:
        return Grouping(self.cleaned_data["by"] or Grouping.REP)

    @property
    def shown_hours(self) -> str:
        """By what the times are shown: "business" or "wall"."""
        return self.cleaned_data["hours"] or "business"

    @property
    def is_narrow(self) -> bool:
        """Whether less is asked about than everything of the period."""
        names = ("team", "owner", "category", "source", "kind", "incidents")
        return any(self.cleaned_data.get(name) for name in names)

    @property
    def periods(self) -> list[tuple[str, str, bool]]:
        """Periods to choose with one click: what they are called, their first day, whether it is this one."""
        today = timezone.localdate(self._now)
        days = [(label, (today - timedelta(days=length)).isoformat()) for length, label in PERIODS]
        is_open = not self["until"].value()
        return [(label, first, is_open and self["since"].value() == first) for label, first in days]


def _first_day(until: object, now: datetime) -> date:
    """So many days before the last one, or before today if that is no day."""
    try:
        last = date.fromisoformat(str(until))
        check_year(last)
    except (ValueError, forms.ValidationError):
        last = timezone.localdate(now)
    return last - timedelta(days=USUAL_DAYS)
