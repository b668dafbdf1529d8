"""Routing rules and pools in plain sentences, for the routing pages and the admin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from handoffs.models import Pool, RoutingRule
from handoffs.routing.routes import RouteFacts

TURNS = {
    RoutingRule.Strategy.ROUND_ROBIN: "in turn, by weight",
    RoutingRule.Strategy.LEAST_LOADED: "whoever has the fewest open handoffs",
}


def leads_in_words(rule: RoutingRule) -> str:
    """Which leads the rule is for: "Leads from Germany or Austria, of category A", or "All leads"."""
    conditions = ", ".join(_conditions(rule))
    return f"Leads {conditions}" if conditions else "All leads"


def people_in_words(rule: RoutingRule) -> str:
    """Who gets them: "the rep who has the company already, else in turn, by weight"."""
    order = ["the rep who has the company already"] if rule.account_owner_first else []
    if rule.named_owner:
        order.append(str(rule.named_owner))
        order.append(TURNS[RoutingRule.Strategy.ROUND_ROBIN])
    else:
        order.append(TURNS[RoutingRule.Strategy(rule.strategy)])
    demands = [f"are expert in {_all(rule.skills)}"] if rule.skills else []
    if rule.speaks_language:
        demands.append("speak the lead's language")
    only = f"; only reps who {_all(demands)}" if demands else ""
    return ", else ".join(order) + only


def pool_in_words(pool: Pool) -> list[str]:
    """What the pool does about hours, absences, leads passed on and leads that come back, a sentence each."""
    catch_all = f"goes to {pool.catch_all}" if pool.catch_all else "waits in the overflow queue"
    return [
        {
            Pool.OffShift.OFFER: "Leads come outside working hours too.",
            Pool.OffShift.PREFER: "Whoever is on shift comes first.",
            Pool.OffShift.WAIT: "Leads wait until somebody is on shift.",
        }[Pool.OffShift(pool.off_shift)],
        "Who was away catches up on the leads they missed."
        if pool.catches_up
        else "Who was away goes on where they were.",
        f"Whoever passed a lead on is not offered it for {_count(pool.declined_for_days, 'day')}; "
        f"after {_count(max(1, pool.max_hops), 'rep')} it {catch_all}.",
        f"A returned lead {_back(pool.returns_to_same_rep)}; "
        f"returned more than {_times(pool.returns_before_manager)}, it goes to a manager.",
    ]


def facts_in_words(facts: RouteFacts) -> str:
    """What is known of a lead as far as rules look at it: "Germany, Software, 250 employees, category A"."""
    known = (
        facts.country,
        facts.industry,
        "" if facts.employee_count is None else f"{facts.employee_count:,} employees",
        f"category {facts.category}" if facts.category else "",
        f"speaks {facts.language}" if facts.language else "",
        f"about {facts.product_line}" if facts.product_line else "",
        "" if facts.deal_size is None else f"worth {facts.deal_size:,}",
        f"by {facts.source}" if facts.source else "",
    )
    return ", ".join(filter(None, known)) or "nothing is known"


def _conditions(rule: RoutingRule) -> Iterator[str]:
    if rule.countries:
        yield f"from {_any(rule.countries)}"
    if rule.industries:
        yield f"in {_any(rule.industries)}"
    if rule.employees_from is not None or rule.employees_to is not None:
        yield f"with {_span(rule.employees_from, rule.employees_to)} employees"
    if rule.categories:
        yield f"of category {_any(rule.categories)}"
    if rule.languages:
        yield f"who speak {_any(rule.languages)}"
    if rule.product_lines:
        yield f"about {_any(rule.product_lines)}"
    if rule.deal_size_from is not None or rule.deal_size_to is not None:
        yield f"worth {_span(rule.deal_size_from, rule.deal_size_to)}"
    if rule.sources:
        yield f"by {_any(rule.sources)}"


def _span(low: int | None, high: int | None) -> str:
    if low is None:
        return f"at most {high:,}"
    return f"{low:,} or more" if high is None else f"{low:,} to {high:,}"


def _any(words: Sequence[str]) -> str:
    return _joined(words, "or")


def _all(words: Sequence[str]) -> str:
    return _joined(words, "and")


def _joined(words: Sequence[str], last: str) -> str:
    *first, final = words
    return f"{', '.join(first)} {last} {final}" if first else final


def _back(returns: int) -> str:
    return f"goes back to its rep {_times(returns)}, then to another" if returns else "goes to another rep"


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
