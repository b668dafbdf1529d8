"""The next contact a rep plans for themselves, and the same as a calendar entry (QUEUE-3)."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import icalendar
from django.conf import settings
from django.db import transaction

from accounts.models import User
from common.errors import InvalidInput
from handoffs.acting import allow_text
from handoffs.contact.services import lock_accepted
from handoffs.models import Attempt, Handoff
from handoffs.summary import name_with_company
from leads.models import LeadEvent
from leads.services import log_event

PLAN_NOTE_LENGTH = 200
FARTHEST = timedelta(days=366)
# How long a contact is taken to last in a calendar, and how long before it the calendar reminds.
LASTS = timedelta(minutes=15)
REMIND_BEFORE = timedelta(minutes=10)


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
    channel = Attempt.Channel(handoff.planned_channel).label
    begins = starts_at.astimezone(ZoneInfo(zone))
    url = f"{settings.PORTAL_URL}{handoff.get_absolute_url()}"
    event = icalendar.Event.new(
        uid=f"{handoff.public_id}@{urlsplit(settings.PORTAL_URL).hostname or 'portal'}",
        summary=f"{channel}: {name_with_company(handoff)}",
        description="\n".join(line for line in (handoff.planned_note, lead.phone, lead.email, url) if line),
        url=url,
        start=begins,
        end=begins + LASTS,
        stamp=now,
        # Grows with each change of the lead, so calendars take the later one.
        sequence=lead.revision,
    )
    alarm = icalendar.Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", event["summary"])
    alarm.add("trigger", -REMIND_BEFORE)
    event.add_component(alarm)
    calendar = icalendar.Calendar.new(subcomponents=[event])
    calendar.add_missing_timezones()
    entry: bytes = calendar.to_ical()
    return entry
