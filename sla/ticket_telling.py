"""What is said of tickets: to their owners when they are at work, and once more when they are late."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction
from django.urls import reverse

from accounts.models import User
from notifications.models import Notification
from notifications.services import Message, send_messages
from sla.breaches import MOST_SINGLE_MESSAGES, managers_of
from sla.calendars import working_hours_of
from sla.models import Ticket, TicketQuerySet
from sla.shifts import is_at_work

TITLE_LENGTH = 200
BATCH = 500


@transaction.atomic
def tell_owners(*, now: datetime) -> int:
    """Tell those who are at work now of tickets that were opened while they were off; say of how many.

    The mark is Ticket.told_at. Safe to repeat and to run twice at once.
    """
    waiting = _claim(Ticket.objects.to_tell().order_by("id"))
    hours = working_hours_of({ticket.owner_id: ticket.owner for ticket in waiting}.values(), around=now)
    heard = [ticket for ticket in waiting if is_at_work(hours[ticket.owner_id][1], now)]
    if heard:
        Ticket.objects.filter(pk__in=[ticket.pk for ticket in heard]).update(told_at=now)
        tell_about(heard, now=now)
    return len(heard)


@transaction.atomic
def remind_of_late_tickets(*, now: datetime) -> int:
    """Tell owner and managers, once, of each ticket that nobody has answered in time; say of how many.

    The mark is Ticket.reminded_at. Safe to repeat and to run twice at once.
    """
    late = _claim(Ticket.objects.to_remind_of(now).order_by("due_at"))
    if not late:
        return 0
    Ticket.objects.filter(pk__in=[ticket.pk for ticket in late]).update(reminded_at=now)
    received: dict[User, list[Ticket]] = defaultdict(list)
    managers = {team_id: managers_of(team_id) for team_id in {ticket.owner.team_id for ticket in late}}
    for ticket in late:
        for person in {ticket.owner, *managers[ticket.owner.team_id]}:
            received[person].append(ticket)
    send_messages(
        [message for person, theirs in received.items() for message in _reminders(person, theirs)], now=now
    )
    return len(late)


def _claim(tickets: TicketQuerySet) -> list[Ticket]:
    """Some tickets, locked, passing over what another process holds: the next sweep finds it."""
    locked = tickets.select_related("owner").select_for_update(skip_locked=True, no_key=True, of=("self",))
    return list(locked[:BATCH])


def key_of(ticket: Ticket) -> str:
    """The key of the message to its owner; a later owner is another recipient of the same."""
    return f"ticket-{ticket.pk}"


def tell_about(tickets: Collection[Ticket], *, now: datetime) -> None:
    """One message to the owner of each; who has got many at once is told so in one."""
    owned: dict[User, list[Ticket]] = defaultdict(list)
    for ticket in tickets:
        owned[ticket.owner].append(ticket)
    messages: list[Message] = []
    for owner, theirs in owned.items():
        if len(theirs) > MOST_SINGLE_MESSAGES:
            first = theirs[0]
            title = f"{len(theirs)} tickets to look into"
            messages.append(_summary(owner, f"tickets-from-{first.pk}", title, f"The first: {first.title}"))
        else:
            ask = "Please look into it and say what came of it."
            messages += [_message(owner, key_of(each), each.title, ask, each) for each in theirs]
    send_messages(messages, now=now)


def _reminders(person: User, late: Sequence[Ticket]) -> list[Message]:
    if len(late) > MOST_SINGLE_MESSAGES:
        oldest = min(late, key=lambda ticket: ticket.due_at)
        title = f"{len(late)} tickets are overdue"
        return [_summary(person, f"tickets-late-from-{oldest.pk}", title, f"The oldest: {oldest.title}")]
    return [
        _message(
            person,
            f"{key_of(ticket)}-late",
            f"Overdue ticket: {ticket.title}"[:TITLE_LENGTH],
            "It is yours." if ticket.owner == person else f"It is with {ticket.owner}.",
            ticket,
        )
        for ticket in late
    ]


def _message(to: User, key: str, title: str, body: str, ticket: Ticket) -> Message:
    url = ticket.get_absolute_url()
    return Message(Notification.Kind.TASK, key, title, body, url, recipient=to)


def _summary(to: User, key: str, title: str, body: str) -> Message:
    return Message(Notification.Kind.TASK, key, title, body, reverse("sla:tickets"), recipient=to)
