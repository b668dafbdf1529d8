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

from handoffs.routing.turns import (
    SHARE,
    Candidate,
    Choice,
    Needs,
    OffShift,
    Preference,
    Request,
    Strategy,
    Turns,
    book,
    choose,
    choose_manager,
    has_room,
    wait_in_line,
    words,
)

# A busy machine is no failure.
in_its_own_time = settings(deadline=None, max_examples=60)

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
AWAY = "away since Tue 3 Mar"
NIGHT = "off shift until Mon 09:00"


def rep(user_id: int, **values: object) -> Candidate:
    given = {
        "name": f"Rep {user_id}",
        "weight": 1,
        "received": 0,
        "entitled": 0,
        "last_offered_at": None,
        "weekly_capacity": 1000,
        "max_open": 1000,
    }
    return Candidate(user_id=user_id, **(given | values))


class Desk:
    """A pool that keeps its books as the database does."""

    def __init__(
        self, candidates: Iterable[Candidate], *, catches_up: bool = False, off_shift: str = "prefer"
    ) -> None:
        self.candidates = {candidate.user_id: candidate for candidate in candidates}
        self.rules = {"catches_up": catches_up, "off_shift": OffShift(off_shift)}
        self.offers: list[int | None] = []
        self.clock = START

    def route(self, *, away: Iterable[int] = (), off_shift: Iterable[int] = (), **request: object) -> Choice:
        self.clock += timedelta(minutes=1)
        absent, resting = set(away), set(off_shift)
        for one in self.candidates.values():
            one.away = AWAY if one.user_id in absent else ""
            one.off_shift = NIGHT if one.user_id in resting else ""
        choice = choose(self.candidates.values(), Request(**request), **self.rules)
        book(self.candidates, choice, at=self.clock)
        self.offers.append(choice.user_id)
        return choice

    @property
    def received(self) -> list[int]:
        return [one.received for one in self.candidates.values()]


# --- Fairness -----------------------------------------------------------------------------------


@in_its_own_time
@given(reps=st.integers(1, 12), leads=st.integers(1, 120))
def test_equal_weights_differ_by_at_most_one_at_every_moment(reps: int, leads: int) -> None:
    desk = Desk(rep(n) for n in range(reps))

    for _ in range(leads):
        desk.route()

        assert max(desk.received) - min(desk.received) <= 1


@in_its_own_time
@given(weights=st.lists(st.integers(1, 20), min_size=1, max_size=8), leads=st.integers(1, 150))
def test_weights_stay_within_one_of_the_exact_share_at_every_moment(weights: list[int], leads: int) -> None:
    desk = Desk(rep(n, weight=weight) for n, weight in enumerate(weights))

    for dealt in range(1, leads + 1):
        desk.route()

        for weight, received in zip(weights, desk.received, strict=True):
            assert abs(received - Fraction(dealt * weight, sum(weights))) < 1


@in_its_own_time
@given(
    reps=st.integers(2, 6),
    absences=st.lists(st.sets(st.integers(0, 5)), min_size=1, max_size=100),
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
    weights=st.lists(st.integers(1, 5), min_size=2, max_size=5),
    absent=st.sets(st.integers(1, 4)),
    missed=st.integers(1, 40),
    how=st.sampled_from(["away", "off_shift"]),
)
def test_where_the_pool_catches_up_the_absent_get_what_they_missed(
    weights: list[int], absent: set[int], missed: int, how: str
) -> None:
    desk = Desk((rep(n, weight=weight) for n, weight in enumerate(weights)), catches_up=True)
    for _ in range(missed):
        desk.route(**{how: absent})

    # Once everybody is back for as long as the missing ones need, shares are exact again.
    afterwards = missed * sum(weights)
    for _ in range(afterwards):
        desk.route()

    for weight, received in zip(weights, desk.received, strict=True):
        assert abs(received - Fraction((missed + afterwards) * weight, sum(weights))) < 1


@pytest.mark.parametrize(
    "obstacle",
    [
        {"weekly_capacity": 0},
        {"max_open": 0},
        {"territory": words(["France"])},
        {"unavailable": "not active in this pool"},
    ],
)
def test_nobody_catches_up_on_leads_they_could_not_have_taken(obstacle: dict[str, object]) -> None:
    desk = Desk([rep(1), rep(2, **obstacle), rep(3)], catches_up=True)

    for _ in range(10):
        desk.route(needs=Needs(country="Germany"), away=[2])

    assert desk.candidates[2].entitled == 0


