"""Where somebody works, and when: read in one statement, worked out once.

The hours of a person are asked for with every handoff, and they hardly ever change. So they are kept by the
rows they are made of: an edit of those, wherever it is made, changes the key, and nothing has to be dropped.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache

import structlog

from accounts.models import User
from common.prepared import ask_prepared
from sla.business_hours import ALWAYS_OPEN, OUT_OF_OFFICE, Absence, Closure, Shift, WorkingCalendar
from sla.calendars import closed_days
from sla.timeline import CalendarError

log = structlog.get_logger(__name__)

# The person's own calendar, else the default one; its rows and the person's absences as one text.
_DESK = """
    SELECT calendar.id, json_build_object(
        'zone', calendar.time_zone,
        'country', calendar.holiday_country,
        'subdivision', calendar.holiday_subdivision,
        'shifts', ARRAY(
            SELECT json_build_array(weekday, opens_at, closes_at)
            FROM sla_calendarinterval WHERE calendar_id = calendar.id ORDER BY weekday, opens_at
        ),
        'closures', ARRAY(
            SELECT json_build_array("on", name)
            FROM sla_closure WHERE calendar_id = calendar.id ORDER BY "on"
        ),
        'absences', ARRAY(
            SELECT json_build_array(starts_at, ends_at, reason)
            FROM accounts_absence WHERE user_id = %(person)s::bigint ORDER BY starts_at, id
        )
    )::text
    FROM sla_calendar calendar
    LEFT JOIN sla_calendarperson own ON own.calendar_id = calendar.id AND own.person_id = %(person)s::bigint
    WHERE own.id IS NOT NULL OR calendar.is_default
    ORDER BY own.id IS NULL
    LIMIT 1"""


@dataclass(frozen=True)
class Desk:
    """A calendar and the hours that somebody works by it. Where there is none, every minute counts."""

    calendar_id: int | None
    hours: WorkingCalendar


def desk_of(person: User | None, *, around: datetime) -> Desk:
    """What `calendar_of` and `working_hours` say, in one statement. Nobody works by the default one."""
    rows = ask_prepared(_DESK, {"person": person.pk if person else None})
    if not rows:
        return Desk(None, ALWAYS_OPEN)
    calendar_id, text = rows[0]
    try:
        return Desk(calendar_id, _hours(text, around.year))
    except CalendarError as error:
        log.warning("calendar_unusable", calendar=calendar_id, reason=str(error))
        return Desk(calendar_id, ALWAYS_OPEN)


@lru_cache(maxsize=1024)
def _hours(text: str, year: int) -> WorkingCalendar:
    """The hours that these rows stand for, around a year."""
    rows = json.loads(text)
    own = [Closure(date.fromisoformat(on), name) for on, name in rows["closures"]]
    return WorkingCalendar(
        rows["zone"],
        tuple(
            Shift.between(weekday, time.fromisoformat(opens), time.fromisoformat(closes))
            for weekday, opens, closes in rows["shifts"]
        ),
        closed_days(rows["country"], rows["subdivision"], own, year=year),
        tuple(
            Absence(datetime.fromisoformat(start), datetime.fromisoformat(end), reason or OUT_OF_OFFICE)
            for start, end, reason in rows["absences"]
        ),
    )
