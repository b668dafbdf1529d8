"""The pure choice of a rep (HAND-3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handoffs.routing import (
    Candidate,
    Choice,
    Conditions,
    Preference,
    RouteFacts,
    Strategy,
    choose,
    wait_in_line,
)

# A busy machine is no failure.
in_its_own_time = settings(deadline=None)

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
FACTS = RouteFacts(country="Germany", industry="Software", category="B", source="Webinar", employee_count=250)


def rep(user_id: int, **values: object) -> Candidate:
    given = {
        "name": f"Rep {user_id}",
        "weight": 1,
        "received": 0,
        "entitled": Fraction(0),
        "last_offered_at": None,
        "weekly_capacity": 50,
        "max_open": 100,
    }
    return Candidate(user_id=user_id, **(given | values))


class Desk:
    """A pool that keeps its books as the database does."""

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        self.candidates = {candidate.user_id: candidate for candidate in candidates}
        self.offers: list[int | None] = []
        self.clock = START

    def route(self, *, away: Iterable[int] = (), preferences: tuple[Preference, ...] = ()) -> Choice:
        self.clock += timedelta(minutes=1)
        absent = set(away)
        choice = choose(
            [
                replace(one, unavailable="away since Tue 3 Mar" if one.user_id in absent else "")
                for one in self.candidates.values()
            ],
            preferences=preferences,
        )
        for user_id, share in choice.shares.items():
            one = self.candidates[user_id]
            self.candidates[user_id] = replace(one, entitled=one.entitled + share)
        if choice.user_id is not None:
            one = self.candidates[choice.user_id]
            self.candidates[choice.user_id] = replace(
                one, received=one.received + 1, last_offered_at=self.clock
            )
        self.offers.append(choice.user_id)
        return choice

    @property
    def received(self) -> list[int]:
        return [one.received for one in self.candidates.values()]


@in_its_own_time
@given(reps=st.integers(1, 12), leads=st.integers(1, 150))
def test_equal_weights_differ_by_at_most_one_at_every_moment(reps: int, leads: int) -> None:
    desk = Desk(rep(n) for n in range(reps))

    for _ in range(leads):
        desk.route()

        assert max(desk.received) - min(desk.received) <= 1


@in_its_own_time
@given(weights=st.lists(st.integers(1, 20), min_size=1, max_size=8), leads=st.integers(1, 200))
def test_weights_stay_within_one_of_the_exact_share_at_every_moment(weights: list[int], leads: int) -> None:
    desk = Desk(rep(n, weight=weight) for n, weight in enumerate(weights))

    for dealt in range(1, leads + 1):
        desk.route()

        for weight, received in zip(weights, desk.received, strict=True):
            assert abs(received - Fraction(dealt * weight, sum(weights))) < 1


@in_its_own_time
@given(
    reps=st.integers(2, 6),
    absences=st.lists(st.sets(st.integers(0, 5)), min_size=1, max_size=120),
    afterwards=st.integers(1, 60),
)
def test_nobody_catches_up_on_an_absence(reps: int, absences: list[set[int]], afterwards: int) -> None:
    desk = Desk(rep(n) for n in range(reps))
    for away in absences:
        desk.route(away=away)
    before = desk.received

    for _ in range(afterwards):
        desk.route()

    gained = [after - earlier for earlier, after in zip(before, desk.received, strict=True)]
    # Each starts at most a lead ahead or behind of what they were due while they were there.
    assert max(gained) - min(gained) <= 3


@in_its_own_time
@given(
    weights=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    steps=st.lists(
        st.tuples(st.sets(st.integers(0, 5)), st.none() | st.integers(0, 5)), min_size=1, max_size=80
    ),
)
def test_what_everybody_is_owed_together_is_what_was_dealt(
    weights: list[int], steps: list[tuple[set[int], int | None]]
) -> None:
    desk = Desk(rep(n, weight=weight) for n, weight in enumerate(weights))

    for away, account_owner in steps:
        wanted = () if account_owner is None else (Preference(account_owner, Strategy.ACCOUNT_OWNER),)
        desk.route(away=away, preferences=wanted)

    dealt = sum(1 for offer in desk.offers if offer is not None)
    assert sum(desk.received) == dealt
    assert sum(one.entitled for one in desk.candidates.values()) == dealt


@in_its_own_time
@given(
    candidates=st.lists(
        st.builds(
            rep,
            st.integers(1, 6),
            weight=st.integers(1, 5),
            received=st.integers(0, 30),
            entitled=st.fractions(0, 30, max_denominator=60),
            received_this_week=st.integers(0, 3),
            weekly_capacity=st.integers(0, 3),
            open_count=st.integers(0, 3),
            max_open=st.integers(0, 3),
            unavailable=st.sampled_from(["", "away since Tue 3 Mar"]),
            declined=st.sampled_from(["", "passed this lead on"]),
        ),
        unique_by=lambda one: one.user_id,
        max_size=6,
    )
)
def test_a_lead_goes_to_somebody_who_can_take_it_or_to_nobody(candidates: list[Candidate]) -> None:
    choice = choose(candidates)

    able = {one.user_id for one in candidates if not one.obstacle}
    assert choice.user_id in able if able else choice.user_id is None
    assert [one.user_id for one in choice.considered] == sorted(one.user_id for one in candidates)
    assert [one.user_id for one in choice.considered if one.chosen] == (
        [] if choice.user_id is None else [choice.user_id]
    )
    assert all(one.reason for one in choice.considered)


def test_a_tie_goes_to_whoever_was_offered_least_recently_not_to_list_order() -> None:
    first = rep(1, last_offered_at=START + timedelta(hours=2))
    second = rep(2, last_offered_at=START + timedelta(hours=1))

    assert choose([first, second]).user_id == 2
    assert choose([second, first]).user_id == 2


def test_who_was_never_offered_anything_comes_before_who_was() -> None:
    assert choose([rep(1, last_offered_at=START), rep(2)]).user_id == 2


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({"unavailable": "away since Tue 3 Mar"}, "skipped: away since Tue 3 Mar"),
        ({"received_this_week": 50}, "skipped: at weekly capacity, 50 of 50"),
        ({"open_count": 100}, "skipped: at most 100 open at once, has 100"),
        ({"declined": "passed this lead on"}, "skipped: passed this lead on"),
    ],
)
def test_who_is_passed_over_is_told_why(state: dict[str, object], reason: str) -> None:
    choice = choose([rep(1, **state), rep(2, received=7, entitled=Fraction(7))])

    assert choice.user_id == 2
    assert choice.considered[0].reason == reason


def test_who_is_chosen_and_who_waits_are_told_by_their_shares() -> None:
    choice = choose([rep(1, received=4, entitled=Fraction(3)), rep(2, received=3, entitled=Fraction(4))])

    assert [one.reason for one in choice.considered] == [
        "available, not in turn: received 4, share 3.50",
        "next in turn: received 3, share 4.50",
    ]


def test_the_earlier_owner_comes_before_the_account_owner_and_both_before_the_turns() -> None:
    asked = [Preference(3, Strategy.EARLIER_OWNER), Preference(2, Strategy.ACCOUNT_OWNER)]

    everybody = [rep(1), rep(2), rep(3)]
    without_earlier = [rep(1), rep(2), rep(3, unavailable="away since Tue 3 Mar")]

    assert (choose(everybody, preferences=asked).user_id, choose(everybody, preferences=asked).strategy) == (
        3,
        Strategy.EARLIER_OWNER,
    )
    assert choose(without_earlier, preferences=asked).user_id == 2
    assert choose([rep(1)], preferences=asked).strategy is Strategy.ROUND_ROBIN


def test_nobody_available_is_the_overflow_queue() -> None:
    choice = choose([rep(1, received_this_week=50)])

    assert (choice.user_id, choice.strategy) == (None, Strategy.OVERFLOW)


def test_a_pool_without_members_is_the_overflow_queue() -> None:
    assert choose([]).strategy is Strategy.OVERFLOW


def test_a_newer_lead_waits_behind_older_ones() -> None:
    choice = wait_in_line([rep(1)])

    assert (choice.user_id, choice.strategy) == (None, Strategy.IN_LINE)
    assert choice.considered[0].reason == "skipped: older leads are handed out first"


def test_leads_an_account_owner_brings_count_towards_their_share() -> None:
    desk = Desk([rep(1), rep(2)])
    for _ in range(4):
        desk.route(preferences=(Preference(1, Strategy.ACCOUNT_OWNER),))

    for _ in range(4):
        desk.route()

    assert Counter(desk.offers) == {1: 4, 2: 4}


@pytest.mark.parametrize(
    ("conditions", "holds"),
    [
        (Conditions(), True),
        (Conditions(countries=["germany ", "Austria"]), True),
        (Conditions(countries=["France"]), False),
        (Conditions(industries=["SOFTWARE"], categories=["A", "B"]), True),
        (Conditions(categories=["A"]), False),
        (Conditions(sources=["webinar"]), True),
        (Conditions(sources=["Trade fair"]), False),
        (Conditions(employees_from=250, employees_to=250), True),
        (Conditions(employees_from=251), False),
        (Conditions(employees_to=249), False),
    ],
)
def test_a_rule_holds_when_all_its_conditions_do(conditions: Conditions, holds: bool) -> None:
    assert conditions.hold_for(FACTS) is holds


def test_an_unknown_size_fits_no_range_but_a_rule_without_one() -> None:
    unknown = replace(FACTS, employee_count=None)

    assert not Conditions(employees_from=1).hold_for(unknown)
    assert Conditions().hold_for(unknown)