@in_its_own_time
@given(
    weights=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    catches_up=st.booleans(),
    steps=st.lists(
        st.tuples(st.sets(st.integers(0, 5)), st.none() | st.integers(0, 5), st.sampled_from(list(Turns))),
        min_size=1,
        max_size=60,
    ),
)
def test_what_everybody_is_owed_together_is_what_was_dealt(
    weights: list[int], catches_up: bool, steps: list[tuple[set[int], int | None, Turns]]
) -> None:
    desk = Desk((rep(n, weight=weight) for n, weight in enumerate(weights)), catches_up=catches_up)

    for away, account_owner, turns in steps:
        wanted = () if account_owner is None else (Preference(account_owner, Strategy.ACCOUNT_OWNER),)
        desk.route(away=away, preferences=wanted, turns=turns)

    dealt = sum(1 for offer in desk.offers if offer is not None)
    owed = sum(one.entitled for one in desk.candidates.values())
    assert sum(desk.received) == dealt
    assert abs(owed - dealt * SHARE) <= len(weights) * len(steps)  # rounding, in the last of 20 places


@in_its_own_time
@given(
    candidates=st.lists(
        st.builds(
            rep,
            st.integers(1, 6),
            weight=st.integers(0, 5),
            received=st.integers(0, 30),
            entitled=st.integers(0, 30 * SHARE),
            received_this_week=st.integers(0, 3),
            weekly_capacity=st.integers(0, 3),
            open_count=st.integers(0, 3),
            max_open=st.integers(0, 3),
            territory=st.sampled_from([frozenset(), words(["France"]), words(["Germany"])]),
            unavailable=st.sampled_from(["", "not active in this pool"]),
            away=st.sampled_from(["", AWAY]),
            off_shift=st.sampled_from(["", NIGHT]),
        ),
        unique_by=lambda one: one.user_id,
        max_size=6,
    ),
    declined=st.sets(st.integers(1, 6), max_size=2),
    off_shift=st.sampled_from(list(OffShift)),
    catches_up=st.booleans(),
)
def test_a_lead_goes_to_somebody_who_can_take_it_or_to_nobody(
    candidates: list[Candidate], declined: set[int], off_shift: OffShift, catches_up: bool
) -> None:
    needs = Needs(country="Germany")
    request = Request(needs=needs, declined=dict.fromkeys(declined, "passed this lead on"))

    choice = choose(candidates, request, off_shift=off_shift, catches_up=catches_up)

    able = {
        one.user_id: bool(one.off_shift)
        for one in candidates
        if one.weight
        and not (one.unavailable or one.away or one.full or one.unfit_for(needs))
        and one.user_id not in declined
    }
    at_work = {user_id for user_id, resting in able.items() if not resting}
    allowed = {
        OffShift.OFFER: set(able),
        OffShift.WAIT: at_work,
        OffShift.PREFER: at_work or (set(able) if not _anybody_at_work(candidates, request) else set()),
    }[off_shift]
    assert choice.user_id in allowed if allowed else choice.user_id is None
    assert [one.user_id for one in choice.considered] == sorted(one.user_id for one in candidates)
    assert [one.user_id for one in choice.considered if one.chosen] == (
        [] if choice.user_id is None else [choice.user_id]
    )
    assert all(one.reason for one in choice.considered)


def _anybody_at_work(candidates: list[Candidate], request: Request) -> bool:
    """Also one without weight: who is no member is there to be asked, not to be dealt to."""
    return any(
        not (one.unavailable or one.away or one.full or one.off_shift or one.unfit_for(request.needs))
        and one.user_id not in request.declined
        for one in candidates
    )


def test_a_tie_goes_to_whoever_was_offered_least_recently_not_to_list_order() -> None:
    first = rep(1, last_offered_at=START + timedelta(hours=2))
    second = rep(2, last_offered_at=START + timedelta(hours=1))

    assert choose([first, second], Request()).user_id == 2
    assert choose([second, first], Request()).user_id == 2


def test_who_was_never_offered_anything_comes_before_who_was() -> None:
    assert choose([rep(1, last_offered_at=START), rep(2)], Request()).user_id == 2


