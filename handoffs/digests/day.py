"""A rep's day as it begins: what is late, what falls due today, what waits for a decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from handoffs.digests.summary import Summary, count
from handoffs.digests.turns import DAY, Turn
from handoffs.models import Handoff
from handoffs.summary import name_with_company
from notifications.wording import Fact
from sla.models import Target, Ticket

# Nobody works through more in a day; what a line does not name the queue does.
MOST_READ = 500
MOST_NAMED = 5


@dataclass(frozen=True)
class Desk:
    """The open handoffs of a rep, by what they ask for. One may be in several lists."""

    late: Sequence[Handoff]
    due: Sequence[Handoff]
    planned: Sequence[Handoff]
    undecided: Sequence[Handoff]
    new: Sequence[Handoff]


def sum_up_day(turn: Turn, *, now: datetime) -> Summary | None:
    """What this day holds for the rep; None when it holds nothing."""
    desk = _read_desk(turn, now=now)
    tickets = Ticket.objects.open().filter(owner=turn.person, due_at__lt=turn.midnight(days=1)).count()
    said = [
        f"{len(desk.late)} late" if desk.late else "",
        f"{len(desk.due)} due today" if desk.due else "",
        f"{len(desk.planned)} planned for today" if desk.planned else "",
        _to_decide_on(desk),
        count(tickets, "ticket") if tickets else "",
    ]
    parts = [part for part in said if part]
    if not parts:
        return None
    facts = [
        Fact("late", "Late", _named(desk.late, turn)),
        Fact("due", "Due today", _named(desk.due, turn)),
        Fact("planned", "Planned for today", _named(desk.planned, turn)),
        Fact("new", "New", _named(desk.new, turn)),
        Fact("undecided", "Not decided yet", str(len(desk.undecided)) if desk.undecided else ""),
        Fact("tickets", "Tickets to answer today", str(tickets) if tickets else ""),
    ]
    title = f"Your day, {_day(turn)}: {parts[0]}"
    return Summary(title, " · ".join(parts), reverse("handoffs:queue"), facts)


def _read_desk(turn: Turn, *, now: datetime) -> Desk:
    tonight = turn.midnight(days=1)
    mine = Handoff.objects.open().owned_by(turn.person).with_next_due().select_related("lead__company")
    handoffs = list(mine.most_urgent_first()[:MOST_READ])
    timed = [handoff for handoff in handoffs if handoff.next_due_at]
    undecided = [handoff for handoff in handoffs if handoff.status == Handoff.Status.OFFERED]
    return Desk(
        late=[each for each in timed if each.next_due_at and each.next_due_at < now],
        due=[each for each in timed if each.next_due_at and now <= each.next_due_at < tonight],
        planned=[each for each in handoffs if each.planned_contact_at and each.planned_contact_at < tonight],
        undecided=undecided,
        new=[each for each in undecided if each.offered_at and each.offered_at >= now - DAY],
    )


def _to_decide_on(desk: Desk) -> str:
    if not desk.undecided:
        return ""
    new = f", {len(desk.new)} of them new" if desk.new else ""
    return f"{len(desk.undecided)} to decide on{new}"


def _named(handoffs: Sequence[Handoff], turn: Turn) -> str:
    """ "Ada Berger, Nordwind (first contact 14:00); Bob Ray; and 3 more"."""
    names = [f"{name_with_company(handoff)}{_what_by(handoff, turn)}" for handoff in handoffs[:MOST_NAMED]]
    if more := len(handoffs) - len(names):
        names.append(f"and {more} more")
    return "; ".join(names)


def _what_by(handoff: Handoff, turn: Turn) -> str:
    if not (handoff.next_due_at and handoff.next_due_kind):
        return ""
    due = handoff.next_due_at.astimezone(turn.zone)
    day = "" if due.date() == turn.on else f"{due:%a} {due.day} {due:%b}, "
    return f" ({Target.Kind(handoff.next_due_kind).label.lower()} {day}{due:%H:%M})"


def _day(turn: Turn) -> str:
    return f"{turn.on:%a} {turn.on.day} {turn.on:%b}"
