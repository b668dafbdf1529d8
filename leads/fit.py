"""Fit attributes: what rules about fit judge, and what a returned lead may have to wait for (FEED-2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

# The fields as a change of facts names them, with what people call them.
FIT_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "title": "title",
        "country": "country",
        "company": "company",
        "company.country": "country of the company",
        "company.employee_count": "size of the company",
        "company.industry": "industry",
        "company.technologies": "tech stack",
        "company.growth_signals": "growth signals",
        "company.domain": "domain of the company",
    }
)


def is_awaited(changed: Iterable[str], *, awaited: Sequence[str]) -> bool:
    """Whether one of the changed fields is what a lead waits for: one of those, or without any a fit
    attribute."""
    return not set(awaited or FIT_FIELDS).isdisjoint(changed)


def fit_in_words(awaited: Sequence[str]) -> str:
    """Such as "country or company"; without any, "a fit attribute"."""
    words = [FIT_FIELDS.get(name, name) for name in awaited]
    if not words:
        return "a fit attribute"
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]
