"""The query strings of the queue and of the list of leads: what may be asked, and what it means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms

from accounts.models import User
from handoffs.models import Handoff, HandoffQuerySet, SavedView
from handoffs.queue.search import lead_contains
from handoffs.queue.tabs import Tab, first_tab, tabs_of
from leads.models import Lead
from scoring.models import LeadScore


@dataclass(frozen=True)
class QueueFilter:
    """What the query string asks for. Blank means any; `more`, all the rows that the page can show."""

    tab: str
    q: str = ""
    category: str = ""
    warmth: str = ""
    status: str = ""
    more: bool = False

    @property
    def narrows(self) -> bool:
        return self.filters_on > 0

    @property
    def filters_on(self) -> int:
        """How many of its filters leave something out; the search is one."""
        return sum(map(bool, (self.q, self.category, self.warmth, self.status)))

    def apply(self, handoffs: HandoffQuerySet) -> HandoffQuerySet:
        if self.q:
            handoffs = handoffs.filter(lead_contains(self.q, at="lead__"))
        if self.category:
            handoffs = handoffs.filter(category=self.category)
        if self.warmth:
            handoffs = handoffs.filter(warmth=self.warmth)
        if self.status:
            handoffs = handoffs.filter(status=self.status)
        return handoffs


def _search() -> forms.CharField:
    sentences = {
        "max_length": "Search for at most 100 characters.",
        "null_characters_not_allowed": "Search for characters that can be typed.",
    }
    return forms.CharField(max_length=100, required=False, label="Search", error_messages=sentences)


def _any_of(name: str, choices: Sequence[tuple[str, str]]) -> forms.ChoiceField:
    """A filter of this name, "Any …" first. What is none of the choices is refused by naming them."""
    labels = ", ".join(label for _, label in choices)
    return forms.ChoiceField(
        choices=[("", f"Any {name}"), *choices],
        required=False,
        error_messages={"invalid_choice": f"“%(value)s” is no {name}. Choose one of {labels}."},
    )


class QueueFilterForm(forms.Form):
    """The query string of the queue. A value that makes no sense is said to be so and left out."""

    q = _search()
    category = _any_of("category", LeadScore.Category.choices)
    warmth = _any_of("warmth", LeadScore.Warmth.choices)
    status = _any_of("status", [(status.value, status.label) for status in Handoff.OPEN])

    tab = forms.ChoiceField(
        choices=Tab.choices,
        required=False,
        error_messages={"invalid_choice": "The queue has no part “%(value)s”."},
    )

    def __init__(self, *args: Any, viewer: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.viewer = viewer

    def clean_tab(self) -> str:
        tab: str = self.cleaned_data["tab"]
        if tab and tab not in tabs_of(self.viewer):
            raise forms.ValidationError("This part of the queue is not yours to see.")
        return tab


def read_filter(query: Mapping[str, str], *, viewer: User) -> QueueFilter:
    """What a query string asks the queue for, as far as it makes sense. Each poll asks for it, and making a
    form took as long as its statements: so the fields of the form are asked without one."""
    values = {name: _cleaned(field, query.get(name)) for name, field in QueueFilterForm.base_fields.items()}
    if values["tab"] not in tabs_of(viewer):
        values["tab"] = first_tab(viewer).value
    return QueueFilter(**values, more="more" in query)


def _cleaned(field: forms.Field, value: str | None) -> str:
    try:
        return str(field.clean(value))
    except forms.ValidationError:
        return ""


class LeadFilterForm(forms.Form):
    """The query string of /leads/."""

    q = _search()
    stage = _any_of("stage", Lead.Stage.choices)
    category = _any_of("category", LeadScore.Category.choices)


def filter_form(page: str, query: Mapping[str, Any], *, viewer: User) -> forms.Form:
    """The form that reads the query string of a page that keeps views."""
    if page == SavedView.Page.QUEUE:
        return QueueFilterForm(query, viewer=viewer)
    return LeadFilterForm(query)
