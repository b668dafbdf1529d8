"""Form fields and columns of lists that show what Salesforce was found to have."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django import forms
from django.contrib import admin
from django.db import models

from crm.describing import Owner


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


def named_column(attribute: str, owners: Iterable[Owner], *, label: str) -> Callable[[models.Model], str]:
    """A column of a list that shows the name in place of the id, where Salesforce told it."""
    names = {owner.salesforce_id: owner.name for owner in owners}

    @admin.display(description=label, ordering=attribute)
    def name(row: models.Model) -> str:
        salesforce_id: str = getattr(row, attribute)
        return names.get(salesforce_id, salesforce_id)

    return name
