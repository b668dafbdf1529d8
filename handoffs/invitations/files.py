"""Appointments as iCalendar: files to open, and invitations that calendars keep up to date.

The format is RFC 5545, what an invitation must say RFC 5546, how it travels by e-mail RFC 6047. Google and
Outlook ask for a METHOD, an organizer who sends the mail, the receiver among the attendees, and the zone's
rules within the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email.utils import parseaddr
from functools import lru_cache
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import icalendar
from django.conf import settings

from accounts.models import User
from notifications.services import Invitation

REMIND_BEFORE = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class Appointment:
    """What stands in a calendar. Calendars know it by its uid, and take it anew with a higher sequence."""

    uid: str
    sequence: int
    starts_at: datetime
    ends_at: datetime
    zone: ZoneInfo
    summary: str
    notes: Sequence[str]
    path: str


def write_entry(appointment: Appointment, *, now: datetime) -> bytes:
    """A file for oneself to open: nobody is invited."""
    return _write(_event(appointment, now=now), appointment)


def write_request(appointment: Appointment, *, person: User, now: datetime) -> Invitation:
    """Put it into a person's calendar, or move it there. Nobody is asked to answer."""
    event = _event(appointment, now=now)
    event.add("status", "CONFIRMED")
    _name_people(event, person)
    return Invitation(_write(event, appointment, method="REQUEST").decode(), "REQUEST")


def write_cancellation(appointment: Appointment, *, person: User, now: datetime) -> Invitation:
    """Take it out of a person's calendar."""
    event = _event(appointment, now=now, reminds=False)
    event.add("status", "CANCELLED")
    _name_people(event, person)
    return Invitation(_write(event, appointment, method="CANCEL").decode(), "CANCEL")


def _event(appointment: Appointment, *, now: datetime, reminds: bool = True) -> icalendar.Event:
    event = icalendar.Event()
    event.add("uid", f"{appointment.uid}@{urlsplit(settings.PORTAL_URL).hostname or 'portal'}")
    event.add("sequence", appointment.sequence)
    event.add("dtstamp", now)
    event.add("dtstart", appointment.starts_at.astimezone(appointment.zone))
    event.add("dtend", appointment.ends_at.astimezone(appointment.zone))
    event.add("summary", appointment.summary)
    url = settings.PORTAL_URL + appointment.path
    event.add("description", "\n".join(filter(None, (*appointment.notes, url))))
    event.add("url", url)
    if reminds:
        alarm = icalendar.Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", appointment.summary)
        alarm.add("trigger", -REMIND_BEFORE)
        event.add_component(alarm)
    return event


def _name_people(event: icalendar.Event, person: User) -> None:
    """The portal invites, the person is the one guest."""
    name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    event.add("organizer", _address(name, address))
    guest = _address(str(person), person.email)
    guest.params |= {"ROLE": "REQ-PARTICIPANT", "PARTSTAT": "NEEDS-ACTION", "RSVP": "FALSE"}
    event.add("attendee", guest)


def _address(name: str, address: str) -> icalendar.vCalAddress:
    calendar_address = icalendar.vCalAddress(f"mailto:{address}")
    if name:
        # Outlook does not know how RFC 6868 writes quotation marks.
        calendar_address.params["CN"] = name.replace('"', "'")
    return calendar_address


def _write(event: icalendar.Event, appointment: Appointment, *, method: str = "") -> bytes:
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//Handoff Portal//EN")
    calendar.add("version", "2.0")
    if method:
        calendar.add("method", method)
    # Whoever is in UTC needs no rules: its times are written as such.
    if "TZID" in event["DTSTART"].params:
        calendar.add_component(_zone_rules(appointment.zone.key, appointment.starts_at.year))
    calendar.add_component(event)
    written: bytes = calendar.to_ical()
    return written


@lru_cache(maxsize=256)
def _zone_rules(zone: str, year: int) -> icalendar.Timezone:
    """Its changes around this year: those of all years would be most of the file, and of the work."""
    return icalendar.Timezone.from_tzid(
        zone, first_date=date(year, 1, 1) - timedelta(days=1), last_date=date(year + 1, 1, 2)
    )
