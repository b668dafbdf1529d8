"""Keys of rows, as text from outside."""

from __future__ import annotations

from django import forms
from django_filters import NumberFilter
from drf_spectacular.utils import extend_schema_field

MAX_ID = 2**63 - 1  # PostgreSQL's bigint


def parse_id(text: str) -> int:
    """A whole number that can be a row's key. Raises ValueError."""
    number = int(text)
    if not 0 < number <= MAX_ID:
        raise ValueError("no row can have this key")
    return number


def not_an_id(of: str) -> str:
    return f"This is the number of a {of}: a whole number from 1."


@extend_schema_field({"type": "integer", "minimum": 1, "maximum": MAX_ID})
class IdFilter(NumberFilter):
    """A row's key in a query string. Django's own number filter takes any decimal, as long as it likes."""

    field_class = forms.IntegerField

    def __init__(self, field_name: str, *, of: str) -> None:
        super().__init__(
            field_name=field_name,
            min_value=1,
            max_value=MAX_ID,
            error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), not_an_id(of)),
        )
