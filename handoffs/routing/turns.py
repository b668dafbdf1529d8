"""Whose turn it is in a pool, and why not the others' (HAND-3).

Plain values in, a choice with its reasons out. Turns are dealt by the quota method of Balinski and Young:
whoever is owed a lead and would be a whole lead behind first. With the same reps available throughout,
everybody's count stays within one of their exact share, and with equal weights within one of each other.
What a rep is owed grows only while they are available, so nobody catches up on an absence, unless the pool
says that its members do: then it grows while they are away or off shift, but never while they are full or
while a lead is not for them.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

SHARE = 10**20
"""One lead, in the whole units that shares are counted in: as many as the database keeps places."""

# What lies beyond 12 places is the rounding of shares, and must not make a rep who is owed nothing look owed,
# nor break a tie.
_GRAIN = 10**8
_ONE_LEAD = SHARE // _GRAIN
_NEVER = datetime.min.replace(tzinfo=UTC)


class Strategy(StrEnum):
    """How the owner was found."""

    EARLIER_OWNER = "Earlier owner of this lead"
    ACCOUNT_OWNER = "Owner of this account"
    NAMED_OWNER = "Named by the rule"
    ROUND_ROBIN = "Weighted round robin"
    LEAST_LOADED = "Fewest open handoffs"
    MANAGER = "A manager, after so many returns"
    OVERFLOW = "Overflow queue"
    IN_LINE = "Waits behind older leads"
    REASSIGNED = "Reassigned by a manager"
    ELSEWHERE = "Owner changed in Salesforce"
    CLAIMED = "Claimed from the overflow queue"


class Turns(StrEnum):
    """What decides among those whom nothing prefers."""

    ROUND_ROBIN = "round_robin"
    LEAST_LOADED = "least_loaded"


class OffShift(StrEnum):
    """What working hours mean to the turns; the members are those of `Pool.OffShift`."""

    OFFER = "offer"
    PREFER = "prefer"
    WAIT = "wait"


def words(values: Iterable[str]) -> frozenset[str]:
    """Words as they are compared: without regard to case and surrounding space."""
    return frozenset(value.strip().casefold() for value in values)


@dataclass(frozen=True)
class Needs:
    """What a lead asks of the rep. A blank language and no skills ask for nothing."""

    country: str = ""
    language: str = ""
    skills: tuple[str, ...] = ()

    @cached_property
    def country_word(self) -> str:
        return self.country.strip().casefold()

    @cached_property
    def language_word(self) -> str:
        return self.language.strip().casefold()


@dataclass(slots=True)
class Candidate:
    """A member of the pool with their books, which grow as leads are dealt.

    One who is no member, such as a person a rule names, has no weight: they are asked, not dealt to.
    """

    user_id: int
    name: str
    weight: int
    received: int
    entitled: int
    """Their share of the leads routed while they were available, in units of SHARE."""
    last_offered_at: datetime | None
    weekly_capacity: int
    max_open: int
    received_this_week: int = 0
    open_count: int = 0
    territory: frozenset[str] = frozenset()
    """Countries whose leads they take, by `words`; none: any."""
    languages: frozenset[str] = frozenset()
    skills: frozenset[str] = frozenset()
    unavailable: str = ""
    """Why they take part in no turn, in words: "not active in this pool". Blank: they do."""
    away: str = ""
    """Why they are not here, in words: "away until Wed 4 Mar". Blank: they are."""
    off_shift: str = ""
    """Why they are not at work, in words: "off shift until Mon 09:00". Blank: they are."""

    @property
    def full(self) -> str:
        """Why no further lead fits, in words; blank while one does."""
        if self.received_this_week >= self.weekly_capacity:
            return f"at weekly capacity, {self.received_this_week} of {self.weekly_capacity}"
        if self.open_count >= self.max_open:
            return f"at most {self.max_open} open at once, has {self.open_count}"
        return ""

    def unfit_for(self, needs: Needs) -> str:
        """Why leads with these needs are not for them, in words; blank when they are."""
        if self.territory and needs.country_word not in self.territory:
            return f"not their territory: {needs.country or 'country unknown'}"
        if needs.language and needs.language_word not in self.languages:
            return f"does not speak {needs.language}"
        if not needs.skills:
            return ""
        lacking = [skill for skill in needs.skills if skill.strip().casefold() not in self.skills]
        return f"not an expert in {', '.join(lacking)}" if lacking else ""

    def count_offer(self, *, at: datetime) -> None:
        """They have just been given a lead; whether it counts as received is the turns' matter."""
        self.received_this_week += 1
        self.open_count += 1
        self.last_offered_at = at


