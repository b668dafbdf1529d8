"""Long lists as HTML. Rows of lists are Jinja templates: Django's own took a millisecond a row, most of a
page's time (docs/adr/0020). All else is Django's."""

from __future__ import annotations

from typing import Any

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString


def render_rows(template: str, **context: Any) -> SafeString:
    """The rows, from a Jinja template in templates/. It escapes whatever is not marked as safe."""
    # Safe because of that; the engine returns a plain string.
    return SafeString(render_to_string(template, context, using="rows"))


def root_of(name: str) -> str:
    """Where the addresses of all objects of a page begin: "/leads/" for "leads:detail". Asking for each
    object's address takes longer than writing the rest of its row."""
    return reverse(name, args=[0]).removesuffix("0/")


def name_of(first_name: str | None, last_name: str | None, *otherwise: str | None) -> str:
    """What a person is called: as Lead.name and User.__str__ say it, for rows that hold columns only."""
    full = f"{first_name or ''} {last_name or ''}".strip()
    return full or next(filter(None, otherwise), "")
