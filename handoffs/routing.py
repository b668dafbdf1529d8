"""Which pool a lead goes to, which rep gets it, and why not the others (HAND-3).

Plain values in, a choice with its reasons out. Turns are dealt by the quota method of Balinski and Young:
whoever is owed a lead and would be a whole lead behind first. With the same reps available throughout,
everybody's count stays within one of their exact share, and with equal weights within one of each other.
What a rep is owed grows only while they are available, so nobody catches up on an absence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from fractions import Fraction

# Shares are stored to 20 places. What lies beyond 12 is their rounding, and must not make a rep who is owed
# nothing look owed, nor break a tie.
_PLACES = 12
_NEVER = datetime.min.replace(tzinfo=UTC)


class Strategy(StrEnum):
    """How the owner was found."""

    EARLIER_OWNER = "Earlier owner of this lead"
    ACCOUNT_OWNER = "Owner of this account"
    ROUND_ROBIN = "Weighted round robin"
    OVERFLOW = "Overflow queue"
    IN_LINE = "Waits behind older leads"
    REASSIGNED = "Reassigned by a manager"
    CLAIMED = "Claimed from the overflow queue"


@dataclass(frozen=True)
class RouteFacts:
    """What the conditions of a routing rule look at."""

    country: str
    industry: str
    category: str
    source: str
    employee_count: int | None


@dataclass(frozen=True)
class Conditions:
    """When a routing rule holds. An empty condition holds for any lead."""

    countries: Sequence[str] = ()
    industries: Sequence[str] = ()
    categories: Sequence[str] = ()
    sources: Sequence[str] = ()
    employees_from: int | None = None
    employees_to: int | None = None

    def hold_for(self, facts: RouteFacts) -> bool:
        return (
            _is_one_of(facts.country, self.countries)
            and _is_one_of(facts.industry, self.industries)
            and _is_one_of(facts.category, self.categories)
            and _is_one_of(facts.source, self.sources)
            and self._fits_size(facts.employee_count)
        )

    def _fits_size(self, employee_count: int | None) -> bool:
        if self.employees_from is None and self.employees_to is None:
            return True
        if employee_count is None:  # an unknown size is in no range
            return False
        above = self.employees_from is None or employee_count >= self.employees_from
        below = self.employees_to is None or employee_count <= self.employees_to
        return above and below


def _is_one_of(value: str, wanted: Sequence[str]) -> bool:
    return not wanted or value.strip().casefold() in {word.strip().casefold() for word in wanted}


@dataclass(frozen=True)
class Candidate:
    """A member of the pool at the moment of the choice."""

    user_id: int
    name: str
    weight: int
    received: int
    entitled: Fraction
    last_offered_at: datetime | None
    weekly_capacity: int
    max_open: int
    received_this_week: int = 0
    open_count: int = 0
    unavailable: str = ""
    """Why they can take nothing now, in words: "away since Tue 3 Mar". Blank: they are here."""
    declined: str = ""
    """Why they are not offered this very lead, in words. Blank: they may be."""

    @property
    def has_capacity(self) -> bool:
        return not (self.unavailable or self._full)

    @property
    def obstacle(self) -> str:
        """Why this lead cannot go to them; blank when it can."""
        return self.unavailable or self._full or self.declined

    @property
    def _full(self) -> str:
        if self.received_this_week >= self.weekly_capacity:
            return f"at weekly capacity, {self.received_this_week} of {self.weekly_capacity}"
        if self.open_count >= self.max_open:
            return f"at most {self.max_open} open at once, has {self.open_count}"
        return ""


@dataclass(frozen=True)
class Preference:
    """Somebody to ask before the turns are looked at."""

    user_id: int
    strategy: Strategy


@dataclass(frozen=True)
class Considered:
    """One candidate with what became of them: the answer to "why me" and "why not me"."""

    user_id: int
    name: str
    chosen: bool
    reason: str


@dataclass(frozen=True)
class Choice:
    """Who gets the lead (nobody: `user_id` is None), and by how much each available one's share grew."""

    user_id: int | None
    strategy: Strategy
    considered: tuple[Considered, ...]
    shares: Mapping[int, Fraction]


def choose(candidates: Iterable[Candidate], *, preferences: Sequence[Preference] = ()) -> Choice:
    """Choose the rep: the first available preference, else the next in turn, else nobody."""
    everybody = sorted(candidates, key=lambda candidate: candidate.user_id)
    available = [candidate for candidate in everybody if not candidate.obstacle]
    shares = _shares(available)
    chosen, strategy = _pick(available, shares, preferences)
    return Choice(
        user_id=chosen.user_id if chosen else None,
        strategy=strategy,
        considered=tuple(_explain(one, chosen, strategy, shares) for one in everybody),
        shares=shares,
    )


def wait_in_line(candidates: Iterable[Candidate]) -> Choice:
    """Give the lead to nobody yet, because older leads of the pool are waiting (HAND-4)."""
    considered = tuple(
        Considered(one.user_id, one.name, False, "skipped: older leads are handed out first")
        for one in sorted(candidates, key=lambda candidate: candidate.user_id)
    )
    return Choice(user_id=None, strategy=Strategy.IN_LINE, considered=considered, shares={})


def _shares(available: Sequence[Candidate]) -> dict[int, Fraction]:
    """Each one's part of the lead about to be given out; together exactly one."""
    total = sum(candidate.weight for candidate in available)
    return {candidate.user_id: Fraction(candidate.weight, total) for candidate in available}


def _pick(
    available: Sequence[Candidate], shares: Mapping[int, Fraction], preferences: Sequence[Preference]
) -> tuple[Candidate | None, Strategy]:
    if not available:
        return None, Strategy.OVERFLOW
    by_id = {candidate.user_id: candidate for candidate in available}
    for preference in preferences:
        if preference.user_id in by_id:
            return by_id[preference.user_id], preference.strategy
    return _next_in_turn(available, shares), Strategy.ROUND_ROBIN


def _next_in_turn(available: Sequence[Candidate], shares: Mapping[int, Fraction]) -> Candidate:
    def owed(candidate: Candidate) -> Fraction:
        exact = candidate.entitled + shares[candidate.user_id] - candidate.received
        return round(exact, _PLACES)

    def turns_until_a_lead_behind(candidate: Candidate) -> Fraction:
        return (1 - owed(candidate)) / shares[candidate.user_id]

    # After absences and preferences it may be that everybody available is ahead; then the least so.
    in_turn = [candidate for candidate in available if owed(candidate) > 0] or available
    return min(
        in_turn,
        key=lambda one: (turns_until_a_lead_behind(one), one.last_offered_at or _NEVER, one.user_id),
    )


def _explain(
    candidate: Candidate, chosen: Candidate | None, strategy: Strategy, shares: Mapping[int, Fraction]
) -> Considered:
    is_chosen = chosen is not None and candidate.user_id == chosen.user_id
    if candidate.obstacle:
        reason = f"skipped: {candidate.obstacle}"
    elif is_chosen and strategy is not Strategy.ROUND_ROBIN:
        reason = strategy.value.lower()
    else:
        due = float(candidate.entitled + shares[candidate.user_id])
        prefix = "next in turn" if is_chosen else "available, not in turn"
        reason = f"{prefix}: received {candidate.received}, share {due:.2f}"
    return Considered(candidate.user_id, candidate.name, is_chosen, reason)
