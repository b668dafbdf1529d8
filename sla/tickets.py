"""Alarms that wait for a person: opened once, answered by somebody, reminded of when late (SLA-6)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import connection, transaction
from django.db.models import Count, QuerySet

from accounts.models import User
from common.errors import DomainError, InvalidInput, NotAllowed
from leads.models import Lead
from notifications.services import retract_messages
from sla.breaches import managers_of
from sla.business_hours import WorkingCalendar
from sla.calendars import working_hours_of
from sla.models import AlarmSetting, Ticket, TicketQuerySet
from sla.shifts import is_at_work, working_time_after
from sla.ticket_telling import TITLE_LENGTH, key_of, tell_about

log = structlog.get_logger(__name__)

ANSWER_LENGTH = 1000
# The system does not work: this is heard at night as well.
TOLD_AT_ONCE = (Ticket.Alarm.CRM_FAILING,)

# Who opens the same alarm at the same moment waits for the other here, and then inserts nothing.
_OPEN = """
    INSERT INTO sla_ticket (
        alarm, subject_key, title, url, lead_id, owner_id, opened_at, due_at, told_at, answer
    )
    SELECT alarm, subject_key, title, url, lead_id, owner_id, %(now)s, due_at, told_at, ''
    FROM json_to_recordset(%(rows)s::json) AS given (
        alarm varchar, subject_key varchar, title varchar, url varchar,
        lead_id bigint, owner_id bigint, due_at timestamptz, told_at timestamptz
    )
    ORDER BY alarm, subject_key
    ON CONFLICT (alarm, subject_key) WHERE closed_at IS NULL DO NOTHING
    RETURNING id"""


class TicketClosed(DomainError):
    """Somebody was quicker, or its cause went. The message says which."""

    code = "ticket_closed"

    def __init__(self, ticket: Ticket) -> None:
        closed = f"{ticket.closed_by} has closed this" if ticket.closed_by else "This closed by itself"
        super().__init__(f"{closed}: {ticket.answer} What you sent now is not kept.")


@dataclass(frozen=True)
class Finding:
    """Something an alarm has found. The same alarm says the same of one subject once until it is closed."""

    alarm: Ticket.Alarm
    subject_key: str
    title: str
    url: str
    lead: Lead | None
    team_id: int | None
    owner: User | None = None


# --- Opening --------------------------------------------------------------------------------------


def open_ticket(
    *,
    alarm: Ticket.Alarm,
    subject_key: str,
    title: str,
    url: str,
    lead: Lead | None,
    team_id: int | None,
    now: datetime,
    owner: User | None = None,
) -> Ticket | None:
    """Have somebody look into this, and tell them. `url` is a path within the portal.

    Without an `owner` it is whoever is responsible for the team and has the fewest open tickets. They have
    the time of the alarm's setting, in their working hours, and hear of it once: now, or when they are at
    work again. None when the alarm is switched off or its ticket on this subject is open already: repeating
    it changes nothing.
    """
    finding = Finding(alarm, subject_key, title, url, lead, team_id, owner)
    return next(iter(open_tickets([finding], now=now)), None)


@transaction.atomic
def open_tickets(findings: Sequence[Finding], *, now: datetime) -> list[Ticket]:
    """`open_ticket` for many, in a fixed number of statements; the tickets that are new."""
    settings = alarm_settings()
    new = _not_open_yet([each for each in findings if settings[each.alarm].is_active])
    owned = _choose_owners(new, now=now)
    if not owned:
        return []
    people = {owner.pk: owner for _, owner in owned}.values()
    hours = {pk: theirs for pk, (_, theirs) in working_hours_of(people, around=now).items()}
    rows = [
        _row(finding, owner, hours[owner.pk], answer_minutes=settings[finding.alarm].answer_minutes, now=now)
        for finding, owner in owned
    ]
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, {"rows": json.dumps(rows), "now": now})
        opened = [pk for (pk,) in cursor.fetchall()]
    tickets = list(Ticket.objects.filter(pk__in=opened).select_related("owner").order_by("id"))
    tell_about([ticket for ticket in tickets if ticket.told_at], now=now)
    if tickets:
        log.info("tickets_opened", alarms=dict(Counter(ticket.alarm for ticket in tickets)))
    return tickets


def alarm_settings() -> dict[str, AlarmSetting]:
    """The setting of each alarm; the usual one where nobody has written any."""
    written = {setting.alarm: setting for setting in AlarmSetting.objects.all()}
    return {alarm: written.get(alarm) or AlarmSetting(alarm=alarm) for alarm in Ticket.Alarm.values}


def _not_open_yet(findings: Sequence[Finding]) -> list[Finding]:
    """Each alarm on each subject once, without those whose ticket is open."""
    found = {(each.alarm.value, each.subject_key): each for each in findings}
    known = Ticket.objects.open().filter(subject_key__in={key for _, key in found})
    for alarm_and_key in known.values_list("alarm", "subject_key"):
        found.pop(alarm_and_key, None)
    return list(found.values())


def _choose_owners(findings: Sequence[Finding], *, now: datetime) -> list[tuple[Finding, User]]:
    """Each with its owner, or with whoever is responsible, is there and has the fewest open tickets.

    With nobody to give it to, nothing is opened, and the log says so; the next sweep tries again.
    """
    owned: list[tuple[Finding, User]] = []
    candidates: dict[tuple[bool, int | None], list[User]] = {}
    load: Counter[int] = Counter()
    if not all(each.owner for each in findings):
        counts = Ticket.objects.open().order_by().values_list("owner").annotate(Count("pk"))
        load.update(dict(counts))
    for finding in findings:
        owner = finding.owner
        if owner is None:
            key = finding.alarm == Ticket.Alarm.CRM_FAILING, finding.team_id
            if key not in candidates:
                candidates[key] = _responsible(*key, now=now)
            owner = min(candidates[key], key=lambda person: load[person.pk], default=None)
        if owner is None:
            log.warning("ticket_without_owner", alarm=finding.alarm.value)
            continue
        load[owner.pk] += 1
        owned.append((finding, owner))
    return owned


def _responsible(is_technical: bool, team_id: int | None, *, now: datetime) -> list[User]:
    """The operators for what is technical, else the team's managers; those who are away only if all are."""
    operators = User.objects.filter(role=User.Role.OPERATOR, is_active=True).order_by("id")
    people = (list(operators) if is_technical else []) or list(managers_of(team_id))
    away = set(
        User.objects.filter(
            absences__starts_at__lte=now, absences__ends_at__gt=now, pk__in=[person.pk for person in people]
        ).values_list("pk", flat=True)
    )
    present = [person for person in people if person.away_since is None and person.pk not in away]
    return present or people


