"""Keeping appointments true: moved when the promise or the person's hours move, off when they are void.

The mark is the revision of the lead, which every entry of its log raises. Any number of sweeps may run at
once: each claims rows nobody else holds and raises their mark in the transaction that queues the mail.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import OuterRef, Subquery

from accounts.models import User
from handoffs.invitations.inviting import Window, cancel_appointments, send_appointments, windows_of
from handoffs.invitations.slots import fits, is_working_time
from handoffs.models import CalendarInvitation, CalendarInvitationQuerySet, Handoff
from sla.business_hours import WorkingCalendar
from sla.calendars import working_hours_of

log = structlog.get_logger(__name__)

BATCH = 200  # rows one transaction claims: few enough that a verb never waits long for a lead


def reconcile_invitations(*, now: datetime) -> int:
    """Look at each appointment to come whose lead has changed; say how many were looked at.

    An appointment that still holds sends nothing. One that cannot be looked at keeps back no other: it is
    left until its lead changes again.
    """
    looked_at = 0
    while True:
        outdated = CalendarInvitation.objects.outdated(now)
        try:
            number = _reconcile(outdated, now=now)
        except Exception as error:
            log.exception("invitations_not_reconciled", error=type(error).__name__)
            number = _reconcile_one_by_one(outdated, now=now)
        if not number:
            return looked_at
        looked_at += number


def mark_outside_hours(*, now: datetime) -> int:
    """Have appointments looked at that lie outside their person's working hours by now; say how many.

    An absence or a holiday moves the deadline of a promise in working time, and with it the mark, but not
    one around the clock. What is still to come is little enough to be read as a whole.
    """
    to_come = CalendarInvitation.objects.standing().filter(starts_at__gt=now, handoff__first_contact_at=None)
    appointments = list(to_come.values_list("pk", "person_id", "starts_at"))
    people = User.objects.in_bulk({person_id for _, person_id, _ in appointments})
    hours = working_hours_of(people.values(), around=now)
    outside = [pk for pk, person_id, start in appointments if not is_working_time(hours[person_id][1], start)]
    return CalendarInvitation.objects.filter(pk__in=outside).update(lead_revision=0)


def _reconcile_one_by_one(outdated: CalendarInvitationQuerySet, *, now: datetime) -> int:
    ids = list(outdated.values_list("pk", flat=True)[:BATCH])
    for handoff_id in ids:
        try:
            _reconcile(outdated.filter(pk=handoff_id), now=now)
        except Exception as error:
            log.exception("invitation_not_reconciled", handoff=handoff_id, error=type(error).__name__)
            _raise_marks([handoff_id])
    return len(ids)


@transaction.atomic
def _reconcile(outdated: CalendarInvitationQuerySet, *, now: datetime) -> int:
    rows = _claim(outdated)
    # Once the first contact is made, the appointment is history.
    pending = [row for row in rows if row.handoff.first_contact_at is None]
    windows = {
        window.handoff.pk: window
        for window in windows_of([row.handoff for row in pending if row.handoff.is_open])
        if window.contact_by > now
    }
    hours = working_hours_of({row.person for row in pending}, around=now)
    void = [row for row in pending if not _holds(row, windows.get(row.pk), hours[row.person_id][1])]
    invited = send_appointments([windows[row.pk] for row in void if row.pk in windows], now=now)
    cancel_appointments([row for row in void if row.is_standing and row.pk not in invited], now=now)
    _raise_marks([row.pk for row in rows])
    return len(rows)


def _holds(row: CalendarInvitation, window: Window | None, hours: WorkingCalendar) -> bool:
    """Whether the appointment is good as it was sent. Without a window, one that stands is not in the way:
    the clock is paused, or the promise is missed and the first contact is still to be made."""
    handoff = row.handoff
    if not (row.is_standing and handoff.is_open and handoff.owner_id == row.person_id):
        return False
    return window is None or fits(hours, row.starts_at, window.contact_by)


def _claim(outdated: CalendarInvitationQuerySet) -> list[CalendarInvitation]:
    """Lock some together with their leads and handoffs, passing over what another process holds: verbs lock
    the lead first, and waiting for one here could close a circle."""
    related = outdated.select_related("handoff__lead__company", "handoff__owner", "person")
    return list(
        related.select_for_update(
            skip_locked=True, no_key=True, of=("self", "handoff", "handoff__lead")
        ).order_by("starts_at", "pk")[:BATCH]
    )


def _raise_marks(handoff_ids: Collection[int]) -> None:
    revision = Handoff.objects.filter(pk=OuterRef("pk")).values("lead__revision")
    rows = CalendarInvitation.objects.filter(pk__in=handoff_ids)
    rows.update(lead_revision=Subquery(revision))
