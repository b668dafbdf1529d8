"""What people may ask of the Salesforce pages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django import forms

from common.errors import InvalidInput
from crm.credentials import clean_org_address
from crm.ids import full_id
from crm.models import Connection


class CauseForm(forms.Form):
    """One cause of refusals, by Salesforce's code; blank: any."""

    cause = forms.CharField(max_length=80, required=False)

    def code(self) -> str:
        """The code. Raises InvalidInput for what cannot be one."""
        if not self.is_valid():
            raise InvalidInput("That is not a cause. Choose one from the page.", field="cause")
        return str(self.cleaned_data["cause"])


class RecordForm(forms.Form):
    """The id of a record in Salesforce."""

    salesforce_id = forms.CharField(label="Id of the record", max_length=18)

    def clean_salesforce_id(self) -> str:
        record_id = full_id(str(self.cleaned_data["salesforce_id"]).strip())
        if not re.fullmatch(r"00Q[A-Za-z0-9]{15}", record_id):
            raise forms.ValidationError("Enter the id of a lead: 15 or 18 characters, beginning with 00Q.")
        return record_id

    def record_id(self) -> str:
        """The 18-character id. Raises InvalidInput."""
        if not self.is_valid():
            raise InvalidInput(str(self.errors["salesforce_id"][0]), field="salesforce_id")
        return str(self.cleaned_data["salesforce_id"])


# --- The steps of the connection ------------------------------------------------------------------


class AddressForm(forms.Form):
    url = forms.URLField(
        label="My Domain address",
        max_length=200,
        assume_scheme="https",
        widget=forms.URLInput(attrs={"placeholder": "https://yourcompany.my.salesforce.com"}),
        help_text="In Salesforce: Setup, My Domain, Current My Domain URL. "
        "A sandbox has an address of its own.",
    )

    def clean_url(self) -> str:
        try:
            return clean_org_address(str(self.cleaned_data["url"]))
        except InvalidInput as refusal:
            raise forms.ValidationError(str(refusal)) from refusal


class LoginForm(forms.Form):
    login = forms.ChoiceField(
        label="How we sign in",
        choices=(
            (
                Connection.Login.CLIENT_CREDENTIALS,
                "Client id and secret: the simplest. The External Client App has “Enable Client Credentials "
                "Flow” ticked and names the user to run as.",
            ),
            (
                Connection.Login.JWT_BEARER,
                "Signed token (JWT): no secret leaves this server. The app holds our certificate, and its "
                "policy approves the integration user beforehand.",
            ),
        ),
        initial=Connection.Login.CLIENT_CREDENTIALS,
        widget=forms.RadioSelect,
    )


class SecretText(forms.Textarea):
    """Never shown again, not even to whoever has just entered it wrong."""

    def format_value(self, value: Any) -> None:
        return None


class ClientSecretForm(forms.Form):
    """Credentials of the client credentials flow. A secret is entered, never shown again."""

    client_id = forms.CharField(
        label="Consumer key",
        max_length=255,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="In Salesforce: Setup, External Client App Manager, your app, Settings, OAuth Settings.",
    )
    secret = forms.CharField(
        label="Consumer secret",
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Beside the consumer key. It is stored encrypted and not shown again.",
    )


class PrivateKeyForm(forms.Form):
    """Credentials of the JWT bearer flow."""

    client_id = forms.CharField(
        label="Consumer key",
        max_length=255,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="In Salesforce: Setup, External Client App Manager, your app, Settings, OAuth Settings.",
    )
    username = forms.CharField(
        label="User name of the integration user",
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="It looks like an e-mail address. The app must be approved for this user beforehand.",
    )
    audience = forms.ChoiceField(
        label="Kind of org",
        choices=(
            ("https://login.salesforce.com", "Production or Developer Edition"),
            ("https://test.salesforce.com", "Sandbox"),
        ),
    )
    secret = forms.CharField(
        label="Private key",
        max_length=8000,
        widget=SecretText(attrs={"rows": 6, "autocomplete": "off", "spellcheck": "false"}),
        help_text="The whole PEM, from BEGIN to END, without a password. Its certificate is uploaded to the "
        "app. It is stored encrypted and not shown again.",
    )


CREDENTIALS_FORMS: dict[str, type[ClientSecretForm] | type[PrivateKeyForm]] = {
    Connection.Login.CLIENT_CREDENTIALS: ClientSecretForm,
    Connection.Login.JWT_BEARER: PrivateKeyForm,
}


class ShareForm(forms.ModelForm[Connection]):
    """What we may use of the org, and where leads go that nobody there can own."""

    class Meta:
        model = Connection
        fields = ("daily_share", "kept_for_handoffs", "bulk_from", "fallback_queue_id")
        labels = {
            "daily_share": "Our share of the day's API calls, in per cent",
            "kept_for_handoffs": "Of it kept for handoffs, in per cent",
            "bulk_from": "Waiting leads from which on they travel in bulk",
            "fallback_queue_id": "Queue for leads whose owner Salesforce does not take",
        }
        help_texts = {
            "daily_share": "When it is used up, changes wait: other programs of the org keep theirs.",
            "kept_for_handoffs": "Scores and details wait earlier, so that a handoff always goes through.",
            "bulk_from": "A bulk job takes 50,000 leads in a handful of calls, but some minutes longer.",
            "fallback_queue_id": "The id of the queue, beginning with 00G. Blank: our user owns them.",
        }

    def __init__(self, *args: Any, queues: Sequence[tuple[str, str]] = (), **kwargs: Any) -> None:
        """`queues`: ids and names to choose from; none as long as Salesforce was not asked for them."""
        super().__init__(*args, **kwargs)
        if queues:
            nobody = ("", "None: our user owns them")
            self.fields["fallback_queue_id"].widget = forms.Select(choices=[nobody, *queues])
            self.fields["fallback_queue_id"].help_text = ""