@pytest.mark.parametrize("entitled", [SHARE // 3, SHARE // 3 + 10**7])
def test_the_rounding_of_shares_breaks_no_tie(entitled: int) -> None:
    first = rep(1, entitled=entitled, last_offered_at=START)
    second = rep(2, entitled=SHARE // 3)

    assert choose([first, second], Request()).user_id == 2


# --- Least loaded -------------------------------------------------------------------------------


def test_the_least_loaded_comes_first_and_a_tie_goes_to_the_least_recently_offered() -> None:
    request = Request(turns=Turns.LEAST_LOADED)
    busy, idle = rep(1, open_count=4), rep(2, open_count=3, last_offered_at=START)
    rested = rep(3, open_count=3, last_offered_at=START - timedelta(hours=1))

    choice = choose([busy, idle, rested], request)

    assert (choice.user_id, choice.strategy) == (3, Strategy.LEAST_LOADED)
    assert [one.reason for one in choice.considered] == [
        "available, has no fewer open handoffs: 4",
        "available, has no fewer open handoffs: 3",
        "fewest open handoffs: 3",
    ]


@in_its_own_time
@given(loads=st.lists(st.integers(0, 9), min_size=1, max_size=6), leads=st.integers(1, 60))
def test_dealing_by_load_levels_the_loads_and_moves_no_turn(loads: list[int], leads: int) -> None:
    desk = Desk(rep(n, open_count=load) for n, load in enumerate(loads))

    for _ in range(leads):
        desk.route(turns=Turns.LEAST_LOADED)

    after = [one.open_count for one in desk.candidates.values()]
    grown = [load for load, before in zip(after, loads, strict=True) if load > before]
    assert max(grown) - min(after) <= 1
    assert all(one.entitled == one.received * SHARE for one in desk.candidates.values())


# --- Why not me ---------------------------------------------------------------------------------

GERMAN_HEALTH = Needs(country="Germany", language="German", skills=("Health", "Tenders"))
FIT = {"languages": words(["german"]), "skills": words(["health", "tenders", "law"])}


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({"away": AWAY}, "skipped: away since Tue 3 Mar"),
        ({"received_this_week": 1000}, "skipped: at weekly capacity, 1000 of 1000"),
        ({"open_count": 1000}, "skipped: at most 1000 open at once, has 1000"),
        ({"off_shift": NIGHT}, "skipped: off shift until Mon 09:00"),
        ({"territory": words(["France"])}, "skipped: not their territory: Germany"),
        ({"languages": words(["Dutch"])}, "skipped: does not speak German"),
        ({"skills": words(["Tenders"])}, "skipped: not an expert in Health"),
        ({"unavailable": "not active in this pool", "away": AWAY}, "skipped: not active in this pool"),
    ],
)
def test_who_is_passed_over_is_told_why(state: dict[str, object], reason: str) -> None:
    other = rep(2, received=7, entitled=7 * SHARE, **FIT)

    choice = choose([rep(1, **(FIT | state)), other], Request(needs=GERMAN_HEALTH))

    assert choice.user_id == 2
    assert choice.considered[0].reason == reason


def test_a_territory_and_words_are_compared_without_case_and_a_lead_without_country_has_none() -> None:
    german = rep(1, territory=words([" germany"]), languages=words(["GERMAN "]))

    assert german.unfit_for(Needs(country="Germany", language="german")) == ""
    assert german.unfit_for(Needs()) == "not their territory: country unknown"


def test_who_declined_a_lead_is_not_offered_it_again() -> None:
    choice = choose([rep(1), rep(2)], Request(declined={1: "passed this lead on"}))

    assert choice.user_id == 2
    assert choice.considered[0].reason == "skipped: passed this lead on"


def test_who_is_chosen_and_who_waits_are_told_by_their_shares() -> None:
    choice = choose(
        [rep(1, received=4, entitled=3 * SHARE), rep(2, received=3, entitled=4 * SHARE)], Request()
    )

    assert [one.reason for one in choice.considered] == [
        "available, not in turn: received 4, share 3.50",
        "next in turn: received 3, share 4.50",
    ]


# --- Shifts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "while_one_works", "at_night"),
    [("offer", 1, 1), ("prefer", 2, 1), ("wait", 2, None)],
)
def test_the_pool_says_what_working_hours_mean(
    policy: str, while_one_works: int, at_night: int | None
) -> None:
    reps = [rep(1, off_shift=NIGHT), rep(2, last_offered_at=START)]

    by_day = choose(reps, Request(), off_shift=OffShift(policy))
    reps[1].off_shift = NIGHT
    by_night = choose(reps, Request(), off_shift=OffShift(policy))

    assert (by_day.user_id, by_night.user_id) == (while_one_works, at_night)
    assert has_room(reps[0], OffShift(policy)) is (at_night is not None)


