"""The arithmetic of a backtest (SCORE-10, SCORE-14)."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta

import pytest

from scoring.backtesting.replay import (
    AT_ONCE,
    MOST_EXAMPLES,
    NEVER,
    Tally,
    Track,
    first_pass,
    thresholds_around,
    weekly_points,
)
from scoring.conversion import Goal, Maturity
from scoring.outcomes import Outcome

UNTIL = datetime(2026, 3, 30, 12, tzinfo=UTC)  # the day after clocks changed
DAY = timedelta(days=1)
SINCE = UNTIL - 21 * DAY
AT_ONCE_MATURE = Maturity(UNTIL, {})


def tally_of(weeks: int = 3, threshold: int = 50, against_threshold: int = 50) -> Tally:
    return Tally(weeks, threshold, against_threshold, thresholds=[40, 50, 60])


def track(*reach: int) -> Track:
    return Track(reach, [max(0, min(each, 99)) for each in reach])


def handed(lead_id: int, at: datetime = UNTIL, **steps: datetime) -> Outcome:
    return Outcome(lead_id, lead_id * 10, handed_at=at, **steps)


@pytest.mark.parametrize(
    ("days", "weeks"), [(7, 1), (8, 2), (90, 13), (91, 13), (365, 53), (366, 53)], ids=str
)
def test_the_window_is_whole_weeks_that_cover_the_days(days: int, weeks: int) -> None:
    points = weekly_points(UNTIL, days=days)

    assert len(points) == weeks + 1
    assert (points[0], points[-1]) == (UNTIL - weeks * 7 * DAY, UNTIL)
    assert points == sorted(points)


def test_thresholds_lie_around_the_own_one_and_begin_at_one() -> None:
    assert thresholds_around(50) == list(range(38, 75, 2))
    assert thresholds_around(3) == list(range(1, 16))
    assert 1_000 in thresholds_around(1_000)


@pytest.mark.parametrize(
    ("reach", "index"),
    [
        ((10, 49, 50, 80), 2),
        ((50, 10, 10, 10), 0),
        ((10, 20, 30, 40), None),
        ((NEVER, NEVER, AT_ONCE, NEVER), 2),
        ((), None),
    ],
    ids=["reaches", "before", "never", "instant", "unknown"],
)
def test_a_lead_passes_at_the_first_point_that_meets_the_threshold(
    reach: tuple[int, ...], index: int | None
) -> None:
    assert first_pass(reach, 50) == index


@pytest.mark.parametrize(
    ("draft", "active", "group"),
    [
        ((10, 10, 60, 60), (10, 10, 10, 10), "more"),
        ((10, 10, 60, 60), None, "more"),
        ((10, 10, 10, 10), (10, 60, 60, 60), "fewer"),
        (None, (10, 60, 60, 60), "fewer"),
        ((10, 60, 60, 60), (10, 10, 60, 60), "kept"),
        ((60, 60, 60, 60), (10, 10, 60, 60), "sooner"),
        ((10, 10, 60, 60), (60, 60, 60, 60), "later"),
        ((60, 60, 60, 60), (60, 60, 60, 60), ""),
        ((10, 10, 10, 10), (10, 10, 10, 10), ""),
        ((60, 60, 60, 60), (10, 10, 10, 10), ""),
    ],
)
def test_each_lead_stands_on_one_side_of_the_difference(
    draft: tuple[int, ...] | None, active: tuple[int, ...] | None, group: str
) -> None:
    tally = tally_of()

    tally.count(
        7, draft and track(*draft), active and track(*active), [], since=SINCE, maturity=AT_ONCE_MATURE
    )

    assert {name: fate.leads for name, fate in tally.fates.items() if fate.leads} == (
        {group: 1} if group else {}
    )


def test_a_lead_that_hovers_around_the_threshold_is_one_mql() -> None:
    tally = tally_of(weeks=4)

    tally.count(
        7, track(10, 60, 40, 60, 60), track(10, 10, 60, 40, 60), [], since=SINCE, maturity=AT_ONCE_MATURE
    )

    assert (tally.draft, tally.active) == ([1, 0, 0, 0], [0, 1, 0, 0])


def test_the_difference_explains_itself() -> None:
    """More MQLs of the draft are those added, less those removed, and those moved over the window's edge."""
    rng = random.Random(10)
    tally = tally_of()
    for lead_id in range(500):
        draft, active = (track(*rng.choices([0, 49, 50, 70], k=4)) for _ in range(2))
        tally.count(lead_id, draft, active, [], since=SINCE, maturity=AT_ONCE_MATURE)

    leads = {name: fate.leads for name, fate in tally.fates.items()}
    assert all(leads.values())
    assert sum(tally.draft) - sum(tally.active) == (
        leads["more"] - leads["fewer"] + leads["later"] - leads["sooner"]
    )
    assert sum(fate.leads for fate in tally.by_total.values()) == sum(tally.draft)
    assert tally.by_threshold[50] == tally.draft


def test_other_thresholds_are_counted_week_by_week() -> None:
    tally = tally_of()

    tally.count(1, track(10, 45, 55, 65), None, [], since=SINCE, maturity=AT_ONCE_MATURE)
    tally.count(2, track(45, 55, 55, 55), None, [], since=SINCE, maturity=AT_ONCE_MATURE)
    tally.count(3, track(NEVER, NEVER, AT_ONCE, NEVER), None, [], since=SINCE, maturity=AT_ONCE_MATURE)

    assert tally.by_threshold == {40: [1, 1, 0], 50: [1, 2, 0], 60: [0, 1, 1]}


