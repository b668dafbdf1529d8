"""Finding tickets: what is open and late, what came of those that are closed, and the same as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.db.models import Count, Q

from accounts.models import User
from common.csv_stream import csv_lines
from common.keyset import KeysetPage, newest_first_page, soonest_first_page
from sla.models import Ticket, TicketQuerySet

PAGE_ROWS = 50
CSV_HEADER = (
    "alarm", "ticket", "lead", "company", "owner", "opened_at", "due_at", "closed_at", "closed_by", "answer",
    "in_time", "subject", "ticket_id",
)  # fmt: skip


class Tab(models.TextChoices):
    """Which tickets: those to be answered by their due time, those that are closed latest first."""

    OPEN = "open", "Open"
    LATE = "late", "Late"
    MINE = "mine", "Mine"
    CLOSED = "closed", "Closed"


@dataclass(frozen=True)
class TicketCounts:
    """What waits, among the tickets a person may see."""

    open: int
    late: int
    mine: int

    def of(self, tab: Tab) -> int | None:
        """Those that are closed are not counted: there are ever more of them."""
        return {Tab.OPEN: self.open, Tab.LATE: self.late, Tab.MINE: self.mine}.get(tab)


def count_tickets(user: User, *, now: datetime) -> TicketCounts:
    """One query over the index of open tickets."""
    counts = (
        Ticket.objects.visible_to(user)
        .open()
        .aggregate(
            open=Count("pk"),
            late=Count("pk", filter=Q(due_at__lt=now)),
            mine=Count("pk", filter=Q(owner=user)),
        )
    )
    return TicketCounts(**counts)


def read_tickets(user: User, tab: Tab, *, alarm: str, now: datetime) -> TicketQuerySet:
    """The tickets of a tab that this person may see; of one alarm, or of all when it is blank."""
    tickets = Ticket.objects.visible_to(user).select_related("lead__company", "owner", "closed_by")
    if alarm:
        tickets = tickets.filter(alarm=alarm)
    match tab:
        case Tab.OPEN:
            return tickets.open()
        case Tab.LATE:
            return tickets.late(now)
        case Tab.MINE:
            return tickets.open().filter(owner=user)
        case Tab.CLOSED:
            return tickets.closed()


def read_page(tickets: TicketQuerySet, tab: Tab, *, after: str) -> KeysetPage[Ticket]:
    """One page, beginning after a key of an earlier one. Raises InvalidInput for a key that is none."""
    if tab == Tab.CLOSED:
        return newest_first_page(tickets, at="closed_at", after=after, size=PAGE_ROWS)
    return soonest_first_page(tickets, at="due_at", after=after, size=PAGE_ROWS)


def ticket_csv_lines(tickets: TicketQuerySet) -> Iterator[str]:
    rows = tickets.order_by("-opened_at", "-pk").iterator(chunk_size=1000)
    return csv_lines(CSV_HEADER, map(_csv_row, rows))


def _csv_row(ticket: Ticket) -> tuple[object, ...]:
    return (
        ticket.get_alarm_display(),
        ticket.title,
        ticket.lead.name if ticket.lead else "",
        (ticket.lead.company or "") if ticket.lead else "",
        ticket.owner,
        ticket.opened_at.isoformat(),
        ticket.due_at.isoformat(),
        ticket.closed_at.isoformat() if ticket.closed_at else "",
        ticket.closed_by or "",
        ticket.answer,
        ("yes" if ticket.closed_at <= ticket.due_at else "no") if ticket.closed_at else "",
        ticket.subject_key,
        ticket.pk,
    )
