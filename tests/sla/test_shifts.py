"""Why somebody is not at work, in words (HAND-3)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from sla.models import Calendar, CalendarInterval, CalendarPerson
from sla.shifts import who_is_off_shift, why_closed
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def munich() -> Calendar:
    """Ten to six but for lunch, Monday to Friday, with Bavaria's holidays and a closure."""
    calendar = Calendar.objects.create(
        name="Munich", time_zone="Europe/Berlin", holiday_country="DE", holiday_subdivision="BY"
    )
    CalendarInterval.objects.bulk_create(
        CalendarInterval(calendar=calendar, weekday=day, opens_at=opens, closes_at=closes)
        for day in range(5)
        for opens, closes in ((time(10), time(12)), (time(13), time(18)))
    )
    calendar.closures.create(on=date(2026, 3, 5), name="Summer party")
    for day in range(21, 32):
        calendar.closures.create(on=date(2026, 12, day), name="Works holiday")
    return calendar


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (datetime(2026, 3, 3, 9, tzinfo=UTC), ""),
        (datetime(2026, 3, 3, 11, 30, tzinfo=UTC), "off shift until 13:00"),
        (datetime(2026, 3, 3, 17, tzinfo=UTC), "off shift until Wed 10:00"),
        (datetime(2026, 3, 6, 20, tzinfo=UTC), "off shift until Mon 10:00"),
        (datetime(2026, 12, 19, 12, tzinfo=UTC), "off shift until Mon 4 Jan, 10:00"),
        (datetime(2026, 3, 5, 12, tzinfo=UTC), "closed: Summer party"),
        (datetime(2026, 6, 4, 12, tzinfo=UTC), "public holiday: Fronleichnam, DE-BY"),
        # The hour of the clock counts, not UTC: in summer the shift begins two hours ahead of it.
        (datetime(2026, 7, 1, 8, tzinfo=UTC), ""),
    ],
)
def test_it_says_why_and_until_when_in_the_time_of_the_place(
    munich: Calendar, at: datetime, words: str
) -> None:
    assert why_closed(munich, at=at) == words


def test_each_by_their_own_calendar_else_by_the_default_one(munich: Calendar, bdr: User) -> None:
    night = datetime(2026, 3, 3, 20, tzinfo=UTC)
    other = UserFactory()
    CalendarPerson.objects.create(calendar=munich, person=bdr)

    assert who_is_off_shift([bdr, other], at=night) == {bdr.pk: "off shift until Wed 10:00"}

    Calendar.objects.update(is_default=True)
    assert set(who_is_off_shift([bdr, other], at=night)) == {bdr.pk, other.pk}


def test_a_calendar_that_never_opens_cannot_say_until_when(munich: Calendar) -> None:
    munich.intervals.all().delete()

    # It cannot be worked with, so it counts as always open.
    assert why_closed(munich, at=datetime(2026, 3, 3, 20, tzinfo=UTC)) == ""


def test_many_people_cost_as_many_queries_as_one(munich: Calendar, bdr: User) -> None:
    people = [UserFactory() for _ in range(5)]
    for person in people:
        CalendarPerson.objects.create(calendar=munich, person=person)
    at = datetime(2026, 3, 3, 20, tzinfo=UTC)
    with CaptureQueriesContext(connection) as one:
        who_is_off_shift(people[:1], at=at)
    with CaptureQueriesContext(connection) as many:
        assert len(who_is_off_shift(people, at=at)) == 5

    assert len(one) == len(many)
