"""What a rule should be worth: the estimators against R's published output and against planted truth."""

from __future__ import annotations

from math import exp, log, sqrt

import pytest

from scoring.calibration.suggestions import (
    Effect,
    common_effect,
    drawn_towards,
    points_per_log_odds,
    spread_of,
)
from scoring.conversion import Share

# UCBAdmissions of R: (admitted, rejected) of men and of women in six departments.
BERKELEY = [
    ((512, 313), (89, 19)),
    ((353, 207), (17, 8)),
    ((120, 205), (202, 391)),
    ((138, 279), (131, 244)),
    ((53, 138), (94, 299)),
    ((22, 351), (24, 317)),
]


def share(yes: int, no: int) -> Share:
    return Share(yes, yes + no)


def test_the_common_odds_ratio_is_that_of_mantelhaen_test() -> None:
    """`mantelhaen.test(UCBAdmissions)`: 0.9046968, 95 % interval 0.7719074 to 1.0603298."""
    effect = common_effect((share(*men), share(*women)) for men, women in BERKELEY)

    assert effect is not None
    assert exp(effect.log_odds) == pytest.approx(0.9046968, abs=5e-8)
    assert tuple(map(exp, effect.interval)) == pytest.approx((0.7719074, 1.0603298), abs=5e-8)
    assert not effect.is_certain


def test_without_strata_it_would_say_the_opposite() -> None:
    """Simpson's paradox, for which strata are there."""
    men = Share(sum(m[0] for m, _ in BERKELEY), sum(sum(m) for m, _ in BERKELEY))
    women = Share(sum(w[0] for _, w in BERKELEY), sum(sum(w) for _, w in BERKELEY))

    crude = common_effect([(men, women)])

    assert crude is not None
    assert exp(crude.log_odds) == pytest.approx(1.841, abs=5e-4)
    assert crude.is_certain


def test_of_one_stratum_the_error_is_woolfs() -> None:
    effect = common_effect([(share(30, 20), share(12, 38))])

    assert effect is not None
    assert effect.log_odds == pytest.approx(log(30 * 38 / (20 * 12)))
    assert effect.error == pytest.approx(sqrt(1 / 30 + 1 / 20 + 1 / 12 + 1 / 38))


@pytest.mark.parametrize(
    "strata",
    [
        [],
        [(Share(3, 9), Share(0, 0))],
        [(Share(0, 9), Share(0, 9))],
        [(Share(9, 9), Share(3, 9))],
    ],
    ids=["no leads", "nobody without it", "nobody converted", "everybody with it converted"],
)
def test_what_says_nothing_has_no_effect(strata: list[tuple[Share, Share]]) -> None:
    assert common_effect(strata) is None


def test_the_factor_keeps_the_size_of_the_model() -> None:
    """Two rules that are worth 1 and 2 log-odds, known exactly, and give 30 and 10 points."""
    factor = points_per_log_odds([Effect(1.0, 0.0), Effect(2.0, 0.0)], [30.0, 10.0])

    assert factor is not None
    assert sqrt((factor * 1) ** 2 + (factor * 2) ** 2) == pytest.approx(sqrt(30**2 + 10**2))


def test_effects_no_larger_than_chance_give_no_factor() -> None:
    assert points_per_log_odds([Effect(0.1, 0.3), Effect(-0.2, 0.3)], [30.0, 10.0]) is None
    assert points_per_log_odds([], []) is None


def test_chance_is_taken_off_the_spread() -> None:
    assert spread_of([Effect(1.0, 0.5), Effect(0.0, 0.5)], [0.0, 0.0]) == pytest.approx(0.25)
    assert spread_of([Effect(0.1, 0.5)], [0.0]) == 0.0
    assert spread_of([], []) == 0.0


def test_little_evidence_is_believed_little() -> None:
    sure, vague = Effect(2.0, 0.1), Effect(2.0, 2.0)

    assert drawn_towards(0.5, sure, spread=1.0) == pytest.approx(2.0, abs=0.02)
    assert drawn_towards(0.5, vague, spread=1.0) == pytest.approx(0.8)
    assert drawn_towards(0.5, sure, spread=0.0) == 0.5
