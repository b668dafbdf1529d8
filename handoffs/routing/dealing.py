"""Who gets leads of a pool at a moment: the candidates, read once for any number of leads, and their books.

`turns` makes the choice; here it is given the right people and the right request.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cached_property

from accounts.models import User
from handoffs.models import Pool
from handoffs.routing.candidates import History, managers_of, read_candidates, read_outsiders
from handoffs.routing.routes import RoutePlan
from handoffs.routing.turns import (
    Candidate,
    Choice,
    OffShift,
    Preference,
    Request,
    Strategy,
    book,
    choose,
    choose_manager,
    has_room,
)
from leads.models import Lead


class Dealer:
    """Deals leads of one pool at one moment. `book` what was chosen before the next choice."""

    def __init__(self, pool: Pool, *, now: datetime, without: Collection[int] = ()) -> None:
        """People whose ids are in `without` are not considered."""
        self.pool = pool
        self.members = [one for one in read_candidates(pool, now=now) if one.user_id not in without]
        self._now, self._without = now, without
        self._off_shift = OffShift(pool.off_shift)
        self._people = {one.user_id: one for one in self.members}

    def choose(
        self, lead: Lead, plan: RoutePlan, *, history: History, account_owner_id: int | None
    ) -> Choice:
        """Who gets the lead by these terms, and why; nothing is booked."""
        if lead.trips > self.pool.returns_before_manager and self._managers:
            return choose_manager(
                self._managers,
                self.members,
                passed_on=history.passed_on,
                why=f"returned {lead.trips} times, so a manager looks",
                off_shift=self._off_shift,
            )
        return choose(
            [*self.members, *self._named_outsider(plan)],
            self._request(lead, plan, history, account_owner_id),
            off_shift=self._off_shift,
            catches_up=self.pool.catches_up,
        )

    def book(self, choice: Choice) -> None:
        """Let the books grow by a choice, as `books.store_offer` does in the database."""
        book(self._people, choice, at=self._now)

    def anybody_has_room(self) -> bool:
        """Whether a member could take some lead or other now."""
        return any(has_room(one, self._off_shift) for one in self.members)

    def outsider_has_room(self, user_ids: Collection[int]) -> bool:
        """Whether one of these people who is no member could take a lead of the pool now."""
        members = {one.user_id for one in self.members}
        outsiders = list(User.objects.filter(pk__in=set(user_ids) - members))
        return any(has_room(one, self._off_shift) for one in self._invite(outsiders))

    def _request(
        self, lead: Lead, plan: RoutePlan, history: History, account_owner_id: int | None
    ) -> Request:
        """Ask the earlier owner first (HAND-7), then the account's owner, then the person the rule names."""
        goes_back = lead.trips <= self.pool.returns_to_same_rep
        first = (
            (history.earlier_owner_id if goes_back else None, Strategy.EARLIER_OWNER),
            (account_owner_id if plan.account_owner_first else None, Strategy.ACCOUNT_OWNER),
            (plan.named_owner_id, Strategy.NAMED_OWNER),
        )
        declined = dict(history.passed_on)
        if not goes_back:
            for owner_id in history.owner_ids:
                declined.setdefault(owner_id, "had this lead before; after so many returns another rep looks")
        return Request(
            needs=plan.needs,
            turns=plan.turns,
            preferences=[Preference(who, strategy) for who, strategy in first if who is not None],
            declined=declined,
            to_be_claimed=plan.to_be_claimed,
        )

    # --- Those who are no members ---------------------------------------------------------------

    @cached_property
    def _managers(self) -> list[Candidate]:
        return self._invite(managers_of(self.pool))

    def _named_outsider(self, plan: RoutePlan) -> list[Candidate]:
        """The person the rule names, unless they are a member anyhow."""
        who = plan.named_owner_id
        if who is None or who in self._without or any(one.user_id == who for one in self.members):
            return []
        if who not in self._people:
            self._invite([User.objects.get(pk=who)])
        return [self._people[who]]

    def _invite(self, users: Sequence[User]) -> list[Candidate]:
        invited = [user for user in users if user.pk not in self._without]
        outsiders = read_outsiders(self.pool, invited, now=self._now)
        for one in outsiders:
            self._people.setdefault(one.user_id, one)
        return outsiders
