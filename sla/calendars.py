"""From calendar rows to the working hours of a person: reading, never writing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
import structlog
from django.db.models import Exists, OuterRef, Q

from accounts.models import Absence, User
from sla import business_hours
from sla.business_hours import ALWAYS_OPEN, OUT_OF_OFFICE, Shift, WorkingCalendar
from sla.models import Calendar, CalendarPerson
from sla.timeline import CalendarError

log = structlog.get_logger(__name__)

# Public holidays are worked out for the year asked about, the one before and these many after it.
# No clock runs longer; a calendar without bounds would have to know the holidays of every year.
HOLIDAY_YEARS_AHEAD = 3


def calendar_of(person: User | None) -> Calendar | None:
    """The person's own calendar, else the default one, else nothing."""
    calendars = Calendar.objects.prefetch_related("intervals", "closures")
    if person is None:
        return calendars.filter(is_default=True).first()
    own = Exists(CalendarPerson.objects.filter(calendar=OuterRef("pk"), person=person))
    return calendars.filter(own | Q(is_default=True)).order_by(own.desc()).first()


def house_zone() -> ZoneInfo:
    """The time zone of the default calendar: for what concerns nobody in particular."""
    name = Calendar.objects.filter(is_default=True).values_list("time_zone", flat=True).first()
    return ZoneInfo(name or "UTC")


def working_hours(calendar: Calendar | None, *, person: User | None, around: datetime) -> WorkingCalendar:
    """The hours in which this person works by this calendar, valid for some years around a moment.

    A calendar that cannot be worked with must not stop a lead on its way to sales: it counts as always
    open, and the log says so. The admin refuses such calendars, so this is for rows made elsewhere.
    """
    return _hours(calendar, absences_of(person) if calendar and person else (), around=around)


def _hours(
    calendar: Calendar | None, absences: tuple[business_hours.Absence, ...], *, around: datetime
) -> WorkingCalendar:
    if calendar is None:
        return ALWAYS_OPEN
    try:
        return WorkingCalendar(
            calendar.time_zone, shifts_of(calendar), closures_of(calendar, around=around), absences
        )
    except CalendarError as error:
        log.warning("calendar_unusable", calendar=calendar.pk, reason=str(error))
        return ALWAYS_OPEN


def calendars_of(people: Iterable[User]) -> dict[int, Calendar | None]:
    """`calendar_of` for many people, by their ids, in a few queries."""
    ids = [person.pk for person in people]
    own = dict(CalendarPerson.objects.filter(person__in=ids).values_list("person_id", "calendar_id"))
    calendars = {
        calendar.pk: calendar
        for calendar in Calendar.objects.filter(
            Q(pk__in=set(own.values())) | Q(is_default=True)
        ).prefetch_related("intervals", "closures")
    }
    default = next((calendar for calendar in calendars.values() if calendar.is_default), None)
    return {person: calendars[own[person]] if person in own else default for person in ids}


def working_hours_of(
    people: Iterable[User], *, around: datetime
) -> dict[int, tuple[Calendar | None, WorkingCalendar]]:
    """Calendar and `working_hours` of many people, by their ids, in a few queries."""
    people = list(people)
    absences = _absences_by_person(people)
    calendars = calendars_of(people)
    return {
        person.pk: (
            calendars[person.pk],
            _hours(calendars[person.pk], tuple(absences[person.pk]), around=around),
        )
        for person in people
    }


def working_hours_by(
    desks: Collection[tuple[int | None, int | None]], *, around: datetime
) -> dict[tuple[int | None, int | None], WorkingCalendar]:
    """`working_hours` for many pairs of calendar and person, both by their ids, in a few queries."""
    calendars = Calendar.objects.prefetch_related("intervals", "closures").in_bulk(
        {calendar_id for calendar_id, _ in desks if calendar_id}
    )
    absences = _absences_by_person({person_id for _, person_id in desks if person_id})
    return {
        (calendar_id, person_id): _hours(
            calendars[calendar_id] if calendar_id else None,
            tuple(absences[person_id]) if person_id else (),
            around=around,
        )
        for calendar_id, person_id in desks
    }


def _absences_by_person(people: Iterable[User | int]) -> defaultdict[int, list[business_hours.Absence]]:
    absences: defaultdict[int, list[business_hours.Absence]] = defaultdict(list)
    for absence in Absence.objects.filter(user__in=people).order_by("starts_at", "id"):
        absences[absence.user_id].append(_as_value(absence))
    return absences


def shifts_of(calendar: Calendar) -> tuple[Shift, ...]:
    return tuple(
        Shift.between(interval.weekday, interval.opens_at, interval.closes_at)
        for interval in calendar.intervals.all()
    )


def closures_of(calendar: Calendar, *, around: datetime) -> tuple[business_hours.Closure, ...]:
    own = [business_hours.Closure(closure.on, closure.name) for closure in calendar.closures.all()]
    return closed_days(calendar.holiday_country, calendar.holiday_subdivision, own, year=around.year)


def closed_days(
    country: str, subdivision: str, own: Iterable[business_hours.Closure], *, year: int
) -> tuple[business_hours.Closure, ...]:
    """Closures entered by hand and public holidays; a closure's own name wins on a shared day."""
    by_day = {
        holiday.on: holiday
        for near in range(year - 1, year + HOLIDAY_YEARS_AHEAD + 1)
        for holiday in public_holidays(country, subdivision, near)
    }
    by_day |= {closure.on: closure for closure in own}
    return tuple(sorted(by_day.values()))


def absences_of(person: User) -> tuple[business_hours.Absence, ...]:
    return tuple(map(_as_value, Absence.objects.filter(user=person).order_by("starts_at", "id")))


def _as_value(absence: Absence) -> business_hours.Absence:
    return business_hours.Absence(absence.starts_at, absence.ends_at, absence.reason or OUT_OF_OFFICE)


@lru_cache(maxsize=1024)
def public_holidays(country: str, subdivision: str, year: int) -> tuple[business_hours.Closure, ...]:
    """The public holidays of a year, each named with its place: "Allerheiligen, DE-BY"."""
    if not country:
        return ()
    place = f"{country}-{subdivision}" if subdivision else country
    # Without a language the names would follow the locale of whichever process asks.
    language = holidays.country_holidays(country).default_language
    days = holidays.country_holidays(country, subdiv=subdivision or None, years=year, language=language)
    return tuple(business_hours.Closure(day, f"{name}, {place}") for day, name in sorted(days.items()))
