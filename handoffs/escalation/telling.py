"""Who is told what by the steps: one message for each, or one for all when there are many.

After an outage one message that says how many is read; forty messages are not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.urls import reverse

from accounts.models import User
from handoffs.escalation.cases import Case
from handoffs.escalation.lapses import lapses_in_words
from handoffs.models import Handoff, Pool
from handoffs.routing.assignment import managers_of
from handoffs.telling import (
    tell_catch_all,
    tell_new_owners,
    tell_old_owner,
    tell_overflow,
    tell_overflow_of_bulk,
)
from notifications.models import Notification
from notifications.services import Message, notify_users, send_messages
from sla.breaches import MOST_SINGLE_MESSAGES
from sla.wording import missed_in_words

KIND = Notification.Kind.ESCALATION


class Telling:
    """What the steps of a sweep have to tell, collected and then sent."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._reminders: defaultdict[User, list[Case]] = defaultdict(list)
        self._reports: defaultdict[User, list[Case]] = defaultdict(list)
        self._gained: defaultdict[User, list[Handoff]] = defaultdict(list)
        self._lost: defaultdict[User, list[Handoff]] = defaultdict(list)
        self._unclaimed: defaultdict[Pool, list[Handoff]] = defaultdict(list)
        self._others: list[Message] = []

    def remind(self, owner: User, case: Case) -> None:
        self._reminders[owner].append(case)

    def notify_manager(self, manager: User, case: Case) -> None:
        self._reports[manager].append(case)

    def tell_of_move(self, handoff: Handoff, old_owner: User, *, is_given_up: bool) -> None:
        """A handoff went from one who let it lapse to the next, or to the overflow queue."""
        self._lost[old_owner].append(handoff)
        if handoff.owner:
            self._gained[handoff.owner].append(handoff)
        else:
            self._unclaimed[handoff.pool].append(handoff)
        if is_given_up:
            tell_catch_all(handoff, managers_of(handoff.pool), now=self._now)

    def tell_of_rest(self, rep: User, lapses: int, managers: Iterable[User], case: Case) -> None:
        """A rep was taken out of the rotation: they and their managers hear why, and how it ends."""
        why = f"{lapses_in_words(lapses)} in a row went unanswered"
        key = f"rest-{case.clock.pk}-{rep.pk}"
        profile = reverse("accounts:profile")
        self._others.append(
            Message(
                KIND,
                key,
                "You get no new leads for now",
                f"{why.capitalize()}. Say “I am back” on your profile, and new leads reach you again.",
                profile,
                recipient=rep,
            )
        )
        self._others += [
            Message(
                KIND,
                key,
                f"{rep} gets no new leads for now",
                f"{why.capitalize()}. It ends when they say that they are back.",
                reverse("sla:breach", args=[case.clock.pk]),
                recipient=manager,
            )
            for manager in managers
            if manager != rep
        ]

    def send(self) -> None:
        messages = list(self._others)
        for owner, cases in self._reminders.items():
            singles = [_reminder(owner, case) for case in cases]
            messages += self._at_most_few(singles, owner, cases, url=reverse("handoffs:queue"))
        for manager, cases in self._reports.items():
            singles = [_report(manager, case) for case in cases]
            messages += self._at_most_few(singles, manager, cases, url=reverse("sla:breaches"))
        send_messages(messages, now=self._now)
        self._tell_of_moves()

    def _at_most_few(
        self, singles: Sequence[Message], person: User, cases: Sequence[Case], *, url: str
    ) -> Sequence[Message]:
        if len(singles) <= MOST_SINGLE_MESSAGES:
            return singles
        first = min((case.clock for case in cases), key=lambda clock: clock.due_at)
        return [
            Message(
                KIND,
                # One a sweep, although it works in batches.
                f"escalations-{url}-{self._now.isoformat()}",
                f"{len(cases)} targets overdue",
                f"The oldest: {first.get_kind_display().lower()} for {first.lead}.",
                url,
                recipient=person,
            )
        ]

    def _tell_of_moves(self) -> None:
        few = [handoff for theirs in self._gained.values() if _are_few(theirs) for handoff in theirs]
        tell_new_owners(few, now=self._now)
        for owner, theirs in self._gained.items():
            if not _are_few(theirs):
                self._tell_in_one(owner, "gained", f"{len(theirs)} leads that others let lapse are yours now")
        for owner, theirs in self._lost.items():
            if _are_few(theirs):
                for handoff in theirs:
                    tell_old_owner(handoff, owner, now=self._now)
            else:
                self._tell_in_one(owner, "lost", f"{len(theirs)} leads of yours went to others")
        for pool, theirs in self._unclaimed.items():
            managers = managers_of(pool)
            if _are_few(theirs):
                for handoff in theirs:
                    tell_overflow(handoff, managers, now=self._now)
            else:
                tell_overflow_of_bulk(pool, managers, len(theirs), now=self._now)

    def _tell_in_one(self, person: User, what: str, title: str) -> None:
        notify_users(
            [person],
            kind=Notification.Kind.HANDOFF,
            dedupe_key=f"lapsed-{what}-{self._now.isoformat()}",
            title=title,
            body="What was promised for them had come and gone.",
            url=reverse("handoffs:queue"),
            now=self._now,
        )


def _are_few(handoffs: Sequence[Handoff]) -> bool:
    return len(handoffs) <= MOST_SINGLE_MESSAGES


def _reminder(owner: User, case: Case) -> Message:
    clock = case.clock
    return Message(
        KIND,
        _key(case),
        f"{missed_in_words(clock.kind)}: {clock.lead}",
        "It is yours, and its time is up.",
        reverse("handoffs:detail", args=[clock.handoff_id]),
        recipient=owner,
    )


def _report(manager: User, case: Case) -> Message:
    clock = case.clock
    whose = f"with {clock.owner}" if clock.owner else "in the overflow queue"
    return Message(
        KIND,
        _key(case),
        f"{missed_in_words(clock.kind)}: {clock.lead}",
        f"This handoff is {whose}.",
        reverse("sla:breach", args=[clock.pk]),
        recipient=manager,
    )


def _key(case: Case) -> str:
    """Of the ladder as it stands now: the same step is told once, a later one again."""
    return f"escalation-{case.clock.pk}-{case.clock.steps_taken}"
