"""Quiet hours: over midnight, in the person's zone, also on days when the clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications.quiet_hours import QuietHours, end_of_quiet

BERLIN = "Europe/Berlin"


def at(text: str, zone: str = "UTC", fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


def hours(starts: str, ends: str, zone: str) -> QuietHours:
    return QuietHours(time.fromisoformat(starts), time.fromisoformat(ends), ZoneInfo(zone))


@pytest.mark.parametrize(
    ("quiet", "zone", "moment", "ends"),
    [
        # Over midnight, on both sides of it; the start is quiet, the end is not.
        ("20:00 07:00", BERLIN, "2026-03-03T19:59:59", None),
        ("20:00 07:00", BERLIN, "2026-03-03T20:00", "2026-03-04T07:00"),
        ("20:00 07:00", BERLIN, "2026-03-04T03:00", "2026-03-04T07:00"),
        ("20:00 07:00", BERLIN, "2026-03-04T07:00", None),
        # Within a day, until midnight, and none at all.
        ("12:00 13:00", BERLIN, "2026-03-03T12:30", "2026-03-03T13:00"),
        ("12:00 13:00", BERLIN, "2026-03-03T13:00", None),
        ("22:00 00:00", BERLIN, "2026-03-03T23:59", "2026-03-04T00:00"),
        ("22:00 00:00", BERLIN, "2026-03-04T00:00", None),
        ("08:00 08:00", BERLIN, "2026-03-03T08:00", None),
        # Zones that are off by three quarters of an hour, and on the other side of the date line.
        ("20:00 07:00", "Asia/Kathmandu", "2026-03-03T23:00", "2026-03-04T07:00"),
        ("20:00 07:00", "Pacific/Kiritimati", "2026-03-03T23:00", "2026-03-04T07:00"),
        # The last of February, and of the year.
        ("20:00 07:00", BERLIN, "2028-02-28T21:00", "2028-02-29T07:00"),
        ("20:00 07:00", BERLIN, "2026-12-31T21:00", "2027-01-01T07:00"),
    ],
)
def test_quiet_lasts_until_the_end_on_the_clock_of_the_person(
    quiet: str, zone: str, moment: str, ends: str | None
) -> None:
    starts, until = quiet.split()

    end = end_of_quiet(hours(starts, until, zone), at(moment, zone))

    assert end == (at(ends, zone) if ends else None)


def test_a_night_is_an_hour_shorter_or_longer_when_the_clock_changes() -> None:
    night = hours("20:00", "07:00", BERLIN)

    spring = end_of_quiet(night, at("2026-03-28T20:00", BERLIN))
    autumn = end_of_quiet(night, at("2026-10-24T20:00", BERLIN))

    assert spring is not None
    assert autumn is not None
    assert spring - at("2026-03-28T20:00", BERLIN).astimezone(UTC) == timedelta(hours=10)
    assert autumn - at("2026-10-24T20:00", BERLIN).astimezone(UTC) == timedelta(hours=12)


def test_an_end_that_the_clock_skips_is_as_much_later() -> None:
    """On 29 March 2026 the clock in Berlin goes from 02:00 to 03:00."""
    end = end_of_quiet(hours("20:00", "02:30", BERLIN), at("2026-03-29T01:00", BERLIN))

    assert end == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # 03:30 there


def test_an_hour_that_comes_twice_is_quiet_twice() -> None:
    """On 25 October 2026 the clock in Berlin goes from 03:00 back to 02:00."""
    night = hours("20:00", "02:30", BERLIN)

    first = end_of_quiet(night, at("2026-10-25T02:10", BERLIN))
    again = end_of_quiet(night, at("2026-10-25T02:10", BERLIN, fold=1))

    assert first == at("2026-10-25T02:30", BERLIN).astimezone(UTC)
    assert again == at("2026-10-25T02:30", BERLIN, fold=1).astimezone(UTC)


TIMES = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
ZONES = st.sampled_from(
    [BERLIN, "UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns"]
).map(ZoneInfo)
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1)).map(
    lambda naive: naive.replace(tzinfo=UTC)
)


@settings(max_examples=100, deadline=None)
@given(starts=TIMES, ends=TIMES, zone=ZONES, moment=MOMENTS)
def test_after_the_end_it_is_not_quiet_and_until_then_it_is(
    starts: time, ends: time, zone: ZoneInfo, moment: datetime
) -> None:
    quiet = QuietHours(starts, ends, zone)
    end = end_of_quiet(quiet, moment)

    assert (end is not None) == quiet.covers(moment.astimezone(zone).time())
    if end is not None:
        assert moment < end <= moment + timedelta(hours=25)
        assert end_of_quiet(quiet, end) is None
        # Every quarter of an hour until then is quiet, but for what the clock may have jumped over.
        jump = timedelta(hours=1)
        steps = (moment + timedelta(minutes=15) * n for n in range(100))
        assert all(quiet.covers(step.astimezone(zone).time()) for step in steps if step < end - jump)
