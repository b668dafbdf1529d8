"""Forms of the handoff page. They check shape; the verbs check sense."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django import forms

from accounts.models import User
from handoffs.contact.gate import PARTS, Gate, current_gate
from handoffs.contact.planning import PLAN_NOTE_LENGTH
from handoffs.contact.services import BantAnswers
from handoffs.models import Attempt, Handoff, Qualification

# An instant as the buttons of usual times carry it.
ISO = "%Y-%m-%dT%H:%M:%S%z"

Channel, Outcome = Attempt.Channel, Attempt.Outcome

# What a person reaches for after each kind of attempt: one tap each, in this order (QUEUE-3).
QUICK_ATTEMPTS: tuple[tuple[Attempt.Channel, str, tuple[Attempt.Outcome, ...]], ...] = (
    (
        Channel.CALL,
        "telephone",
        (Outcome.CONNECTED, Outcome.VOICEMAIL, Outcome.NO_ANSWER, Outcome.WRONG_PERSON),
    ),
    (Channel.EMAIL, "envelope", (Outcome.SENT, Outcome.BOUNCED)),
    (Channel.LINKEDIN, "linkedin", (Outcome.SENT, Outcome.CONNECTED)),
    (Channel.MEETING, "calendar-event", (Outcome.CONNECTED, Outcome.NO_ANSWER)),
)


class AttemptForm(forms.Form):
    """One tap says both: channel and outcome."""

    attempt = forms.ChoiceField(
        choices=[
            (f"{channel.value}:{outcome.value}", f"{channel.label}: {outcome.label}")
            for channel, _, outcomes in QUICK_ATTEMPTS
            for outcome in outcomes
        ],
        error_messages={"required": "Tap what came of it.", "invalid_choice": "Tap one of the outcomes."},
    )
    note = forms.CharField(max_length=1000, required=False)

    def facts(self) -> dict[str, Any]:
        """What record_attempt() takes."""
        channel, outcome = self.cleaned_data["attempt"].split(":")
        return {"channel": Channel(channel), "outcome": Outcome(outcome), "note": self.cleaned_data["note"]}


class PlanForm(forms.Form):
    """When to try next: a usual time, whose button carries it, or one of one's own (QUEUE-3)."""

    quick = forms.DateTimeField(required=False, input_formats=[ISO])
    at = forms.DateTimeField(required=False, error_messages={"invalid": "Give a date and a time."})
    channel = forms.ChoiceField(choices=Attempt.Channel.choices, initial=Attempt.Channel.CALL)
    note = forms.CharField(max_length=PLAN_NOTE_LENGTH, required=False)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        cleaned["at"] = cleaned.pop("quick", None) or cleaned.get("at")
        if not cleaned["at"] and not self.errors:
            self.add_error("at", "Choose a time.")
        return cleaned

    def facts(self) -> dict[str, Any]:
        """What plan_contact() takes."""
        return {name: self.cleaned_data[name] for name in ("at", "channel", "note")}


@dataclass(frozen=True)
class BantRow:
    """One part of BANT on the page."""

    name: str
    question: str
    is_required: bool
    answer: forms.BoundField
    evidence: forms.BoundField


class BantForm(forms.Form):
    """Four questions, each with its evidence (QUEUE-4). Carries what it began with: see answers().

    `said` is one line for all of them.
    """

    said = forms.CharField(max_length=500, required=False)

    def __init__(
        self,
        *args: Any,
        qualification: Qualification | None = None,
        gate: Gate | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.gate = gate or current_gate()
        for part in PARTS:
            self.fields[part] = forms.ChoiceField(
                choices=Qualification.Answer.choices,
                initial=getattr(qualification, part, Qualification.Answer.UNKNOWN),
                show_hidden_initial=True,
                error_messages={"required": f"Say yes, no or unknown for {part}."},
            )
            self.fields[f"{part}_evidence"] = forms.CharField(
                max_length=500,
                required=False,
                initial=getattr(qualification, f"{part}_evidence", ""),
                show_hidden_initial=True,
            )

    def answers(self) -> BantAnswers:
        """What was answered since the form was drawn: a stale page leaves the rest as it is (QUEUE-5)."""
        return BantAnswers(**{name: self.cleaned_data[name] for name in self.changed_data if name != "said"})

    def all_yes(self) -> BantAnswers:
        """The answers, and yes to all that the gate asks for. What was said of all of it is the evidence of
        each that has none of its own."""
        said, parts = self.cleaned_data["said"], self.gate.requires
        yes = dict.fromkeys(parts, Qualification.Answer.YES.value)
        unproven = [f"{part}_evidence" for part in parts if not self.cleaned_data[f"{part}_evidence"]]
        return replace(self.answers(), **yes, **(dict.fromkeys(unproven, said) if said else {}))

    def rows(self) -> list[BantRow]:
        return [
            BantRow(
                name=part.capitalize(),
                question=self.gate.question(part),
                is_required=part in self.gate.requires,
                answer=self[part],
                evidence=self[f"{part}_evidence"],
            )
            for part in PARTS
        ]


class OpportunityForm(forms.Form):
    """Amount and close date; both may be left for later. Carries what it began with: see corrections()."""

    amount = forms.DecimalField(
        min_value=0, max_digits=14, decimal_places=2, required=False, show_hidden_initial=True
    )
    currency = forms.RegexField(
        r"^[A-Z]{3}$",
        initial="EUR",
        error_messages={"invalid": "Use a code of three letters, such as EUR."},
        show_hidden_initial=True,
    )
    close_on = forms.DateField(
        required=False,
        label="Expected close",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        show_hidden_initial=True,
    )

    def corrections(self) -> dict[str, Any]:
        """What was typed over since the form was drawn: a stale page leaves the rest as it is (QUEUE-5)."""
        return {name: self.cleaned_data[name] for name in self.changed_data}


class LostForm(forms.Form):
    reason = forms.CharField(max_length=200, error_messages={"required": "Say why it was lost."})


class WithdrawForm(forms.Form):
    reason = forms.CharField(max_length=200, error_messages={"required": "Say why you take it back."})


class ReassignForm(forms.Form):
    """A manager gives the handoff to another member of its pool."""

    reason = forms.CharField(max_length=200, error_messages={"required": "Say why it moves."})

    def __init__(self, *args: Any, handoff: Handoff, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        members = User.objects.filter(memberships__pool=handoff.pool_id, is_active=True)
        if handoff.owner_id is not None:
            members = members.exclude(pk=handoff.owner_id)
        self.fields["to"] = forms.ModelChoiceField(
            queryset=members.order_by("first_name", "last_name"),
            label="Give it to",
            empty_label="Choose a person",
            error_messages={"required": "Choose who gets it."},
        )
