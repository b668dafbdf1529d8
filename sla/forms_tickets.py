"""What people type and choose on the pages of tickets."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet

from accounts.models import User
from sla.breach_list import ChoiceInput
from sla.models import Ticket
from sla.ticket_list import Tab
from sla.tickets import ANSWER_LENGTH, takers


class TicketFilter(forms.Form):
    """The query string of the list. Everything is optional."""

    tab = forms.ChoiceField(choices=Tab.choices, required=False)
    alarm = forms.ChoiceField(
        choices=[("", "All alarms"), *Ticket.Alarm.choices], required=False, widget=ChoiceInput
    )

    @property
    def chosen_tab(self) -> Tab:
        """Of a valid form: what is open unless something else is asked for."""
        return Tab(self.cleaned_data["tab"] or Tab.OPEN)


class TicketAnswerForm(forms.Form):
    answer = forms.CharField(
        max_length=ANSWER_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        label="What came of it?",
        help_text="What you found and what was done. It is kept with the ticket.",
        error_messages={"required": "Say in a few words what came of it."},
    )


class PassOnForm(forms.Form):
    to = forms.ModelChoiceField(
        User.objects.none(),
        label="Give it to",
        empty_label="Choose a person",
        error_messages={
            "required": "Choose who takes it.",
            "invalid_choice": "This person cannot answer tickets. Choose somebody else.",
        },
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people: QuerySet[User] = takers().order_by("first_name", "last_name")
        self.fields["to"].queryset = people  # type: ignore[attr-defined]  # of a ModelChoiceField
