"""Who is not at work now by their calendar, and until when. Absences are another matter."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from accounts.models import User
from sla.business_hours import WorkingCalendar
from sla.calendars import calendars_of, working_hours
from sla.models import Calendar
from sla.timeline import CalendarError

WEEK = timedelta(days=7)


def who_is_off_shift(people: Iterable[User], *, at: datetime) -> dict[int, str]:
    """Why these people are not at work, by their ids: "off shift until Mon 09:00", "public holiday: …".

    Who is at work is left out. Without a calendar one is always at work.
    """
    calendars = calendars_of(people)
    why = {
        calendar.pk: why_closed(calendar, at=at)
        for calendar in set(calendars.values())
        if calendar is not None
    }
    return {
        person: why[calendar.pk] for person, calendar in calendars.items() if calendar and why[calendar.pk]
    }


def why_closed(calendar: Calendar, *, at: datetime) -> str:
    """Why nobody works by this calendar at the moment, in its own time zone; blank while they do."""
    hours = working_hours(calendar, person=None, around=at)
    try:
        if hours.is_open(at):
            return ""
        opens_at = hours.next_open(at)
    except CalendarError:  # no hour in the years it knows
        return "off shift"
    zone = ZoneInfo(hours.zone)
    today = at.astimezone(zone).date()
    closures = {closure.on: closure.name for closure in calendar.closures.all()}
    if today in closures:
        return f"closed: {closures[today]}"
    holiday = next((closure.name for closure in hours.closures if closure.on == today), "")
    return f"public holiday: {holiday}" if holiday else f"off shift until {_until(opens_at, at, zone)}"


def working_time_after(moment: datetime, minutes: int, hours: WorkingCalendar) -> datetime:
    """So many minutes of working time later; around the clock when the calendar knows no hour that late."""
    try:
        return hours.add_business_time(moment, timedelta(minutes=minutes))
    except CalendarError:
        return moment + timedelta(minutes=minutes)


def is_at_work(hours: WorkingCalendar, at: datetime) -> bool:
    """Whether somebody with these hours works at the moment, absences counted."""
    try:
        return hours.is_open(at)
    except CalendarError:  # beyond the years it knows
        return True


def _until(opens_at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """ "13:00" on the same day, "Mon 09:00" within a week, else "Mon 9 Mar, 09:00"."""
    opening, present = opens_at.astimezone(zone), now.astimezone(zone)
    if opening.date() == present.date():
        return f"{opening:%H:%M}"
    if opening.date() - present.date() < WEEK:
        return f"{opening:%a %H:%M}"
    return f"{opening:%a} {opening.day} {opening:%b, %H:%M}"
