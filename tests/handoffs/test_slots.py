"""When a first contact could be made: a free quarter hour of working time within the window (NOTE-2)."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handoffs.invitations.slots import QUARTER, find_slot, fits, quarters_in
from sla.business_hours import Absence, Shift, WorkingCalendar

TEN_TO_SIX = tuple(Shift(day, 10 * 60, 18 * 60) for day in range(5))
BERLIN = WorkingCalendar("Europe/Berlin", TEN_TO_SIX)
MINUTE = timedelta(minutes=1)


def at(text: str) -> datetime:
    """A moment of the first week of March 2026, when Berlin is an hour ahead."""
    return datetime.fromisoformat(f"2026-03-0{text}+01:00")


@pytest.mark.parametrize(
    ("since", "until", "taken", "expected"),
    [
        ("3T10:07", "3T11:07", [], "3T10:15"),
        ("3T10:15", "3T11:15", [], "3T10:15"),
        ("3T10:07", "3T11:07", ["3T10:15"], "3T10:30"),
        ("3T10:07", "3T10:40", ["3T10:15", "3T10:30", "3T10:30"], "3T10:15"),
        ("3T10:07:20", "3T10:12", [], "3T10:08"),
        ("3T17:50", "4T11:00", [], "4T10:00"),
        ("6T17:30", "9T10:30", ["6T17:30", "6T17:45"], "9T10:00"),
        ("7T14:00", "7T14:05", [], None),
        ("6T17:59", "7T12:00", [], None),
    ],
    ids=[
        "next quarter",
        "this quarter",
        "next free one",
        "least taken of a full window",
        "window without a quarter",
        "next morning",
        "over the weekend",
        "closed window",
        "too late in the day",
    ],
)
def test_the_next_free_quarter_of_working_time(
    since: str, until: str, taken: list[str], expected: str | None
) -> None:
    slot = find_slot(BERLIN, since=at(since), until=at(until), taken=Counter(map(at, taken)))

    assert slot == (at(expected) if expected else None)


def test_nobody_is_to_call_while_away() -> None:
    hours = WorkingCalendar("Europe/Berlin", TEN_TO_SIX, absences=(Absence(at("3T10:00"), at("3T15:20")),))

    assert find_slot(hours, since=at("3T10:07"), until=at("4T10:07"), taken={}) == at("3T15:30")
    assert not fits(hours, at("3T15:15"), at("4T10:07"))


def test_an_appointment_off_the_quarters_takes_two_of_them() -> None:
    assert quarters_in(at("3T10:08")) == (at("3T10:00"), at("3T10:15"))
    assert quarters_in(at("3T10:15")) == (at("3T10:15"),)


@given(
    minutes=st.integers(0, 14 * 24 * 60),
    window=st.integers(1, 5 * 24 * 60),
    zone=st.sampled_from(["Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe"]),
    taken=st.sets(st.integers(0, 40), max_size=20),
)
@settings(max_examples=60, deadline=None)
def test_the_slot_is_the_first_free_quarter_a_minute_by_minute_search_finds(
    minutes: int, window: int, zone: str, taken: set[int]
) -> None:
    hours = WorkingCalendar(zone, TEN_TO_SIX)
    # Over the change of the clocks in Europe, on 29 March.
    since = datetime(2026, 3, 22, tzinfo=UTC) + minutes * MINUTE
    until = since + window * MINUTE
    busy = {quarters_in(since)[-1] + number * QUARTER: 1 for number in taken}
    free = (
        moment
        for moment in (since + number * MINUTE for number in range(window))
        if moment.minute % 15 == 0
        and moment not in busy
        and all(hours.is_open(moment + number * MINUTE) for number in range(15))
    )
    expected = next(free, None)

    slot = find_slot(hours, since=since, until=until, taken=busy)

    if expected:
        assert slot == expected
    else:  # one that is taken, or at once because no quarter begins within the window
        assert slot is None or slot in busy or slot - since < MINUTE
