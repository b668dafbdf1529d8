"""The two groups of a pilot side by side (SCORE-10, SCORE-15)."""

from __future__ import annotations

from datetime import datetime, timedelta

from scoring.conversion import Goal, Maturity, Share
from scoring.outcomes import Outcome
from scoring.pages.pilot import Population
from tests.conftest import NOON

DAY = timedelta(days=1)
MATURITY = Maturity(NOON, {Goal.QUALIFIED: 4 * DAY, Goal.WON: 15 * DAY})


def counted(*outcomes: Outcome) -> Population:
    population = Population("Pilot", 10, Share(0, 10), Share(), Share(), Share())
    for outcome in outcomes:
        population.count(outcome, MATURITY)
    return population


def handed(days_ago: int, **steps: datetime) -> Outcome:
    return Outcome(1, days_ago, NOON - days_ago * DAY, **steps)


def test_a_conversion_is_a_share_of_those_old_enough_for_it() -> None:
    population = counted(handed(1, qualified_at=NOON, won_at=NOON), handed(5, won_at=NOON), handed(20))

    assert population.qualified == Share(1, 2)
    assert population.won == Share(0, 1)


def test_accepted_is_a_share_of_those_decided_and_a_return_is_none() -> None:
    returned = handed(2, accepted_at=NOON, rejected_at=NOON, reason="no-need", reason_type="definitional")

    population = counted(handed(1), handed(3, accepted_at=NOON), returned)

    assert population.accepted == Share(1, 2)


def test_what_was_refused_as_another_reps_counts_nowhere() -> None:
    passed_on = Outcome(1, 1, NOON - 20 * DAY, rejected_at=NOON, reason_type="procedural")

    population = counted(passed_on)

    assert (population.accepted, population.qualified, population.won) == (Share(), Share(), Share())
