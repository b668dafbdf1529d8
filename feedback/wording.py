"""What follows from a reason, as it is said on screen: a text whose placeholders follow the terms."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from leads.fit import fit_in_words

DAYS, ATTRIBUTES = "{days}", "{attributes}"
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_WRITTEN_DAYS = re.compile(r"\b\d+[ -]days?\b")


def fill_in(text: str, *, days: int | None, fit_fields: Sequence[str]) -> str:
    """The text with the delay and the fit attributes in it, such as "re-checked in 30 days"."""
    span = "some days" if days is None else "1 day" if days == 1 else f"{days} days"
    return text.replace(DAYS, span).replace(ATTRIBUTES, fit_in_words(fit_fields))


def problems_of(text: str, *, has_delay: bool, has_fit_fields: bool) -> Iterator[str]:
    """What would make the text untrue, now or when the terms change."""
    unknown = [found for found in _PLACEHOLDER.findall(text) if found not in (DAYS, ATTRIBUTES)]
    if unknown:
        yield f"Nothing fills in {', '.join(unknown)}. Use {DAYS} or {ATTRIBUTES}."
    if DAYS in text and not has_delay:
        yield f"There is no delay to fill in for {DAYS}: give one, or take it out."
    if has_delay and _WRITTEN_DAYS.search(text):
        yield f"Write {DAYS} for the number of days: it follows the delay."
    if has_fit_fields and ATTRIBUTES not in text:
        yield f"Say with {ATTRIBUTES} what must change: it follows what is ticked."
