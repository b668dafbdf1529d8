"""What people type and tap to close the loop: answers after a conversation, disputes, tasks, the pulse. Shape
only; the verbs check sense."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.forms import BoundField

from feedback.acceptance import ACCEPTANCE_NOTE_LENGTH
from feedback.disputes import COMMENT_LENGTH
from feedback.models import AcceptanceReason, Dispute, QualityCheck
from feedback.pulses import BEST, PULSE_COMMENT_LENGTH
from feedback.quality import BEST_CONVERSATION, CHECK_NOTE_LENGTH, QUESTIONS
from feedback.tasks_for_marketing import OUTCOME_LENGTH
from leads.models import Company, Lead
from leads.whole_numbers import WHOLE_NUMBERS


class QualityForm(forms.Form):
    """One tap an answer; the fourth sends it."""

    conversation = forms.TypedChoiceField(
        coerce=int,
        choices=[(str(rate), str(rate)) for rate in range(1, BEST_CONVERSATION + 1)],
        label="How was the conversation?",
        error_messages={"required": "Rate the conversation."},
    )
    note = forms.CharField(max_length=CHECK_NOTE_LENGTH, required=False, label="Note")

    def __init__(self, *args: Any, check: QualityCheck | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if check:
            self.initial = {name: getattr(check, name) for name in (*QUESTIONS, "conversation", "note")}
        for name, question in QUESTIONS.items():
            self.fields[name] = forms.ChoiceField(
                choices=QualityCheck.Answer.choices,
                label=question,
                error_messages={"required": "Answer yes, partly or no."},
            )

    def questions(self) -> list[BoundField]:
        """The rows to tap, in the order they are asked."""
        return [self[name] for name in (*QUESTIONS, "conversation")]

    def is_unfinished(self) -> bool:
        """Whether nothing is wrong but that some answers are still to come."""
        return all(error.code == "required" for errors in self.errors.as_data().values() for error in errors)


class AcceptanceForm(forms.Form):
    drivers = forms.MultipleChoiceField(required=False, label="What mattered?")
    note = forms.CharField(max_length=ACCEPTANCE_NOTE_LENGTH, required=False, label="In your words")

    def __init__(
        self, *args: Any, drivers: Iterable[str], kept: AcceptanceReason | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if kept:
            self.initial = {"drivers": kept.drivers, "note": kept.note}
        self.fields["drivers"].choices = [(name, name) for name in drivers]  # type: ignore[attr-defined]


class DisputeForm(forms.Form):
    comment = forms.CharField(
        max_length=COMMENT_LENGTH,
        label="Why was this lead good?",
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Say why this lead was good."},
    )


class SettleForm(forms.Form):
    outcome = forms.ChoiceField(
        choices=Dispute.Outcome.choices,
        error_messages={"required": "Choose whether the rejection stands or the lead was good."},
    )
    settlement = forms.CharField(max_length=COMMENT_LENGTH, required=False, label="Why (optional)")


class PulseForm(forms.Form):
    score = forms.TypedChoiceField(
        coerce=int,
        choices=[(str(score), str(score)) for score in range(BEST + 1)],
        error_messages={"required": f"Choose a number from 0 to {BEST}."},
    )
    comment = forms.CharField(max_length=PULSE_COMMENT_LENGTH, required=False, label="Why (optional)")


# --- Correcting a lead --------------------------------------------------------------------------

# What marketing may correct on a task, as correct_lead names it, in the order it is asked for.
CORRECTABLE = {
    "first_name": "First name",
    "last_name": "Last name",
    "title": "Title",
    "email": "E-mail address",
    "phone": "Phone",
    "country": "Country",
    "language": "Language",
    "company.name": "Company",
    "company.employee_count": "Employees",
    "company.industry": "Industry",
    "company.country": "Country of the company",
    "budget": "Budget",
    "timeline": "Timeline",
    "current_solution": "Present solution",
    "pain_point": "Problem",
    "product_line": "Product line",
    "deal_size": "Deal size",
    "source": "Source",
    "campaign": "Campaign",
}
# Facts of a package that are called otherwise here; the rest are called the same.
_FIELDS_OF_FACT = {
    "name": ("first_name", "last_name"),
    "company": ("company.name",),
    "company_size": ("company.employee_count",),
    "industry": ("company.industry",),
}


class FixForm(forms.Form):
    """The lead's facts to correct, those that are missing first, and what was done."""

    outcome = forms.CharField(
        max_length=OUTCOME_LENGTH,
        label="What did you do?",
        error_messages={"required": "Say in a few words what was done."},
    )

    def __init__(self, *args: Any, lead: Lead, missing: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.missing = {
            field for fact in missing for field in _FIELDS_OF_FACT.get(fact, (fact,)) if field in CORRECTABLE
        }
        for name, label in CORRECTABLE.items():
            self.fields[name] = _field_of(lead, name, label)

    def gaps(self) -> list[BoundField]:
        return [self[name] for name in CORRECTABLE if name in self.missing]

    def rest(self) -> list[BoundField]:
        return [self[name] for name in CORRECTABLE if name not in self.missing]

    def changes(self) -> dict[str, object]:
        """What was typed over since the page was drawn, as correct_lead takes it: a stale page leaves the
        rest as it is (QUEUE-5)."""
        return {name: self.cleaned_data[name] for name in self.changed_data if name in CORRECTABLE}

    def name_of(self, field: str) -> str | None:
        """The form's name of a field that a verb complains about; None if it is not on the form."""
        return next((name for name in (field, f"company.{field}") if name in self.fields), None)


def _field_of(lead: Lead, name: str, label: str) -> forms.Field:
    owner, _, column = name.rpartition(".")
    record: Lead | Company | None = lead.company if owner else lead
    initial = getattr(record, column) if record else None
    if column in WHOLE_NUMBERS:
        _, most = WHOLE_NUMBERS[column]
        return forms.IntegerField(
            min_value=0,
            max_value=most,
            required=False,
            label=label,
            initial=initial,
            show_hidden_initial=True,
        )
    model = Company if owner else Lead
    length = model._meta.get_field(column).max_length  # type: ignore[union-attr]
    return forms.CharField(
        max_length=length, required=False, label=label, initial=initial or "", show_hidden_initial=True
    )
