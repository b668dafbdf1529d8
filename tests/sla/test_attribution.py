"""SLA-7: the time of a missed promise goes to what stood in its way, and none of it is lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sla.attribution import Course, Loss, attribute_time
from sla.business_hours import ALWAYS_OPEN, Absence, Shift, WorkingCalendar
from tests.sla.minute_oracle import MinuteOracle

MINUTE = timedelta(minutes=1)
OFFICE = WorkingCalendar("UTC", tuple(Shift(day, 600, 1080) for day in range(5)))


def at(hour: int, minute: int = 0, *, day: int = 3) -> datetime:
    """On Tuesday 3 March 2026, or another day of that month."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def minutes(course: Course, *, counted_by=OFFICE, worked_by=OFFICE) -> dict[str, int]:
    """What it says, in minutes, without what is nothing."""
    found = attribute_time(course, counted_by=counted_by, worked_by=worked_by)
    return {loss.value: part // MINUTE for loss, part in found.parts.items() if part}


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        pytest.param({}, {"unseen": 120}, id="never opened"),
        pytest.param({"seen": [(at(12), at(18))]}, {"unseen": 60, "idle": 60}, id="opened after an hour"),
        pytest.param(
            {"unowned": [(at(10), at(11, 30))], "seen": [(at(11, 45), at(18))]},
            {"shift": 30, "unseen": 15, "idle": 75},
            id="out of the overflow queue",
        ),
        pytest.param(
            {"unsynced": [(at(11), at(11, 20))], "seen": [(at(11, 10), at(18))]},
            {"sync": 10, "idle": 110},
            id="once opened, Salesforce is no excuse",
        ),
        pytest.param(
            {"paused": [(at(11, 30), at(12, 30))], "unowned": [(at(11), at(12))]},
            {"shift": 30, "unseen": 30, "paused": 60},
            id="a pause comes first",
        ),
    ],
)
def test_each_minute_goes_to_the_first_thing_that_stood_in_its_way(known, expected):
    assert minutes(Course(at(11), at(13), **known)) == expected


def test_a_promise_in_working_hours_loses_no_time_at_night():
    course = Course(at(17), at(11, day=4), seen=[(at(17, 30), at(18, day=4))])

    assert minutes(course) == {"unseen": 30, "idle": 90}


def test_a_promise_around_the_clock_waits_for_the_next_shift_at_night():
    course = Course(at(17), at(11, day=4), seen=[(at(17, 30), at(18, day=4))])

    assert minutes(course, counted_by=ALWAYS_OPEN) == {"shift": 16 * 60, "unseen": 30, "idle": 90}


def test_scoring_is_told_apart_because_it_went_before_the_clock():
    course = Course(at(11), at(12), qualified_at=at(17, day=2))

    found = attribute_time(course, counted_by=OFFICE, worked_by=OFFICE)

    assert found.scoring == timedelta(hours=2)
    assert found.whole == timedelta(hours=1)


def test_whole_seconds_add_up_although_the_parts_are_broken():
    half = timedelta(milliseconds=500)
    opened = at(11) + 7 * half
    course = Course(at(11), at(11) + 21 * half, seen=[(opened, at(12))], paused=[(opened + half, at(11, 1))])

    found = attribute_time(course, counted_by=OFFICE, worked_by=OFFICE)

    assert sum(found.seconds.values()) == found.whole // timedelta(seconds=1) == 10


# --- By property --------------------------------------------------------------------------------

DAYS = 4
START = datetime(2026, 3, 27, tzinfo=UTC)  # the clocks of Berlin go forward on the 29th
LENGTH = DAYS * 1440
moments = st.integers(0, LENGTH).map(lambda minute: START + minute * MINUTE)


@st.composite
def stretches(draw) -> list[tuple[datetime, datetime]]:
    edges = sorted(draw(st.lists(moments, max_size=6, unique=True)))
    return [pair for index, pair in enumerate(pairwise(edges)) if index % 2 == 0]


@st.composite
def courses(draw) -> Course:
    start, end = sorted(draw(st.tuples(moments, moments)))
    return Course(start, end, *(draw(stretches()) for _ in range(4)))


def by_the_minute(course: Course, counted: MinuteOracle, worked: MinuteOracle) -> dict[Loss, timedelta]:
    """The same rules, asked of every single minute."""
    parts = dict.fromkeys(Loss, timedelta())
    for index in range(counted.index(course.started_at), counted.index(course.ended_at)):
        now = START + index * MINUTE
        applies = {
            name: any(start <= now < end for start, end in getattr(course, name))
            for name in ("paused", "unowned", "unsynced", "seen")
        }
        if not counted.open[index]:
            continue
        if applies["paused"]:
            loss = Loss.PAUSED
        elif applies["unowned"] or not worked.open[index]:
            loss = Loss.SHIFT
        elif applies["seen"]:
            loss = Loss.IDLE
        else:
            loss = Loss.SYNC if applies["unsynced"] else Loss.UNSEEN
        parts[loss] += MINUTE
    return parts


HOURS = WorkingCalendar(
    "Europe/Berlin",
    (Shift(4, 540, 1020), Shift(4, 1320, 1800), Shift(6, 60, 300), Shift(0, 480, 1080)),
    absences=(Absence(START + 620 * MINUTE, START + 700 * MINUTE),),
)
WORKED = MinuteOracle(HOURS, START, LENGTH)
ALWAYS = MinuteOracle(ALWAYS_OPEN, START, LENGTH)


@settings(max_examples=60, deadline=None)
@given(course=courses(), around_the_clock=st.booleans())
def test_it_agrees_with_a_count_of_every_minute_and_adds_up(course, around_the_clock):
    hours, oracle = (ALWAYS_OPEN, ALWAYS) if around_the_clock else (HOURS, WORKED)

    found = attribute_time(course, counted_by=hours, worked_by=HOURS)

    assert found.parts == by_the_minute(course, oracle, WORKED)
    assert found.whole == oracle.between(course.started_at, course.ended_at)
