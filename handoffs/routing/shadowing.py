"""Which routing rule takes every lead of a later one, so that the later one never applies. Pure.

Looked at one by one: a later rule whose leads several earlier ones take only together is not found.
"""

from __future__ import annotations

from collections.abc import Sequence

from handoffs.routing.routes import Conditions, RulePlan
from handoffs.routing.turns import words


def find_hidden(rules: Sequence[RulePlan]) -> dict[int, RulePlan]:
    """By the id of each rule that never applies: the first rule before it that takes all its leads."""
    hidden = {}
    for index, later in enumerate(rules):
        for earlier in rules[:index]:
            if takes_all_of(earlier.conditions, later.conditions):
                hidden[later.rule_id] = earlier
                break
    return hidden


def takes_all_of(earlier: Conditions, later: Conditions) -> bool:
    """Whether the earlier conditions hold for every lead for which the later ones do."""
    lists = (
        (earlier.countries, later.countries),
        (earlier.industries, later.industries),
        (earlier.categories, later.categories),
        (earlier.sources, later.sources),
        (earlier.languages, later.languages),
        (earlier.product_lines, later.product_lines),
    )
    ranges = (
        (earlier.employees_from, earlier.employees_to, later.employees_from, later.employees_to),
        (earlier.deal_size_from, earlier.deal_size_to, later.deal_size_from, later.deal_size_to),
    )
    return all(_names_all_of(*pair) for pair in lists) and all(_spans(*bounds) for bounds in ranges)


def _names_all_of(earlier: Sequence[str], later: Sequence[str]) -> bool:
    """An empty list holds for any lead, also for one of which nothing is known."""
    if not earlier:
        return True
    return bool(later) and words(later) <= words(earlier)


def _spans(low: int | None, high: int | None, later_low: int | None, later_high: int | None) -> bool:
    if low is None and high is None:
        return True
    if later_low is None and later_high is None:  # holds also for leads whose number is unknown
        return False
    # None is below every lower bound and above every upper one; numbers are never negative.
    reaches_down = (low or 0) <= (later_low or 0)
    reaches_up = high is None or (later_high is not None and later_high <= high)
    return reaches_down and reaches_up
