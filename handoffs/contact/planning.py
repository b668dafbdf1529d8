"""The next contact a rep plans for themselves, and the same as a calendar entry (QUEUE-3)."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from accounts.models import User
from common.errors import InvalidInput
from handoffs.acting import allow_text
from handoffs.contact.services import lock_accepted
from handoffs.invitations.files import Appointment, write_entry
from handoffs.models import Attempt, Handoff
from handoffs.summary import name_with_company
from leads.models import LeadEvent
from leads.services import log_event

PLAN_NOTE_LENGTH = 200
FARTHEST = timedelta(days=366)
# How long a contact is taken to last in a calendar.
LASTS = timedelta(minutes=15)


@transaction.atomic
def plan_contact(
    handoff: Handoff, *, at: datetime | None, channel: str = "", note: str = "", by: User, now: datetime
) -> Handoff:
    """Keep when and how the rep means to try next; `at` None takes the plan away. It is no promise: no clock.

    The same plan again changes nothing. Raises InvalidInput, NotAcceptedYet, HandoffChanged, NotAllowed.
    """
    if at is None:
        channel = note = ""
    elif channel not in Attempt.Channel:
        raise InvalidInput(f"Choose a channel: {', '.join(Attempt.Channel.values)}.", field="channel")
    elif not now < at <= now + FARTHEST:
        raise InvalidInput("Choose a time to come, within a year.", field="at")
    note = allow_text(note, field="note", length=PLAN_NOTE_LENGTH)
    lead = lock_accepted(handoff, by=by, now=now)
    planned = (handoff.planned_contact_at, handoff.planned_channel, handoff.planned_note)
    if planned == (at, channel, note):
        return handoff
    handoff.planned_contact_at, handoff.planned_channel, handoff.planned_note = at, channel, note
    handoff.save(update_fields=["planned_contact_at", "planned_channel", "planned_note"])
    # The note is text about a person: it stays out of the log, which nobody can edit.
    log_event(
        lead,
        LeadEvent.Kind.CONTACT_PLANNED,
        at=now,
        by=by,
        handoff_id=handoff.pk,
        channel=channel,
        planned_for=at.isoformat() if at else None,
    )
    return handoff


def calendar_entry(handoff: Handoff, *, starts_at: datetime, zone: str, now: datetime) -> bytes:
    """The planned contact as iCalendar, in the rep's time zone. A later plan of the handoff replaces it."""
    lead = handoff.lead
    appointment = Appointment(
        uid=str(handoff.public_id),
        # Grows with each change of the lead, so calendars take the later one.
        sequence=lead.revision,
        starts_at=starts_at,
        ends_at=starts_at + LASTS,
        zone=ZoneInfo(zone),
        summary=f"{Attempt.Channel(handoff.planned_channel).label}: {name_with_company(handoff)}",
        notes=(handoff.planned_note, lead.phone, lead.email),
        path=handoff.get_absolute_url(),
    )
    return write_entry(appointment, now=now)
