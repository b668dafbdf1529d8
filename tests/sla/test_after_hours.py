"""SLA-3: what comes in outside working hours is due two business hours into the next business day."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sla.business_hours import ALWAYS_OPEN, Absence, Closure, Shift, WorkingCalendar
from sla.deadlines import set_deadline
from sla.models import Target
from sla.versions import TargetTerms

BERLIN = ZoneInfo("Europe/Berlin")
TEN_TO_SIX = tuple(Shift(day, 10 * 60, 18 * 60) for day in range(5))
LUNCH = tuple(Shift(day, *hours) for day in range(5) for hours in ((600, 780), (840, 1080)))
HOLIDAYS = (Closure(date(2026, 5, 1), "Labour Day, DE"), Closure(date(2027, 1, 1), "New Year, DE"))
OFFICE = WorkingCalendar("Europe/Berlin", TEN_TO_SIX, HOLIDAYS)

FOLLOW_UP = TargetTerms(
    kind=Target.Kind.FIRST_CONTACT, mode=Target.Mode.BUSINESS, minutes=60, after_hours_minutes=120
)
IN_MINUTES = TargetTerms(
    kind=Target.Kind.FIRST_CONTACT, mode=Target.Mode.WALL, minutes=15, after_hours_minutes=120
)


def berlin(words: str) -> datetime:
    return datetime.strptime(words, "%a %d %b %Y %H:%M").replace(tzinfo=BERLIN)


def due(arrived: str, promise: TargetTerms = FOLLOW_UP, hours: WorkingCalendar = OFFICE) -> str:
    due_at = set_deadline(promise, hours=hours, since=berlin(arrived)).due_at
    return f"{due_at.astimezone(BERLIN):%a %d %b %Y %H:%M}"


@pytest.mark.parametrize(
    ("arrived", "due_at"),
    [
        # While the office is open: the hour that is promised.
        ("Tue 03 Mar 2026 13:00", "Tue 03 Mar 2026 14:00"),
        ("Tue 03 Mar 2026 10:00", "Tue 03 Mar 2026 11:00"),
        ("Tue 03 Mar 2026 17:59", "Wed 04 Mar 2026 10:59"),
        # Before it opens, and from closing time on.
        ("Tue 03 Mar 2026 09:59", "Tue 03 Mar 2026 12:00"),
        ("Tue 03 Mar 2026 00:05", "Tue 03 Mar 2026 12:00"),
        ("Tue 03 Mar 2026 18:00", "Wed 04 Mar 2026 12:00"),
        # Weekends; the second one turns the clocks forward.
        ("Fri 06 Mar 2026 20:00", "Mon 09 Mar 2026 12:00"),
        ("Sat 07 Mar 2026 14:00", "Mon 09 Mar 2026 12:00"),
        ("Sun 08 Mar 2026 23:59", "Mon 09 Mar 2026 12:00"),
        ("Sat 28 Mar 2026 23:30", "Mon 30 Mar 2026 12:00"),
        # Public holidays: on the day, the evening before, and over New Year.
        ("Fri 01 May 2026 11:00", "Mon 04 May 2026 12:00"),
        ("Thu 30 Apr 2026 19:00", "Mon 04 May 2026 12:00"),
        ("Thu 31 Dec 2026 20:00", "Mon 04 Jan 2027 12:00"),
    ],
)
def test_the_follow_up_is_due_two_hours_into_the_next_business_day(arrived, due_at):
    assert due(arrived) == due_at


def test_a_lunch_break_is_not_after_hours():
    broken_day = WorkingCalendar("Europe/Berlin", LUNCH)

    assert due("Tue 03 Mar 2026 13:30", hours=broken_day) == "Tue 03 Mar 2026 15:00"


def test_the_next_business_day_is_that_of_the_owner():
    away = Absence(berlin("Mon 09 Mar 2026 00:00"), berlin("Tue 10 Mar 2026 00:00"))
    hours = WorkingCalendar("Europe/Berlin", TEN_TO_SIX, absences=(away,))

    assert due("Sat 07 Mar 2026 14:00", hours=hours) == "Tue 10 Mar 2026 12:00"


def test_a_promise_in_minutes_around_the_clock_waits_for_the_morning_too():
    assert due("Tue 03 Mar 2026 17:50", IN_MINUTES) == "Tue 03 Mar 2026 18:05"
    assert due("Tue 03 Mar 2026 18:10", IN_MINUTES) == "Wed 04 Mar 2026 12:00"


def test_where_somebody_always_works_nothing_comes_after_hours():
    arrived = berlin("Sat 07 Mar 2026 14:00")

    assert set_deadline(FOLLOW_UP, hours=ALWAYS_OPEN, since=arrived).due_at == arrived + timedelta(hours=1)
