"""SLA-2: business hours, by published reference cases and cases worked out by hand."""

import time
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from zoneinfo import ZoneInfo

import pytest

from sla.business_hours import (
    Absence,
    Closure,
    NoOpenHours,
    Shift,
    WorkingCalendar,
    find_overlap,
)
from sla.timeline import CalendarError

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)


def weekdays(opens: int, closes: int, days=range(5)):
    return tuple(Shift(day, opens * 60, closes * 60) for day in days)


def berlin(*parts: int, fold: int = 0) -> datetime:
    return datetime(*parts, tzinfo=BERLIN, fold=fold)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


OFFICE = WorkingCalendar("Europe/Berlin", weekdays(10, 18))
SPLIT = WorkingCalendar("Europe/Berlin", weekdays(9, 12) + weekdays(13, 18))
NIGHT = WorkingCalendar("Europe/Berlin", weekdays(22, 30))
ALWAYS = WorkingCalendar("Europe/Berlin", weekdays(0, 24, range(7)))


@pytest.mark.parametrize(
    ("created", "due"),
    [
        (berlin(2026, 3, 6, 17, 30), berlin(2026, 3, 9, 10, 30)),  # Friday
        (berlin(2026, 3, 7, 9), berlin(2026, 3, 9, 11)),  # Saturday
        (berlin(2026, 3, 7, 14), berlin(2026, 3, 9, 11)),
        (berlin(2026, 3, 7, 20), berlin(2026, 3, 9, 11)),
        (berlin(2026, 3, 6, 17), berlin(2026, 3, 6, 18)),  # used up at closing time, not on Monday
        (berlin(2026, 3, 9, 10), berlin(2026, 3, 9, 11)),
        (berlin(2026, 3, 9, 9, 59), berlin(2026, 3, 9, 11)),
    ],
)
def test_one_business_hour_by_the_reference_cases(created, due):
    assert OFFICE.add_business_time(created, HOUR) == due


@pytest.mark.parametrize(
    ("calendar", "start", "hours", "due"),
    [
        pytest.param(SPLIT, berlin(2026, 3, 9, 11), 2, berlin(2026, 3, 9, 14), id="over lunch"),
        pytest.param(NIGHT, berlin(2026, 3, 9, 23), 4, berlin(2026, 3, 10, 3), id="over midnight"),
        pytest.param(NIGHT, berlin(2026, 3, 14, 5), 2, berlin(2026, 3, 16, 23), id="Friday's night"),
        pytest.param(ALWAYS, berlin(2026, 3, 6, 12), 72, berlin(2026, 3, 9, 12), id="24-hour days"),
        pytest.param(ALWAYS, berlin(2026, 3, 29, 1), 2, berlin(2026, 3, 29, 4), id="hour skipped"),
        pytest.param(ALWAYS, berlin(2026, 10, 25, 1), 3, berlin(2026, 10, 25, 3), id="hour repeated"),
        pytest.param(OFFICE, berlin(2024, 2, 28, 17), 9, berlin(2024, 2, 29, 18), id="leap day"),
        pytest.param(
            WorkingCalendar("Europe/Berlin", (Shift(6, 1410, 1530), Shift(0, 600, 660))),
            berlin(2026, 3, 8, 23, 30), 3, berlin(2026, 3, 9, 11), id="Sunday night runs into Monday",
        ),
        pytest.param(
            WorkingCalendar("Asia/Kathmandu", weekdays(10, 18)),
            utc(2026, 3, 9, 4, 15), 1, utc(2026, 3, 9, 5, 15), id="+05:45",
        ),
        pytest.param(
            WorkingCalendar("Pacific/Apia", weekdays(0, 24, range(7))),
            utc(2011, 12, 30, 9), 2, utc(2011, 12, 30, 11), id="Samoa skips a day",
        ),
    ],
)  # fmt: skip
def test_adding_hours(calendar, start, hours, due):
    assert calendar.add_business_time(start, hours * HOUR) == due
    assert calendar.business_time_between(start, due) == hours * HOUR


def test_holidays_and_absences_do_not_count():
    calendar = WorkingCalendar(
        "Europe/Berlin",
        weekdays(10, 18),
        closures=(Closure(date(2026, 5, 1), "Erster Mai"),),
        absences=(Absence(berlin(2026, 5, 4, 9), berlin(2026, 5, 4, 15), "Dentist"),),
    )

    due = calendar.add_business_time(berlin(2026, 4, 30, 17), 2 * HOUR)

    assert due == berlin(2026, 5, 4, 16)


def test_a_holiday_shuts_the_part_of_a_night_shift_that_falls_on_it():
    calendar = WorkingCalendar("Europe/Berlin", weekdays(22, 30), (Closure(date(2026, 3, 10), "Closed"),))

    assert calendar.business_time_between(berlin(2026, 3, 9, 20), berlin(2026, 3, 10, 12)) == 2 * HOUR


