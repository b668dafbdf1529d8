"""The engine for rows of long lists and the side bar: the tags of common.templatetags.portal as functions."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment

from common.templatetags import portal

# How the chip of a category is drawn: A stands out most.
CATEGORY_CHIPS = {"A": "chip-solid", "B": "chip-accent", "C": "chip-outline"}


def make_environment(**options: Any) -> Environment:
    """Django hands over its own options, escaping among them."""
    environment = Environment(trim_blocks=True, lstrip_blocks=True, **options)
    environment.globals.update(
        address=portal.address,
        icon=portal.icon,
        score_axes=portal.score_axes,
        category_chips=CATEGORY_CHIPS,
    )
    environment.filters["points"] = portal.points
    return environment