# --- Preferences --------------------------------------------------------------------------------


def test_preferences_are_asked_in_their_order_before_the_turns() -> None:
    asked = [Preference(3, Strategy.EARLIER_OWNER), Preference(2, Strategy.ACCOUNT_OWNER)]
    everybody = [rep(1), rep(2), rep(3)]
    without_earlier = [rep(1), rep(2), rep(3, away=AWAY)]

    first = choose(everybody, Request(preferences=asked))

    assert (first.user_id, first.strategy) == (3, Strategy.EARLIER_OWNER)
    assert first.considered[2].reason == "earlier owner of this lead"
    assert choose(without_earlier, Request(preferences=asked)).user_id == 2
    assert choose([rep(1)], Request(preferences=asked)).strategy is Strategy.ROUND_ROBIN


def test_somebody_a_rule_names_need_not_be_a_member_and_then_no_turn_moves() -> None:
    named = rep(9, weight=0)
    asked = Request(preferences=[Preference(9, Strategy.NAMED_OWNER)])

    given_to_them = choose([rep(1), named], asked)
    without_them = choose([rep(1), replace(named, away=AWAY)], asked)

    assert (given_to_them.user_id, given_to_them.strategy) == (9, Strategy.NAMED_OWNER)
    assert given_to_them.shares == {}
    assert (without_them.user_id, without_them.shares) == (1, {1: SHARE})


def test_leads_an_account_owner_brings_count_towards_their_share() -> None:
    desk = Desk([rep(1), rep(2)])
    for _ in range(4):
        desk.route(preferences=(Preference(1, Strategy.ACCOUNT_OWNER),))

    for _ in range(4):
        desk.route()

    assert Counter(desk.offers) == {1: 4, 2: 4}


# --- Nobody, or a manager -----------------------------------------------------------------------


def test_nobody_available_is_the_overflow_queue() -> None:
    choice = choose([rep(1, weekly_capacity=0)], Request())

    assert (choice.user_id, choice.strategy, choice.shares) == (None, Strategy.OVERFLOW, {})


@pytest.mark.parametrize("turns", list(Turns))
def test_a_pool_without_members_is_the_overflow_queue(turns: Turns) -> None:
    assert choose([], Request(turns=turns)).strategy is Strategy.OVERFLOW


def test_a_lead_to_be_claimed_is_offered_to_nobody() -> None:
    choice = choose([rep(1), rep(2)], Request(to_be_claimed="passed on by 3 reps"))

    assert choice.strategy is Strategy.OVERFLOW
    assert {one.reason for one in choice.considered} == {"skipped: passed on by 3 reps"}


def test_a_newer_lead_waits_behind_older_ones() -> None:
    choice = wait_in_line([rep(1)])

    assert (choice.user_id, choice.strategy) == (None, Strategy.IN_LINE)
    assert choice.considered[0].reason == "skipped: older leads are handed out first"


def test_the_manager_with_the_least_to_do_looks_and_the_members_read_why() -> None:
    managers = [rep(8, weight=0, open_count=2), rep(9, weight=0), rep(7, weight=0, away=AWAY)]

    choice = choose_manager(managers, [rep(1)], passed_on={}, why="returned 3 times, so a manager looks")

    assert (choice.user_id, choice.strategy, choice.shares) == (9, Strategy.MANAGER, {})
    assert choice.considered[-1].reason == "skipped: returned 3 times, so a manager looks"
    assert [one.user_id for one in choice.considered] == [7, 8, 9, 1]


def test_without_a_manager_at_hand_it_waits() -> None:
    choice = choose_manager([rep(8, weight=0, away=AWAY)], [rep(1)], passed_on={}, why="returned")

    assert (choice.user_id, choice.strategy) == (None, Strategy.OVERFLOW)
