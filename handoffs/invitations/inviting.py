"""Appointments for the first contact, in the calendar of whoever is to make it (NOTE-2).

One row for each handoff says what was last sent to whom. An appointment is the next free quarter hour of the
person's working time within the window that the promise of a first contact leaves. Two handoffs from two
pools may, in the same moment, take the same quarter: then the person has two calls in it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from handoffs.invitations.files import Appointment, write_cancellation, write_request
from handoffs.invitations.slots import QUARTER, find_slot, quarters_in
from handoffs.models import CalendarInvitation, Handoff
from handoffs.summary import first_contact_by, moment_in_words, name_with_company, read_promises
from notifications.models import Notification
from notifications.preferences import who_wants_invitations, zone_of
from notifications.services import Invitation, Message, send_invitations
from sla.calendars import working_hours_of
from sla.timeline import CalendarError

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Window:
    """A handoff, its lead and owner loaded, and until when its first contact is promised."""

    handoff: Handoff
    contact_by: datetime


def windows_of(handoffs: Collection[Handoff]) -> list[Window]:
    """Those of the handoffs that somebody owns and whose promise of a first contact runs."""
    promises = read_promises([handoff.pk for handoff in handoffs])
    return [
        Window(handoff, contact_by)
        for handoff in handoffs
        if handoff.owner is not None and (contact_by := first_contact_by(promises[handoff.pk]))
    ]


def invite_owners(windows: Collection[Window], *, now: datetime) -> dict[int, Invitation]:
    """Choose when each owner makes the first contact: the invitations, by handoff, for the caller to send.

    Owners who want none, have no address, or do not work within the window are left out. Somebody else who
    held the appointment before is told that it is off. The caller holds the locks of the leads.
    """
    return {row.pk: _request(row, now=now) for row in _appoint(windows, now=now)}


def send_appointments(windows: Collection[Window], *, now: datetime) -> set[int]:
    """`invite_owners` in messages of their own; the handoffs for which somebody was invited."""
    rows = _appoint(windows, now=now)
    send_invitations(
        (
            Message(
                recipient=row.person,
                kind=Notification.Kind.HANDOFF,
                dedupe_key=_dedupe_key(row),
                title=f"First contact: {name_with_company(row.handoff)}",
                body=f"On {moment_in_words(row.starts_at, zone_of(row.person))}, instead of any other time.",
                url=row.handoff.get_absolute_url(),
                invitation=_request(row, now=now),
            )
            for row in rows
        ),
        now=now,
    )
    return {row.pk for row in rows}


def cancel_appointments(rows: Collection[CalendarInvitation], *, now: datetime) -> None:
    """Take standing appointments out of the calendars they are in. Handoff, lead and person are loaded."""
    for row in rows:
        row.sequence, row.cancelled_at = row.sequence + 1, now
    _send_cancellations(rows, now=now)
    CalendarInvitation.objects.bulk_update(rows, ["sequence", "cancelled_at"])


def _appoint(windows: Collection[Window], *, now: datetime) -> list[CalendarInvitation]:
    """The appointments made for these windows, stored; who held one before is told that it is off."""
    wanting = who_wants_invitations({window.handoff.owner for window in windows if window.handoff.owner})
    starts = _choose_starts([each for each in windows if each.handoff.owner_id in wanting], now=now)
    if not starts:
        return []
    old = CalendarInvitation.objects.select_related("person").in_bulk(starts.keys())
    rows, displaced = [], []
    for handoff in (window.handoff for window in windows if window.handoff.pk in starts):
        start = starts[handoff.pk]
        row = CalendarInvitation(
            handoff=handoff,
            person=handoff.owner,
            starts_at=start,
            ends_at=start + QUARTER,
            lead_revision=handoff.lead.revision,
        )
        if earlier := old.get(handoff.pk):
            row.sequence = earlier.sequence = earlier.sequence + 1
            earlier.handoff = handoff
            if earlier.is_standing and earlier.starts_at > now and earlier.person_id != row.person_id:
                displaced.append(earlier)
        rows.append(row)
    _send_cancellations(displaced, now=now)
    CalendarInvitation.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["handoff"],
        update_fields=["person", "starts_at", "ends_at", "sequence", "cancelled_at", "lead_revision"],
    )
    return rows


def _choose_starts(windows: Sequence[Window], *, now: datetime) -> dict[int, datetime]:
    """When each first contact is to begin, by handoff, one after the other; nothing where nobody works."""
    if not windows:
        return {}
    people = {window.handoff.owner for window in windows if window.handoff.owner}
    hours = working_hours_of(people, around=now)
    taken: defaultdict[int | None, Counter[datetime]] = defaultdict(Counter)
    others = CalendarInvitation.objects.standing().filter(person__in=people, starts_at__gt=now - QUARTER)
    others = others.exclude(handoff__in=[window.handoff.pk for window in windows])
    for person_id, starts_at in others.values_list("person_id", "starts_at"):
        taken[person_id].update(quarters_in(starts_at))
    starts: dict[int, datetime] = {}
    for window in windows:
        owner_id = window.handoff.owner_id
        assert owner_id is not None
        try:
            start = find_slot(hours[owner_id][1], since=now, until=window.contact_by, taken=taken[owner_id])
        except CalendarError as error:  # no hour in the years it knows
            log.warning("no_time_for_first_contact", person=owner_id, reason=str(error))
            continue
        if start:
            starts[window.handoff.pk] = start
            taken[owner_id].update(quarters_in(start))
    return starts


# --- What is sent -------------------------------------------------------------------------------


def _request(row: CalendarInvitation, *, now: datetime) -> Invitation:
    return write_request(_appointment(row), person=row.person, now=now)


def _send_cancellations(rows: Iterable[CalendarInvitation], *, now: datetime) -> None:
    send_invitations(
        (
            Message(
                recipient=row.person,
                kind=Notification.Kind.HANDOFF,
                dedupe_key=_dedupe_key(row),
                title=f"Cancelled: first contact, {name_with_company(row.handoff)}",
                body=f"You need not make it on {moment_in_words(row.starts_at, zone_of(row.person))}.",
                invitation=write_cancellation(_appointment(row), person=row.person, now=now),
            )
            for row in rows
        ),
        now=now,
    )


def _appointment(row: CalendarInvitation) -> Appointment:
    handoff, lead = row.handoff, row.handoff.lead
    return Appointment(
        uid=f"{handoff.public_id}-{row.person_id}",
        sequence=row.sequence,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        zone=zone_of(row.person),
        summary=f"First contact: {name_with_company(handoff)}",
        notes=(lead.title, lead.phone, lead.email),
        path=handoff.get_absolute_url(),
    )


def _dedupe_key(row: CalendarInvitation) -> str:
    return f"invitation-{row.handoff_id}-{row.sequence}"