def _row(
    finding: Finding, owner: User, hours: WorkingCalendar, *, answer_minutes: int, now: datetime
) -> dict[str, object]:
    is_told = finding.alarm in TOLD_AT_ONCE or is_at_work(hours, now)
    return {
        "alarm": finding.alarm.value,
        "subject_key": finding.subject_key,
        "title": finding.title[:TITLE_LENGTH],
        "url": finding.url,
        "lead_id": finding.lead.pk if finding.lead else None,
        "owner_id": owner.pk,
        "due_at": working_time_after(now, answer_minutes, hours).isoformat(),
        "told_at": now.isoformat() if is_told else None,
    }


# --- Closing --------------------------------------------------------------------------------------


@transaction.atomic
def close_ticket(ticket: Ticket, *, answer: str, by: User, now: datetime) -> Ticket:
    """Say what came of it. Its owner and managers may. Repeating one's own answer changes nothing.

    Raises NotAllowed, InvalidInput naming the field, TicketClosed.
    """
    _require_say(ticket, by, act="close")
    answer = answer.strip()
    if not answer:
        raise InvalidInput("Say in a few words what came of it.", field="answer")
    if len(answer) > ANSWER_LENGTH:
        raise InvalidInput("Keep the answer to 1,000 characters.", field="answer")
    closed = Ticket.objects.open().filter(pk=ticket.pk)
    is_closed_now = closed.update(closed_at=now, closed_by=by, answer=answer)
    ticket.refresh_from_db()
    if not is_closed_now and (ticket.closed_by_id, ticket.answer) != (by.pk, answer):
        raise TicketClosed(ticket)
    retract_messages([key_of(ticket)])
    return ticket


@transaction.atomic
def close_needless(tickets: TicketQuerySet, *, why: str, now: datetime) -> int:
    """Close open tickets whose cause has gone, by nobody, with `why` as the answer; say how many.

    What their owners were told is taken back unless they have read it.
    """
    claimed = list(tickets.open().select_for_update(skip_locked=True, of=("self",)).order_by("id"))
    if not claimed:
        return 0
    Ticket.objects.filter(pk__in=[ticket.pk for ticket in claimed]).update(closed_at=now, answer=why)
    retract_messages([key_of(ticket) for ticket in claimed])
    return len(claimed)


@transaction.atomic
def reassign_ticket(ticket: Ticket, *, to: User, by: User, now: datetime) -> Ticket:
    """Give an open ticket to somebody else, who is told. Its due time stands.

    Its owner and managers may. Raises NotAllowed, InvalidInput, TicketClosed.
    """
    _require_say(ticket, by, act="pass on")
    if not takers().filter(pk=to.pk).exists():
        raise InvalidInput(f"{to} cannot answer tickets. Choose somebody else.", field="to")
    moved = Ticket.objects.open().filter(pk=ticket.pk).exclude(owner=to).update(owner=to, told_at=now)
    ticket.refresh_from_db()
    if ticket.closed_at:
        raise TicketClosed(ticket)
    if moved and to != by:
        tell_about([ticket], now=now)
    return ticket


def takers() -> QuerySet[User]:
    """Who can be given a ticket."""
    return User.objects.filter(is_active=True).exclude(role=User.Role.READ_ONLY)


def may_answer(ticket: Ticket, user: User) -> bool:
    """Its owner may, and any manager; not who has left, or only reads by now."""
    works = user.is_active and user.role != User.Role.READ_ONLY
    return works and (user.role == User.Role.MANAGER or ticket.owner_id == user.pk)


def _require_say(ticket: Ticket, by: User, *, act: str) -> None:
    if not may_answer(ticket, by):
        raise NotAllowed(f"Only {ticket.owner} and managers can {act} this ticket.")
