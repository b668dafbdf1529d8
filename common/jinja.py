"""HTML by Jinja, for what a screen has many of, or has all the time: rows of long lists and the side bar.
Django's own templates took a millisecond a row, most of a page's time (docs/adr/0020). All else is theirs."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from common.templatetags.portal import times_now


def render_jinja(template: str, **context: Any) -> SafeString:
    """A Jinja template in templates/; `times` there puts times into words. It escapes what is not safe."""
    # Safe because of that; the engine returns a plain string.
    return SafeString(render_to_string(template, {"times": times_now()} | context, using="rows"))


@cache
def root_of(name: str) -> str:
    """Where the addresses of all objects of a page begin: "/leads/" for "leads:detail". Asking for each
    object's address takes longer than writing the rest of its row."""
    return reverse(name, args=[0]).removesuffix("0/")