def test_whom_sales_had_before_is_left_out() -> None:
    tally = tally_of()

    tally.count(
        1, track(10, 60, 60, 60), None, [handed(1, SINCE - DAY)], since=SINCE, maturity=AT_ONCE_MATURE
    )
    tally.count(
        2, track(10, 60, 60, 60), None, [handed(2, SINCE + DAY)], since=SINCE, maturity=AT_ONCE_MATURE
    )

    assert (tally.left_out, tally.draft) == (1, [1, 0, 0])


def test_outcomes_are_counted_once_for_each_step_that_a_lead_reached() -> None:
    tally = tally_of()
    passed_on = Outcome(1, 1, UNTIL, rejected_at=UNTIL, reason="wrong-rep", reason_type="procedural")
    won = handed(1, accepted_at=UNTIL, qualified_at=UNTIL, opportunity_at=UNTIL, won_at=UNTIL)
    returned = handed(2, accepted_at=UNTIL, rejected_at=UNTIL, reason="no-need")

    tally.count(1, track(10, 60, 60, 60), None, [passed_on, won], since=SINCE, maturity=AT_ONCE_MATURE)
    tally.count(2, track(10, 60, 60, 60), None, [returned], since=SINCE, maturity=AT_ONCE_MATURE)
    tally.count(3, track(10, 60, 60, 60), None, [handed(3)], since=SINCE, maturity=AT_ONCE_MATURE)
    tally.count(4, track(10, 60, 60, 60), None, [], since=SINCE, maturity=AT_ONCE_MATURE)

    fate = tally.fates["more"]
    assert (fate.leads, fate.handed, fate.decided, fate.accepted) == (4, 3, 2, 1)
    assert (fate.qualified, fate.won, fate.open) == (1, 1, 1)


def test_a_share_is_of_those_that_had_the_time_to_get_there() -> None:
    tally = tally_of()
    maturity = Maturity(UNTIL, {Goal.QUALIFIED: 4 * DAY, Goal.WON: 15 * DAY})
    quick = {"accepted_at": UNTIL, "qualified_at": UNTIL, "won_at": UNTIL}

    tally.count(
        1, track(10, 60, 60, 60), None, [handed(1, UNTIL - DAY, **quick)], since=SINCE, maturity=maturity
    )
    tally.count(
        2, track(10, 60, 60, 60), None, [handed(2, UNTIL - 5 * DAY, **quick)], since=SINCE, maturity=maturity
    )
    tally.count(3, track(10, 60, 60, 60), None, [handed(3, UNTIL - 20 * DAY)], since=SINCE, maturity=maturity)

    fate = tally.fates["more"]
    assert (fate.qualified, fate.old_enough_to_qualify) == (1, 2)
    assert (fate.won, fate.old_enough_to_win) == (0, 1)


def test_what_says_nothing_about_the_lead_is_in_no_share() -> None:
    tally = tally_of()
    passed_on = Outcome(1, 1, UNTIL, rejected_at=UNTIL, reason="wrong-rep", reason_type="procedural")

    tally.count(1, track(10, 60, 60, 60), None, [passed_on], since=SINCE, maturity=AT_ONCE_MATURE)
    tally.count(
        2, track(10, 60, 60, 60), None, [handed(2, withdrawn_at=UNTIL)], since=SINCE, maturity=AT_ONCE_MATURE
    )

    fate = tally.fates["more"]
    assert (fate.handed, fate.decided, fate.old_enough_to_qualify, fate.old_enough_to_win) == (2, 0, 0, 0)


def test_the_latest_examples_with_the_highest_scores_are_kept() -> None:
    tally = tally_of()
    for lead_id in range(1, 31):
        second = 60 if lead_id % 2 else 0  # the odd ones come a week earlier
        draft = Track((0, 0, second, 60), (0, 0, 60, 60 + lead_id))
        tally.count(lead_id, draft, None, [], since=SINCE, maturity=AT_ONCE_MATURE)

    kept = tally.examples["more"]

    assert len(kept) == MOST_EXAMPLES
    assert [(example.point, example.lead_id) for example in kept[:3]] == [(3, 30), (3, 28), (3, 26)]


@pytest.mark.parametrize(
    ("totals", "bands"),
    [
        ([], []),
        ([50, 52], [(50, 54)]),
        ([48, 61], [(45, 49), (60, 64)]),
        ([50, 149], [(40, 59), (140, 159)]),
        ([0, 10_000], [(0, 1_999), (10_000, 11_999)]),
    ],
    ids=["none", "one", "two", "wide", "very-wide"],
)
def test_bands_are_round_and_few(totals: list[int], bands: list[tuple[int, int]]) -> None:
    tally = tally_of()
    for lead_id, total in enumerate(totals):
        tally.count(
            lead_id,
            Track((0, AT_ONCE, 0, 0), (0, total, 0, 0)),
            None,
            [],
            since=SINCE,
            maturity=AT_ONCE_MATURE,
        )

    assert [(low, high) for low, high, _ in tally.bands()] == bands


def test_a_tally_survives_being_kept_between_steps() -> None:
    tally = tally_of()
    tally.count(
        1, track(10, 45, 55, 65), track(10, 10, 10, 10), [handed(1)], since=SINCE, maturity=AT_ONCE_MATURE
    )
    tally.count(
        2,
        track(0, 0, 0, 0),
        track(10, 60, 60, 60),
        [handed(2, SINCE - DAY)],
        since=SINCE,
        maturity=AT_ONCE_MATURE,
    )

    assert Tally.from_json(json.loads(json.dumps(tally.as_json()))) == tally
