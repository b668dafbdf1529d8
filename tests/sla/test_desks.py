"""SLA-2: the hours of a person are read at once, kept by their rows, and follow every edit."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from accounts.models import Absence
from sla.business_hours import ALWAYS_OPEN
from sla.calendars import calendar_of, working_hours
from sla.desks import Desk, desk_of
from sla.models import CalendarInterval, CalendarPerson, Closure
from tests.factories import NOON
from tests.sla.factories import CalendarFactory

MARCH_9, MARCH_10 = datetime(2026, 3, 9, 7, 30, tzinfo=UTC), datetime(2026, 3, 10, tzinfo=UTC)


@pytest.fixture
def tokyo(office, bdr):
    """Where `bdr` works: with a night shift, a closure, a holiday, and two absences, one without a reason."""
    tokyo = CalendarFactory(name="Tokyo", time_zone="Asia/Tokyo", holiday_country="JP")
    CalendarInterval.objects.create(calendar=tokyo, weekday=5, opens_at="22:00", closes_at="06:30")
    Closure.objects.create(calendar=tokyo, on=date(2026, 3, 20), name="„Umzug“")  # Vernal Equinox Day
    CalendarPerson.objects.create(calendar=tokyo, person=bdr)
    Absence.objects.create(user=bdr, starts_at=MARCH_10, ends_at=MARCH_10.replace(day=12), reason="Vacation")
    Absence.objects.create(user=bdr, starts_at=MARCH_9, ends_at=MARCH_10)
    return tokyo


def test_a_desk_is_what_the_calendar_and_the_hours_of_a_person_are(tokyo, office, bdr, other_bdr):
    Absence.objects.create(user=other_bdr, starts_at=MARCH_9, ends_at=MARCH_10)

    for person, calendar in ((bdr, tokyo), (other_bdr, office), (None, office)):
        desk = desk_of(person, around=NOON)

        hours = working_hours(calendar_of(person), person=person, around=NOON)
        assert (desk.calendar_id, desk.hours, desk.hours.digest) == (calendar.pk, hours, hours.digest)


def test_without_a_calendar_every_minute_counts(bdr):
    assert desk_of(bdr, around=NOON) == Desk(None, ALWAYS_OPEN)


def test_hours_are_worked_out_once_and_anew_as_soon_as_a_row_differs(tokyo, bdr, other_bdr):
    CalendarPerson.objects.create(calendar=tokyo, person=other_bdr)
    before = desk_of(bdr, around=NOON).hours
    assert desk_of(bdr, around=NOON).hours is before

    known = {before, desk_of(other_bdr, around=NOON).hours}
    for edit in (
        lambda: tokyo.intervals.filter(weekday=0).update(opens_at="08:15"),
        lambda: tokyo.closures.update(name="Moved"),
        lambda: type(tokyo).objects.filter(pk=tokyo.pk).update(holiday_country="DE"),
        lambda: Absence.objects.filter(reason="").update(reason="Ill"),
        lambda: CalendarPerson.objects.filter(person=bdr).delete(),
    ):
        edit()
        known.add(desk_of(bdr, around=NOON).hours)

    assert len(known) == 7


def test_another_year_has_other_holidays(tokyo, bdr):
    later = desk_of(bdr, around=NOON.replace(year=2031)).hours

    assert later == working_hours(tokyo, person=bdr, around=NOON.replace(year=2031))
    assert later != desk_of(bdr, around=NOON).hours
