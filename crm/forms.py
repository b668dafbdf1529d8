"""What people may ask of the Salesforce page."""

from __future__ import annotations

from django import forms

from common.errors import InvalidInput


class CauseForm(forms.Form):
    """One cause of refusals, by Salesforce's code; blank: any."""

    cause = forms.CharField(max_length=80, required=False)

    def code(self) -> str:
        """The code. Raises InvalidInput for what cannot be one."""
        if not self.is_valid():
            raise InvalidInput("That is not a cause. Choose one from the page.", field="cause")
        return str(self.cleaned_data["cause"])
