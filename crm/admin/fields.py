"""Form fields whose choices are what Salesforce was found to have."""

from __future__ import annotations

from collections.abc import Iterable

from django import forms


def choose_or_type(field: forms.Field, known: Iterable[tuple[str, str]], *, current: str) -> forms.Field:
    """A choice among what is known there; as long as nobody asked Salesforce, a field to type into.

    What is entered already stays a choice, even if Salesforce has it no more.
    """
    choices = list(known)
    if not choices:
        field.help_text = (
            f"{field.help_text} Compare the field mapping with Salesforce to choose from a list."
        )
        return field
    if current and current not in dict(choices):
        choices.append((current, f"{current} (not found in Salesforce)"))
    return forms.ChoiceField(label=field.label, required=field.required, choices=[("", "Choose…"), *choices])
