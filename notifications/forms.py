"""Forms of the preferences, of channels and templates, and the filters of the log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from crispy_forms.helper import FormHelper
from django import forms
from django.db.models import Q

from accounts.models import User
from notifications.channels import may_see_all
from notifications.models import (
    Channel,
    Delivery,
    DeliveryQuerySet,
    MessageTemplate,
    Notification,
    Preference,
)
from notifications.wording import placeholders_of, unknown_placeholders

Kind = Notification.Kind

# What each kind is about, for whoever chooses among them.
ABOUT: dict[str, str] = {
    Kind.HANDOFF: "A lead is yours to decide on, or went to somebody else.",
    Kind.OVERFLOW: "Nobody was free for a lead of your team.",
    Kind.WARNING: "A deadline comes close. The queue counts down by itself.",
    Kind.BREACH: "A deadline has passed.",
    Kind.ESCALATION: "A missed deadline has consequences.",
    Kind.REJECTION: "Sales refused a lead.",
    Kind.TASK: "Something to do, with a date.",
    Kind.DISPUTE: "A rejection is questioned, or settled.",
    Kind.CRM: "Salesforce needs attention.",
    Kind.SCORING: "Rules were changed, proposed or checked.",
    Kind.DELIVERY: "A way out of the portal is broken.",
    Kind.DIGEST: "The day or the week in one message, if you ask for it below.",
}


class KindRow(NamedTuple):
    """A line of the table of kinds."""

    value: str
    label: str
    about: str
    by_email: bool
    by_channel: bool


class TimeInput(forms.TimeInput):
    input_type = "time"

    def __init__(self) -> None:
        super().__init__(format="%H:%M", attrs={"class": "form-control"})


class PreferenceForm(forms.ModelForm[Preference]):
    """Everything is in the portal anyhow; this is about what else."""

    email_kinds = forms.MultipleChoiceField(choices=Kind.choices, required=False)
    channel_kinds = forms.MultipleChoiceField(choices=Kind.choices, required=False)

    class Meta:
        model = Preference
        fields = (
            "email_kinds",
            "channel_kinds",
            "quiet_from",
            "quiet_until",
            "daily_digest_at",
            "weekly_digest",
            "wants_invitations",
        )
        widgets = {"quiet_from": TimeInput, "quiet_until": TimeInput, "daily_digest_at": TimeInput}
        help_texts = {"quiet_from": "", "quiet_until": ""}

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = user.time_zone.replace("_", " ")
        # What nobody in this role gets is not theirs to choose.
        if user.role != User.Role.BDR:
            del self.fields["daily_digest_at"]
        if user.role != User.Role.MANAGER:
            del self.fields["weekly_digest"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        ends = {"quiet_from": cleaned.get("quiet_from"), "quiet_until": cleaned.get("quiet_until")}
        for name, other in (("quiet_from", "quiet_until"), ("quiet_until", "quiet_from")):
            if ends[name] is None and ends[other] is not None and name not in self.errors:
                self.add_error(name, "Quiet hours need both ends. Leave both empty for none.")
        return cleaned

    def rows(self) -> Iterator[KindRow]:
        by_email, by_channel = (set(self[name].value() or ()) for name in ("email_kinds", "channel_kinds"))
        for value, label in Kind.choices:
            yield KindRow(value, label, ABOUT.get(value, ""), value in by_email, value in by_channel)


class ChannelForm(forms.Form):
    """A name and an address. The address is never drawn again, so it is typed as a password is."""

    name = forms.CharField(max_length=80, help_text="For you to recognise it by, such as “My Slack”.")
    address = forms.CharField(
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="It is kept encrypted and never shown again.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_tag = False


class TemplateForm(forms.ModelForm[MessageTemplate]):
    class Meta:
        model = MessageTemplate
        fields = ("kind", "subject", "body")
        widgets = {"body": forms.Textarea(attrs={"rows": 12, "cols": 80})}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        kind = cleaned.get("kind") or self.instance.kind
        for field in ("subject", "body"):
            unknown = unknown_placeholders(cleaned.get(field) or "", kind)
            if unknown:
                known = ", ".join(f"{{{name}}}" for name in placeholders_of(kind))
                self.add_error(field, f"Nothing fills in {', '.join(unknown)}. Use {known}.")
        return cleaned


class DeliveryFilter(forms.Form):
    """The query string of the log. Everything is optional."""

    status = forms.ChoiceField(choices=[("", "Any state"), *Delivery.Status.choices], required=False)
    person = forms.ModelChoiceField(User.objects.none(), required=False, empty_label="Everybody")
    channel = forms.ModelChoiceField(Channel.objects.none(), required=False, empty_label="Any way")

    def __init__(self, *args: Any, viewer: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people, channels = self.fields["person"], self.fields["channel"]
        assert isinstance(people, forms.ModelChoiceField)
        assert isinstance(channels, forms.ModelChoiceField)
        channels.queryset = Channel.objects.visible_in_log(viewer).select_related("person")
        if may_see_all(viewer):
            people.queryset = User.objects.order_by("first_name", "last_name")
        else:
            del self.fields["person"]
        for field in self.fields.values():
            field.widget.attrs["class"] = "form-select"

    @property
    def is_narrow(self) -> bool:
        return any(self.cleaned_data.values())

    def narrow(self, deliveries: DeliveryQuerySet) -> DeliveryQuerySet:
        """Apply the filters of a valid form."""
        chosen = self.cleaned_data
        narrowed = Q()
        if chosen["status"]:
            narrowed &= Q(status=chosen["status"])
        if chosen.get("person"):
            narrowed &= Q(recipient=chosen["person"])
        if chosen["channel"]:
            narrowed &= Q(channel=chosen["channel"])
        return deliveries.filter(narrowed)
