"""What each step of a ladder needs, whom it is for, and what it does.

A step is first looked at, which changes nothing, and then taken, if it is worth it. What can be done for many
at once is kept until `finish`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.urls import reverse

from accounts.models import User
from common.errors import DomainError
from handoffs.escalation.cases import Case
from handoffs.escalation.lapses import lapses_in_a_row, lapses_in_words, take_out_of_rotation
from handoffs.escalation.people import People
from handoffs.escalation.telling import Telling
from handoffs.models import Handoff
from handoffs.routing.assignment import lock_pools
from handoffs.routing.lapsing import NextOwner, choose_next_owner, give_to_next, route_of_lapsed
from handoffs.routing.routes import RoutePlan
from sla.ladder import Action, Overdue
from sla.models import Ticket
from sla.tickets import Finding, open_tickets
from sla.versions import Step
from sla.wording import missed_in_words

CLOSED = "The handoff is closed."


class Steps:
    """The steps of some cases at one moment. The caller holds the locks of their leads."""

    def __init__(self, cases: Sequence[Case], people: People, *, now: datetime) -> None:
        self.now = now
        self.moved: list[Handoff] = []
        """Handoffs that went to somebody else by a step taken here."""
        self._people = people
        self._telling = Telling(now)
        self._routes: dict[int, RoutePlan | str] = {}
        self._next_owners: dict[int, NextOwner] = {}
        self._to_review: list[Case] = []
        self._to_flag: list[Handoff] = []
        self._lock_pools_for(cases)

    def look_at(self, case: Case, position: int) -> Overdue:
        """Whether a step can be taken, and whether whom it is for is at work."""
        step, handoff = case.ladder[position], case.handoff
        obstacle = CLOSED if handoff is None else self._obstacle(case, handoff, step, position)
        waits = step.waits_for_receiver and not obstacle
        waits_until = self._people.back_at(self._receivers(case, step)) if waits else None
        if handoff and step.action == Action.REASSIGN and not obstacle and not waits_until:
            # Asked when it is to be done: whoever is off now may take it in the morning.
            obstacle = self._why_nobody_takes_it(handoff)
        return Overdue(
            position, step.action, case.time_of(position), obstacle=obstacle, waits_until=waits_until
        )

    def take(self, case: Case, position: int) -> str:
        """Do it, and say in words what was done."""
        handoff, step = case.handoff, case.ladder[position]
        assert handoff is not None, CLOSED
        match step.action:
            case Action.REMIND:
                return self._remind(case)
            case Action.NOTIFY_MANAGER:
                return self._notify_managers(case, step)
            case Action.REASSIGN:
                return self._reassign(handoff)
            case Action.REVIEW:
                self._to_review.append(case)
                return "Asked a manager to look into it."
            case Action.FLAG_CRM:
                self._to_flag.append(handoff)
                return "Salesforce shows it as overdue."
            case _:
                return self._rest(case, step)

    def finish(self) -> None:
        """Do what was kept for all cases together."""
        flagged = {handoff.pk for handoff in self._to_flag}
        Handoff.objects.filter(pk__in=flagged).update(flagged_at=self.now)
        open_tickets([_finding(case) for case in self._to_review], now=self.now)
        self._telling.send()

    # --- Looking ------------------------------------------------------------------------------------

    def _obstacle(self, case: Case, handoff: Handoff, step: Step, position: int) -> str:
        match step.action:
            case Action.REMIND:
                return self._why_no_reminder(case, position)
            case Action.NOTIFY_MANAGER:
                return "" if self._people.managers_of(case.clock.team_id) else "There is no manager to tell."
            case Action.REASSIGN:
                route = self._routes[handoff.pk]
                return route if isinstance(route, str) else ""
            case Action.FLAG_CRM:
                return "Salesforce shows it as overdue already." if handoff.flagged_at else ""
            case Action.REST:
                return _why_no_rest(case, step)
            case _:
                return ""

    def _why_no_reminder(self, case: Case, position: int) -> str:
        owner = case.owner
        if owner is None:
            return "Nobody owns it: it waits in the overflow queue."
        if not owner.is_active:
            return f"{owner} no longer works here."
        if owner.away_since:
            return f"{owner} is away."
        # Somebody who is in the office tomorrow is reminded then; on vacation, the next step is of more use.
        if self._people.is_out_of_office(owner) and not case.is_last(position):
            return f"{owner} is out of the office, so it is left to the next step."
        return ""

    def _why_nobody_takes_it(self, handoff: Handoff) -> str:
        route = self._routes[handoff.pk]
        assert isinstance(route, RoutePlan), "looked at"
        if handoff.pk not in self._next_owners:
            try:
                self._next_owners[handoff.pk] = choose_next_owner(handoff, route, now=self.now)
            except DomainError as refusal:
                return str(refusal)
        return ""

    def _receivers(self, case: Case, step: Step) -> Sequence[User]:
        """Who is to act on it, so that one of them has to be at work; nobody: it can be done at any time."""
        match step.action:
            case Action.REMIND | Action.REST:
                return [case.owner] if case.owner else []
            case Action.NOTIFY_MANAGER | Action.REVIEW:
                return self._people.managers_of(case.clock.team_id)
            case Action.REASSIGN if case.handoff:
                route = self._routes[case.handoff.pk]
                assert isinstance(route, RoutePlan), "looked at"
                members = self._people.members_of(route.pool_id)
                return [member for member in members if member != case.handoff.owner]
            case _:
                return []

    def _lock_pools_for(self, cases: Sequence[Case]) -> None:
        """All at once and in order, since one after the other they could be somebody else's in between."""
        pools: set[int] = set()
        for case in cases:
            handoff = case.handoff
            if handoff is None or not any(
                case.ladder[position].action == Action.REASSIGN for position in case.overdue(self.now)
            ):
                continue
            try:
                self._routes[handoff.pk] = route = route_of_lapsed(handoff)
            except DomainError as refusal:
                self._routes[handoff.pk] = str(refusal)
            else:
                pools |= {handoff.pool_id, route.pool_id}
        if pools:
            lock_pools(*pools)

    # --- Taking -------------------------------------------------------------------------------------

    def _remind(self, case: Case) -> str:
        assert case.owner is not None, "looked at"
        self._telling.remind(case.owner, case)
        return f"Reminded {case.owner}."

    def _notify_managers(self, case: Case, step: Step) -> str:
        managers = self._people.managers_of(case.clock.team_id)
        # One who works now can act on it; the others need not hear of it at night.
        told = (self._people.at_work(managers) if step.waits_for_receiver else []) or managers
        for manager in told:
            self._telling.notify_manager(manager, case)
        return f"Told {', '.join(map(str, told))}."

    def _reassign(self, handoff: Handoff) -> str:
        old_owner, found = handoff.owner, self._next_owners[handoff.pk]
        assert old_owner is not None, "looked at"
        give_to_next(handoff, found, now=self.now)
        self.moved.append(handoff)
        self._telling.tell_of_move(handoff, old_owner, is_given_up=found.route.is_catch_all)
        to = handoff.owner or f"the overflow queue of {found.pool}"
        return f"From {old_owner} to {to}."

    def _rest(self, case: Case, step: Step) -> str:
        rep, lapses = case.owner, step.lapses or 1
        assert rep is not None, "looked at"
        if not take_out_of_rotation(rep, lapses=lapses, now=self.now):
            return f"{rep} has just gone away."
        rep.away_since = self.now
        self._telling.tell_of_rest(rep, lapses, self._people.managers_of(case.clock.team_id), case)
        return f"{rep} gets nothing new until back: {lapses_in_words(lapses)} in a row went unanswered."


def _why_no_rest(case: Case, step: Step) -> str:
    rep, needed = case.owner, step.lapses or 1
    if rep is None:
        return "Nobody owns it: it waits in the overflow queue."
    if rep.away_since:
        return f"{rep} is away already."
    found = lapses_in_a_row(rep, most=needed)
    if found < needed:
        return f"{lapses_in_words(found)} in a row went unanswered; it takes {needed}."
    return ""


def _finding(case: Case) -> Finding:
    clock = case.clock
    return Finding(
        alarm=Ticket.Alarm.ESCALATED,
        subject_key=f"handoff-{clock.handoff_id}",
        title=f"{missed_in_words(clock.kind)}: {clock.lead}",
        # Not the breach's page: a manager may pass the ticket on to a rep, who has no access there.
        url=reverse("handoffs:detail", args=[clock.handoff_id]),
        lead=clock.lead,
        team_id=clock.team_id,
    )
