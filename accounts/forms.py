"""Forms of the profile page."""

from __future__ import annotations

import zoneinfo
from typing import Any

from crispy_forms.helper import FormHelper
from django import forms

from accounts.models import ApiToken, User
from accounts.roles import SCOPES_OF_ROLE


class ProfileForm(forms.ModelForm[User]):
    class Meta:
        model = User
        fields = ("first_name", "last_name", "email", "time_zone", "theme")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones = sorted(zoneinfo.available_timezones())
        self.fields["time_zone"] = forms.ChoiceField(
            choices=[(zone, zone.replace("_", " ")) for zone in zones],
            help_text="All times are shown in this zone.",
        )
        self.helper = FormHelper()
        self.helper.form_tag = False


class TokenForm(forms.Form):
    name = forms.CharField(max_length=80, help_text="What it is for, such as “Website form”.")
    scopes = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple, label="It may")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        held = SCOPES_OF_ROLE[user.role]
        self.fields["scopes"] = forms.MultipleChoiceField(
            choices=[choice for choice in ApiToken.Scope.choices if choice[0] in held],
            widget=forms.CheckboxSelectMultiple,
            label="It may",
            initial=[ApiToken.Scope.READ],
        )
        self.helper = FormHelper()
        self.helper.form_tag = False
