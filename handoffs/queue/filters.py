"""The query strings of the queue and of the list of leads: what may be asked, and what it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms

from accounts.models import User
from handoffs.models import Handoff, HandoffQuerySet, SavedView
from handoffs.queue.search import lead_contains
from handoffs.queue.tabs import first_tab, tabs_of
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

    def __init__(self, *args: Any, viewer: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.viewer = viewer
        self.fields["tab"] = forms.ChoiceField(
            choices=[(tab.value, tab.label) for tab in tabs_of(viewer)], required=False
        )

    def chosen(self) -> QueueFilter:
        self.is_valid()
        values: dict[str, str] = {name: value for name, value in self.cleaned_data.items() if value}
        return QueueFilter(**({"tab": first_tab(self.viewer).value} | values))


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
