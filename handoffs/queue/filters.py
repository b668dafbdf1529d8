"""The query strings of the queue and of the list of leads: what may be asked, and what it means."""

from __future__ import annotations

from collections.abc import Mapping
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
        return bool(self.q or self.category or self.warmth or self.status)

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


class QueueFilterForm(forms.Form):
    """The query string of the queue. A value that makes no sense is said to be so and left out."""

    q = forms.CharField(max_length=100, required=False, label="Search")
    category = forms.ChoiceField(choices=[("", "Any category"), *LeadScore.Category.choices], required=False)
    warmth = forms.ChoiceField(choices=[("", "Any warmth"), *LeadScore.Warmth.choices], required=False)
    status = forms.ChoiceField(
        choices=[("", "Any status"), *[(status.value, status.label) for status in Handoff.OPEN]],
        required=False,
    )

    tab = forms.ChoiceField(choices=Tab.choices, required=False)

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

    q = forms.CharField(max_length=100, required=False, label="Search")
    stage = forms.ChoiceField(choices=[("", "Any stage"), *Lead.Stage.choices], required=False)
    category = forms.ChoiceField(choices=[("", "Any category"), *LeadScore.Category.choices], required=False)


def filter_form(page: str, query: Mapping[str, Any], *, viewer: User) -> forms.Form:
    """The form that reads the query string of a page that keeps views."""
    if page == SavedView.Page.QUEUE:
        return QueueFilterForm(query, viewer=viewer)
    return LeadFilterForm(query)