@dataclass(frozen=True, slots=True)
class Preference:
    """Somebody to ask before the turns are looked at."""

    user_id: int
    strategy: Strategy


@dataclass(frozen=True)
class Request:
    """A lead that asks for an owner.

    `declined` says in words who is not offered this very lead; `to_be_claimed`, why nobody is.
    """

    needs: Needs = field(default_factory=Needs)
    turns: Turns = Turns.ROUND_ROBIN
    preferences: Sequence[Preference] = ()
    declined: Mapping[int, str] = field(default_factory=dict)
    to_be_claimed: str = ""


class Considered(NamedTuple):
    """One candidate with what became of them: the answer to "why me" and "why not me"."""

    user_id: int
    name: str
    chosen: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Choice:
    """Who gets the lead (nobody: `user_id` is None), and by how much whose share grew, in units of SHARE.

    The shares of a lead that goes to a member add up to the lead; of any other there are none.
    """

    user_id: int | None
    strategy: Strategy
    considered: tuple[Considered, ...]
    shares: Mapping[int, int]


def choose(
    candidates: Collection[Candidate],
    request: Request,
    *,
    off_shift: OffShift = OffShift.PREFER,
    catches_up: bool = False,
) -> Choice:
    """Choose the rep: the first available preference, else the next in turn, else nobody."""
    everybody = sorted(candidates, key=lambda candidate: candidate.user_id)
    obstacles = {one.user_id: _obstacle(one, request) for one in everybody}
    able = [one for one in everybody if not obstacles[one.user_id]]
    present = [one for one in able if not one.away]
    available = _on_shift(present, off_shift)
    dealt = _deal(able if catches_up else available)
    chosen, strategy = _pick(available, request, dealt)
    shares = _shares(chosen, strategy, dealt)
    at_hand = {one.user_id for one in available}
    considered = tuple(
        Considered(
            one.user_id,
            one.name,
            one is chosen,
            _explain(one, chosen, strategy, shares)
            if one.user_id in at_hand
            else f"skipped: {one.unavailable or one.away or obstacles[one.user_id] or one.off_shift}",
        )
        for one in everybody
    )
    return Choice(chosen.user_id if chosen else None, strategy, considered, shares)


def choose_manager(
    managers: Collection[Candidate],
    members: Iterable[Candidate],
    *,
    passed_on: Mapping[int, str],
    why: str,
    off_shift: OffShift = OffShift.PREFER,
) -> Choice:
    """Give the lead to the available manager with the least to do, not to a member; `why` says that to them.

    The turns of the pool stay as they are.
    """
    request = Request(turns=Turns.LEAST_LOADED, declined=passed_on)
    choice = choose(managers, request, off_shift=off_shift)
    manager_ids = {one.user_id for one in managers}
    others = sorted(members, key=lambda member: member.user_id)
    passed_over = tuple(
        Considered(one.user_id, one.name, False, f"skipped: {why}")
        for one in others
        if one.user_id not in manager_ids
    )
    strategy = Strategy.OVERFLOW if choice.user_id is None else Strategy.MANAGER
    return Choice(choice.user_id, strategy, choice.considered + passed_over, {})


def wait_in_line(candidates: Iterable[Candidate]) -> Choice:
    """Give the lead to nobody yet, because older leads of the pool are waiting (HAND-4)."""
    considered = tuple(
        Considered(one.user_id, one.name, False, "skipped: older leads are handed out first")
        for one in sorted(candidates, key=lambda candidate: candidate.user_id)
    )
    return Choice(user_id=None, strategy=Strategy.IN_LINE, considered=considered, shares={})


def has_room(candidate: Candidate, off_shift: OffShift) -> bool:
    """Whether they could take some lead or other now."""
    waits = off_shift is OffShift.WAIT and candidate.off_shift
    return not (candidate.unavailable or candidate.away or candidate.full or waits)


