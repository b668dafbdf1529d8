"""For which handoffs a policy is meant: plain values, compared (SLA-1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class HandoffFacts:
    """What policies are matched on. Blank or None: nobody knows."""

    handoff_id: int
    category: str
    warmth: str
    source: str
    is_instant_mql: bool
    is_catch_all: bool = False
    country: str = ""
    industry: str = ""
    employee_count: int | None = None


@dataclass(frozen=True)
class Conditions:
    """All of them have to hold; a blank one holds for any handoff, also for one whose value is unknown."""

    category: str = ""
    warmth: str = ""
    source: str = ""
    countries: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    min_employees: int | None = None
    max_employees: int | None = None
    is_instant_mql: bool | None = None
    is_catch_all: bool | None = None

    def hold_for(self, facts: HandoffFacts) -> bool:
        return (
            self.category in ("", facts.category)
            and self.warmth in ("", facts.warmth)
            and self.source.casefold() in ("", facts.source.casefold())
            and self.is_instant_mql in (None, facts.is_instant_mql)
            and self.is_catch_all in (None, facts.is_catch_all)
            and (not self.countries or facts.country.casefold() in _casefolded(self.countries))
            and (not self.industries or facts.industry.casefold() in _casefolded(self.industries))
            and self._allow_size(facts.employee_count)
        )

    def take_all_of(self, later: Conditions) -> bool:
        """Whether every handoff for which the later conditions hold is taken by these already."""
        return (
            self.category in ("", later.category)
            and self.warmth in ("", later.warmth)
            and self.source.casefold() in ("", later.source.casefold())
            and self.is_instant_mql in (None, later.is_instant_mql)
            and self.is_catch_all in (None, later.is_catch_all)
            and _contains(self.countries, later.countries)
            and _contains(self.industries, later.industries)
            and self._contain_sizes_of(later)
        )

    @property
    def has_sizes(self) -> bool:
        return self.min_employees is not None or self.max_employees is not None

    def _allow_size(self, employees: int | None) -> bool:
        if not self.has_sizes:
            return True
        if employees is None:
            return False
        above = self.min_employees is None or employees >= self.min_employees
        return above and (self.max_employees is None or employees <= self.max_employees)

    def _contain_sizes_of(self, later: Conditions) -> bool:
        if not self.has_sizes:
            return True
        if not later.has_sizes:
            return False  # it also takes companies of unknown size
        from_below = (self.min_employees or 0) <= (later.min_employees or 0)
        if self.max_employees is None:
            return from_below
        return from_below and later.max_employees is not None and later.max_employees <= self.max_employees


def _casefolded(texts: Iterable[str]) -> set[str]:
    return {text.casefold() for text in texts}


def _contains(wide: tuple[str, ...], narrow: tuple[str, ...]) -> bool:
    """Whether one list of allowed values lets through all that the other does; an empty list is any."""
    return not wide or (bool(narrow) and _casefolded(narrow) <= _casefolded(wide))
