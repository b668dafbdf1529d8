"""SLA-2 by property: the arithmetic agrees with a count of every minute, and inverts exactly."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sla.business_hours import Absence, Closure, Shift, WorkingCalendar
from tests.sla.minute_oracle import MinuteOracle

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",  # -03:30
    "Asia/Kathmandu",  # +05:45
    "Australia/Lord_Howe",  # daylight saving of 30 minutes
    "Pacific/Chatham",  # +12:45 with daylight saving
    "Africa/Casablanca",  # daylight saving suspended for Ramadan
    "Pacific/Apia",  # left out a whole day in 2011
]
# Starts of stretches in which something odd happens somewhere in ZONES.
ODD_DAYS = [
    datetime(2011, 12, 26, tzinfo=UTC),
    datetime(2024, 2, 25, tzinfo=UTC),
    datetime(2026, 2, 12, tzinfo=UTC),
    datetime(2026, 3, 5, tzinfo=UTC),
    datetime(2026, 3, 26, tzinfo=UTC),
    datetime(2026, 4, 2, tzinfo=UTC),
    datetime(2026, 10, 1, tzinfo=UTC),
    datetime(2026, 10, 22, tzinfo=UTC),
    datetime(2026, 10, 30, tzinfo=UTC),
]
DAYS = 9
MINUTES = DAYS * 1440
HORIZON = timedelta(days=DAYS)

shifts = st.builds(
    lambda weekday, opens, length: Shift(weekday, opens, opens + length),
    st.integers(0, 6),
    st.integers(0, 1439),
    st.integers(1, 1440),
)
# A calendar open one minute a week needs twenty years for this.
durations = st.timedeltas(timedelta(0), timedelta(hours=18))
moments = st.integers(0, MINUTES).map(lambda minute: timedelta(minutes=minute))


@st.composite
def stretches(draw) -> tuple[WorkingCalendar, datetime]:
    """A calendar, and the start of a stretch of time with something odd in it or near it."""
    any_day = st.datetimes(datetime(1990, 1, 1), datetime(2050, 1, 1)).map(
        lambda at: at.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)
    )
    start = draw(st.sampled_from(ODD_DAYS) | any_day)
    closed = draw(st.lists(st.integers(0, DAYS), max_size=2, unique=True))
    away = draw(st.lists(st.tuples(moments, st.integers(1, 3000)), max_size=3))
    return WorkingCalendar(
        draw(st.sampled_from(ZONES)),
        tuple(draw(st.lists(shifts, min_size=1, max_size=8))),
        tuple(Closure((start + timedelta(days=day)).date(), "Closed") for day in closed),
        tuple(Absence(start + offset, start + offset + timedelta(minutes=length)) for offset, length in away),
    ), start


@settings(max_examples=60, deadline=None)
@given(stretches(), st.lists(st.tuples(moments, moments), min_size=1, max_size=8))
def test_both_directions_agree_with_counting_minutes(stretch, pairs):
    calendar, start = stretch
    oracle = MinuteOracle(calendar, start, MINUTES)

    for one, other in pairs:
        a, b = sorted((start + one, start + other))
        counted = calendar.business_time_between(a, b)
        assert counted == oracle.between(a, b)
        assert calendar.add_business_time(a, counted) == oracle.add(a, counted)


@settings(max_examples=60, deadline=None)
@given(stretches(), moments)
def test_openings_agree_with_counting_minutes(stretch, offset):
    calendar, start = stretch
    at = start + offset
    oracle = MinuteOracle(calendar, start, MINUTES)
    opening = next((m for m in range(oracle.index(at), MINUTES) if oracle.open[m]), None)
    assume(opening is not None)

    assert calendar.next_open(at) == start + timedelta(minutes=opening)
    assert calendar.is_open(at) is (opening == oracle.index(at))


@settings(max_examples=80, deadline=None)
@given(stretches(), st.timedeltas(timedelta(0), HORIZON), durations)
def test_adding_then_measuring_returns_the_duration_exactly(stretch, offset, duration):
    calendar, start = stretch
    at = start + offset

    due = calendar.add_business_time(at, duration)

    assert calendar.business_time_between(at, due) == duration


@settings(max_examples=80, deadline=None)
@given(stretches(), st.timedeltas(timedelta(0), HORIZON), st.timedeltas(timedelta(0), timedelta(days=900)))
def test_measuring_then_adding_returns_the_first_such_instant(stretch, offset, span):
    calendar, start = stretch
    a, b = start + offset, start + offset + span

    first = calendar.add_business_time(a, calendar.business_time_between(a, b))

    assert a <= first <= b
    assert calendar.business_time_between(first, b) == timedelta(0)


@settings(max_examples=80, deadline=None)
@given(
    stretches(),
    st.timedeltas(timedelta(0), HORIZON),
    st.timedeltas(timedelta(0), HORIZON),
    durations,
    durations,
)
def test_a_later_start_or_a_longer_duration_is_never_due_earlier(stretch, one, other, shorter, longer):
    calendar, start = stretch
    early, late = start + min(one, other), start + max(one, other)
    shorter, longer = sorted((shorter, longer))

    assert calendar.add_business_time(early, longer) <= calendar.add_business_time(late, longer)
    assert calendar.add_business_time(early, shorter) <= calendar.add_business_time(early, longer)


@settings(max_examples=50, deadline=None)
@given(stretches(), moments, moments)
def test_an_explanation_covers_the_time_without_gaps_and_adds_up(stretch, one, other):
    calendar, start = stretch
    a, b = sorted((start + one, start + other))

    spans = calendar.explain(a, b)

    counted = sum((span.duration for span in spans if span.counted), timedelta())
    assert counted == calendar.business_time_between(a, b)
    assert sum((span.duration for span in spans), timedelta()) == b - a
    assert all(earlier.end == later.start for earlier, later in pairwise(spans))


@settings(max_examples=50, deadline=None)
@given(stretches(), moments)
def test_close_of_business_is_the_end_of_open_time_ahead_within_two_days_of_opening(stretch, offset):
    calendar, start = stretch
    at = start + offset

    close = calendar.close_of_business(at)

    assert close > at
    assert calendar.is_open(close - timedelta(microseconds=1))
    assert close - calendar.next_open(at) <= timedelta(hours=50)


@pytest.mark.slow
@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns"])
def test_two_years_minute_by_minute(zone):
    """Through a leap day and four changes of the clock."""
    calendar = WorkingCalendar(
        zone,
        (Shift(0, 540, 720), Shift(0, 780, 1080), Shift(2, 1320, 1800), Shift(5, 0, 1440), Shift(6, 30, 210)),
        tuple(Closure(date(year, month, 1), "Closed") for year in (2023, 2024) for month in range(1, 13)),
        (Absence(datetime(2024, 2, 27, 7, tzinfo=UTC), datetime(2024, 3, 4, 11, tzinfo=UTC), "Vacation"),),
    )
    start = datetime(2023, 1, 1, tzinfo=UTC)
    oracle = MinuteOracle(calendar, start, 731 * 1440)

    for minute in range(0, 700 * 1440, 60 * 7):
        a, b = start + timedelta(minutes=minute), start + timedelta(minutes=minute + 30_011)
        assert calendar.business_time_between(a, b) == oracle.between(a, b)
        assert calendar.business_time_between(start, a) == oracle.between(start, a)