def book(candidates: Mapping[int, Candidate], choice: Choice, *, at: datetime) -> None:
    """Let the books of the candidates, by their ids, grow by a choice: as the database's do."""
    for user_id, share in choice.shares.items():
        candidates[user_id].entitled += share
    if choice.user_id is not None:
        candidates[choice.user_id].count_offer(at=at)
        candidates[choice.user_id].received += bool(choice.shares)


# --- Who may ------------------------------------------------------------------------------------


def _obstacle(one: Candidate, request: Request) -> str:
    """Why this lead could not go to them even if they were here and at work."""
    return (
        one.unavailable
        or request.to_be_claimed
        or one.full
        or one.unfit_for(request.needs)
        or request.declined.get(one.user_id, "")
    )


def _on_shift(present: list[Candidate], off_shift: OffShift) -> list[Candidate]:
    if off_shift is OffShift.OFFER:
        return present
    at_work = [one for one in present if not one.off_shift]
    return at_work if at_work or off_shift is OffShift.WAIT else present


# --- Who it is ----------------------------------------------------------------------------------


def _pick(
    available: Sequence[Candidate], request: Request, dealt: Mapping[int, int]
) -> tuple[Candidate | None, Strategy]:
    by_id = {candidate.user_id: candidate for candidate in available}
    for preference in request.preferences:
        if preference.user_id in by_id:
            return by_id[preference.user_id], preference.strategy
    if request.turns is Turns.LEAST_LOADED:
        if available:
            return min(available, key=_load), Strategy.LEAST_LOADED
        return None, Strategy.OVERFLOW
    members = [one for one in available if one.weight]
    if not members:
        return None, Strategy.OVERFLOW
    return _next_in_turn(members, dealt), Strategy.ROUND_ROBIN


def _load(one: Candidate) -> tuple[int, datetime, int]:
    return one.open_count, one.last_offered_at or _NEVER, one.user_id


def _next_in_turn(members: Sequence[Candidate], shares: Mapping[int, int]) -> Candidate:
    owed = {one.user_id: _round(one.entitled + shares[one.user_id] - one.received * SHARE) for one in members}
    # Whole numbers over one denominator: a quotient would make ties that are none, or miss one.
    denominator = math.lcm(*(one.weight for one in members))

    def turn(one: Candidate) -> tuple[int, datetime, int]:
        until_a_lead_behind = (_ONE_LEAD - owed[one.user_id]) * (denominator // one.weight)
        return until_a_lead_behind, one.last_offered_at or _NEVER, one.user_id

    # After absences and preferences it may be that everybody available is ahead; then the least so.
    return min([one for one in members if owed[one.user_id] > 0] or members, key=turn)


def _round(units: int) -> int:
    return (units + _GRAIN // 2) // _GRAIN


def _shares(chosen: Candidate | None, strategy: Strategy, dealt: Mapping[int, int]) -> Mapping[int, int]:
    """By how much whose share grows. Who is given a lead for having little to do neither earns nor loses a
    turn by it, and one who is no member has no turns."""
    if chosen is None or not chosen.weight:
        return {}
    if strategy is Strategy.LEAST_LOADED:
        return {chosen.user_id: SHARE}
    return dealt


def _deal(entitled: Sequence[Candidate]) -> dict[int, int]:
    """Each one's part of the lead about to be given out; together the lead."""
    members = [one for one in entitled if one.weight]
    total = sum(one.weight for one in members)
    return {one.user_id: (2 * one.weight * SHARE + total) // (2 * total) for one in members}


# --- Why ----------------------------------------------------------------------------------------


def _explain(one: Candidate, chosen: Candidate | None, strategy: Strategy, shares: Mapping[int, int]) -> str:
    """Why an available candidate was chosen, or was not."""
    if strategy is Strategy.LEAST_LOADED:
        prefix = "fewest open handoffs" if one is chosen else "available, has no fewer open handoffs"
        return f"{prefix}: {one.open_count}"
    if one is chosen and strategy is not Strategy.ROUND_ROBIN:
        return strategy.value.lower()
    if not one.weight:
        return "available, not a member of this pool"
    prefix = "next in turn" if one is chosen else "available, not in turn"
    due = (one.entitled + shares.get(one.user_id, 0)) / SHARE
    return f"{prefix}: received {one.received}, share {due:.2f}"