def test_overlapping_absences_are_taken_out_once():
    away = (
        Absence(berlin(2026, 3, 9, 10), berlin(2026, 3, 9, 13)),
        Absence(berlin(2026, 3, 9, 12), berlin(2026, 3, 9, 14)),
    )
    calendar = WorkingCalendar("Europe/Berlin", weekdays(10, 18), absences=away)

    assert calendar.business_time_between(berlin(2026, 3, 9), berlin(2026, 3, 10)) == 4 * HOUR


def test_time_between_is_negative_backwards_and_counts_microseconds():
    start, end = berlin(2026, 3, 9, 17), berlin(2026, 3, 10, 10, 0, 0, 1)

    assert OFFICE.business_time_between(start, end) == HOUR + timedelta(microseconds=1)
    assert OFFICE.business_time_between(end, start) == -HOUR - timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("calendar", "at", "close"),
    [
        pytest.param(OFFICE, berlin(2026, 3, 6, 11), berlin(2026, 3, 6, 18), id="in hours"),
        pytest.param(OFFICE, berlin(2026, 3, 6, 8), berlin(2026, 3, 6, 18), id="before opening"),
        pytest.param(OFFICE, berlin(2026, 3, 6, 18), berlin(2026, 3, 9, 18), id="the day is over"),
        pytest.param(OFFICE, berlin(2026, 3, 7, 11), berlin(2026, 3, 9, 18), id="weekend"),
        pytest.param(SPLIT, berlin(2026, 3, 6, 12, 30), berlin(2026, 3, 6, 18), id="lunch"),
        pytest.param(NIGHT, berlin(2026, 3, 9, 23), berlin(2026, 3, 10, 6), id="night shift"),
        pytest.param(NIGHT, berlin(2026, 3, 10, 2), berlin(2026, 3, 10, 6), id="after midnight"),
        pytest.param(ALWAYS, berlin(2026, 3, 9, 23), berlin(2026, 3, 10), id="24-hour day"),
    ],
)
def test_same_day_ends_at_close_of_business(calendar, at, close):
    assert calendar.close_of_business(at) == close


def test_close_of_business_in_the_repeated_hour_is_the_second_one():
    calendar = WorkingCalendar("Europe/Berlin", (Shift(6, 0, 150),))  # Sunday until 02:30

    assert calendar.close_of_business(berlin(2026, 10, 25, 1)) == utc(2026, 10, 25, 1, 30)


def test_close_of_business_in_the_skipped_hour_is_the_moment_of_change():
    calendar = WorkingCalendar("Europe/Berlin", (Shift(6, 0, 150),))  # 02:30 does not exist that Sunday

    assert calendar.close_of_business(berlin(2026, 3, 29, 1)) == berlin(2026, 3, 29, 3)
    assert calendar.business_time_between(berlin(2026, 3, 29), berlin(2026, 3, 30)) == 2 * HOUR


def test_close_of_business_comes_earlier_for_a_person_who_leaves_early():
    away = (Absence(berlin(2026, 3, 9, 14), berlin(2026, 3, 9, 20)),)
    calendar = WorkingCalendar("Europe/Berlin", weekdays(10, 18), absences=away)

    assert calendar.close_of_business(berlin(2026, 3, 9, 11)) == berlin(2026, 3, 9, 14)
    assert calendar.close_of_business(berlin(2026, 3, 9, 15)) == berlin(2026, 3, 10, 18)


@pytest.mark.parametrize(
    ("at", "after_hours"),
    [
        (berlin(2026, 3, 9, 8, 59), True),
        (berlin(2026, 3, 9, 9), False),
        (berlin(2026, 3, 9, 12, 30), False),  # lunch
        (berlin(2026, 3, 9, 18), True),
        (berlin(2026, 3, 8, 12), True),  # Sunday
    ],
)
def test_after_hours_is_outside_the_business_day(at, after_hours):
    assert SPLIT.is_after_hours(at) is after_hours


def test_next_open_is_now_when_open_and_the_opening_otherwise():
    assert OFFICE.next_open(berlin(2026, 3, 6, 17, 59)) == berlin(2026, 3, 6, 17, 59)
    assert OFFICE.next_open(berlin(2026, 3, 6, 18)) == berlin(2026, 3, 9, 10)
    assert OFFICE.is_open(berlin(2026, 3, 6, 10))
    assert not OFFICE.is_open(berlin(2026, 3, 6, 18))


