"""When the next attempt is due, and usual times to plan for (QUEUE-3). Pure: no database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handoffs.contact.cadence import Progress, Step, follow_cadence, quick_times
from sla.business_hours import ALWAYS_OPEN, Closure, Shift, WorkingCalendar

# Berlin is an hour ahead of UTC in early March: 09:00–17:00 there is 08:00–16:00 UTC.
OFFICE = WorkingCalendar("Europe/Berlin", tuple(Shift(day, 9 * 60, 17 * 60) for day in range(5)))
THREE_IN_FIVE_DAYS = [
    Step(1, "call", 4 * 60),
    Step(2, "email", 2 * 8 * 60),
    Step(3, "call", 5 * 24 * 60, in_working_hours=False),
]
TUESDAY_NOON = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
FRIDAY_EVENING = datetime(2026, 3, 6, 17, 0, tzinfo=UTC)


def follow(
    made: int,
    *,
    reached_by: int | None = None,
    accepted_at: datetime = TUESDAY_NOON,
    promised_by: datetime | None = None,
) -> Progress:
    return follow_cadence(
        THREE_IN_FIVE_DAYS,
        accepted_at=accepted_at,
        made=made,
        reached_by=reached_by,
        hours=OFFICE,
        promised_by=promised_by,
    )


@pytest.mark.parametrize(
    ("made", "number", "channel", "due_at"),
    [
        (0, 1, "call", datetime(2026, 3, 3, 16, 0, tzinfo=UTC)),  # four hours left of the day
        (1, 2, "email", datetime(2026, 3, 5, 12, 0, tzinfo=UTC)),  # two working days on
        (2, 3, "call", datetime(2026, 3, 8, 12, 0, tzinfo=UTC)),  # around the clock: on a Sunday
    ],
)
def test_the_next_attempt_is_due_by_its_step(made: int, number: int, channel: str, due_at: datetime) -> None:
    progress = follow(made)

    assert (progress.next_number, progress.of) == (number, 3)
    assert (progress.next_channel, progress.due_at) == (channel, due_at)


def test_accepted_on_friday_evening_the_hours_count_from_monday() -> None:
    assert follow(0, accepted_at=FRIDAY_EVENING).due_at == datetime(2026, 3, 9, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(("made", "reached_by"), [(1, 1), (2, 1), (3, None), (5, None)])
def test_once_reached_or_all_made_nothing_is_due(made: int, reached_by: int | None) -> None:
    progress = follow(made, reached_by=reached_by, promised_by=TUESDAY_NOON)

    assert (progress.due_at, progress.next_number) == (None, None)
    assert (progress.made, progress.reached_by) == (made, reached_by)


@pytest.mark.parametrize(("hours_from_now", "due_in"), [(-48, -48), (1, 1), (30, 4)])
def test_a_promise_that_falls_due_sooner_is_the_deadline(hours_from_now: int, due_in: int) -> None:
    progress = follow(0, promised_by=TUESDAY_NOON + timedelta(hours=hours_from_now))

    assert progress.due_at == TUESDAY_NOON + timedelta(hours=due_in)


def test_steps_are_taken_by_number_whatever_their_order_and_gaps() -> None:
    steps = [Step(7, "email", 120), Step(2, "call", 60)]

    progress = follow_cadence(steps, accepted_at=TUESDAY_NOON, made=1, reached_by=None, hours=ALWAYS_OPEN)

    assert (progress.next_number, progress.of, progress.next_channel) == (2, 2, "email")
    assert progress.due_at == TUESDAY_NOON + timedelta(hours=2)


# --- Usual times --------------------------------------------------------------------------------


def named(now: datetime, hours: WorkingCalendar = OFFICE) -> dict[str, datetime]:
    return {quick.words: quick.at for quick in quick_times(hours, zone="Europe/Berlin", now=now)}


def test_on_a_working_day_four_times_are_offered() -> None:
    now = datetime(2026, 3, 3, 12, 2, 30, tzinfo=UTC)

    assert named(now) == {
        "In an hour": datetime(2026, 3, 3, 13, 5, tzinfo=UTC),
        "Next working day": datetime(2026, 3, 4, 8, 0, tzinfo=UTC),
        "In two working days": datetime(2026, 3, 5, 8, 0, tzinfo=UTC),
        "Next week": datetime(2026, 3, 9, 8, 0, tzinfo=UTC),
    }


def test_before_a_weekend_what_falls_together_is_offered_once() -> None:
    friday = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)

    assert list(named(friday)) == ["In an hour", "Next week", "In two working days"]


def test_after_work_an_hour_from_now_is_not_offered() -> None:
    assert list(named(FRIDAY_EVENING)) == ["Next week", "In two working days"]


def test_a_holiday_is_no_working_day() -> None:
    hours = WorkingCalendar(
        OFFICE.zone, OFFICE.shifts, (Closure(TUESDAY_NOON.date() + timedelta(1), "Fair"),)
    )

    assert named(TUESDAY_NOON, hours)["Next working day"] == datetime(2026, 3, 5, 8, 0, tzinfo=UTC)


def test_without_a_calendar_mornings_begin_at_nine_where_the_person_is() -> None:
    assert named(TUESDAY_NOON, ALWAYS_OPEN)["Next working day"] == datetime(2026, 3, 4, 8, 0, tzinfo=UTC)


@settings(max_examples=60, deadline=None)
@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(lambda at: at.replace(tzinfo=UTC)),
    st.sampled_from([OFFICE, ALWAYS_OPEN]),
    st.sampled_from(["Europe/Berlin", "Pacific/Auckland", "America/Los_Angeles"]),
)
def test_usual_times_lie_ahead_in_order_and_each_once(
    now: datetime, hours: WorkingCalendar, zone: str
) -> None:
    times = [quick.at for quick in quick_times(hours, zone=zone, now=now)]

    assert times[0] > now
    assert times == sorted(set(times))