def test_explain_names_what_was_skipped():
    calendar = WorkingCalendar(
        "Europe/Berlin",
        weekdays(10, 18),
        closures=(Closure(date(2026, 11, 20), "Buß- und Bettag (DE-SN)"),),
        absences=(Absence(berlin(2026, 11, 23, 12), berlin(2026, 11, 23, 14), "Dentist"),),
    )
    start = berlin(2026, 11, 19, 17)
    due = calendar.add_business_time(start, 4 * HOUR)

    lines = [(span.start, span.end, span.skipped_for) for span in calendar.explain(start, due)]

    assert lines == [
        (start, berlin(2026, 11, 19, 18), ""),
        (berlin(2026, 11, 19, 18), berlin(2026, 11, 20, 10), "Outside working hours"),
        (berlin(2026, 11, 20, 10), berlin(2026, 11, 20, 18), "Buß- und Bettag (DE-SN)"),
        (berlin(2026, 11, 20, 18), berlin(2026, 11, 23, 10), "Outside working hours"),
        (berlin(2026, 11, 23, 10), berlin(2026, 11, 23, 12), ""),
        (berlin(2026, 11, 23, 12), berlin(2026, 11, 23, 14), "Dentist"),
        (berlin(2026, 11, 23, 14), berlin(2026, 11, 23, 15), ""),
    ]


def test_explaining_no_time_at_all_says_nothing():
    assert OFFICE.explain(berlin(2026, 3, 9, 12), berlin(2026, 3, 9, 12)) == ()


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (lambda: WorkingCalendar("Europe/Berlin", ()), "never open"),
        (lambda: WorkingCalendar("Mars/Olympus", weekdays(10, 18)), "not a time zone"),
        (lambda: WorkingCalendar("../etc/passwd", weekdays(10, 18)), "not a time zone"),
        (lambda: Shift(7, 0, 60), "no weekday 7"),
        (lambda: Shift(0, 600, 600), "must close after it opens"),
        (lambda: OFFICE.add_business_time(berlin(2026, 3, 9), -HOUR), "must not be negative"),
        (lambda: OFFICE.next_open(datetime(2026, 3, 9)), "needs a time zone"),
        (lambda: OFFICE.next_open(utc(1950, 3, 9)), "known for the years"),
        (lambda: OFFICE.add_business_time(berlin(2026, 3, 9), timedelta(days=99_999)), "after the year 2099"),
        (
            lambda: WorkingCalendar(
                "UTC", weekdays(9, 17), absences=(Absence(berlin(2026, 1, 2), berlin(2026, 1, 1)),)
            ),
            "must end after it starts",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_refused_with_a_sentence(build, sentence):
    with pytest.raises(CalendarError, match=sentence):
        build()


def test_no_open_hours_is_a_refusal_of_its_own():
    with pytest.raises(NoOpenHours):
        WorkingCalendar("UTC", ())


def test_an_absence_without_end_is_refused_not_searched_for_ever():
    away = (Absence(berlin(2026, 3, 9), utc(9999, 12, 31), "Until further notice"),)
    calendar = WorkingCalendar("Europe/Berlin", weekdays(10, 18), absences=away)

    with pytest.raises(CalendarError, match="after the year 2099"):
        calendar.next_open(berlin(2026, 3, 10))


@pytest.mark.parametrize(
    ("opens", "closes", "minutes", "text"),
    [
        ("09:00", "17:30", 510, "Monday 09:00–17:30"),
        ("22:00", "06:00", 480, "Monday 22:00–06:00 (next day)"),
        ("00:00", "00:00", 1440, "Monday 00:00–00:00"),
    ],
)
def test_a_shift_from_clock_times(opens, closes, minutes, text):
    shift = Shift.between(0, clock_time.fromisoformat(opens), clock_time.fromisoformat(closes))

    assert shift.closes - shift.opens == minutes
    assert str(shift) == text


@pytest.mark.parametrize(
    ("shifts", "overlap"),
    [
        ([], None),
        ([Shift(0, 540, 720), Shift(0, 720, 1080)], None),
        ([Shift(0, 700, 1080), Shift(0, 540, 720)], (Shift(0, 540, 720), Shift(0, 700, 1080))),
        ([Shift(0, 1320, 1800), Shift(1, 300, 600)], (Shift(0, 1320, 1800), Shift(1, 300, 600))),
        ([Shift(6, 1320, 1800), Shift(0, 300, 600)], (Shift(6, 1320, 1800), Shift(0, 300, 600))),
        ([Shift(6, 1320, 1800)], None),
    ],
)
def test_overlapping_shifts_are_found_also_over_sunday_night(shifts, overlap):
    assert find_overlap(shifts) == overlap


def test_ten_years_are_answered_within_a_millisecond():
    closures = tuple(
        Closure(date(year, month, 1), "Closed") for year in range(2020, 2040) for month in range(1, 13)
    )
    calendar = WorkingCalendar("Europe/Berlin", weekdays(10, 18), closures)
    start = berlin(2026, 1, 1)
    calendar.next_open(start)  # the tables are built once

    laps = []
    for _ in range(50):
        begun = time.perf_counter()
        due = calendar.add_business_time(start, timedelta(hours=8 * 2500))
        calendar.business_time_between(start, due)
        laps.append(time.perf_counter() - begun)

    assert due > berlin(2035, 1, 1)
    assert min(laps) < 0.001
