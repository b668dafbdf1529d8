"""The closed forms of scoring/intervals.py against published tables, SciPy and scikit-learn."""

from __future__ import annotations

from fractions import Fraction
from math import inf, log, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score

from scoring.intervals import (
    auc_interval,
    auc_variance,
    normal_quantile,
    roc_auc,
    share_ratio,
    stability_index,
    wilson,
)

counts = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
scores = st.lists(st.integers(0, 30), min_size=1, max_size=60)


# --- Wilson --------------------------------------------------------------------------------------


# Newcombe (1998), Statist. Med. 17:857, table I, method 3.
@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_is_as_newcombe_published_it(successes: int, n: int, low: float, high: float) -> None:
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


@given(counts, st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_wilson_is_what_scipy_says(count: tuple[int, int], confidence: float) -> None:
    successes, n = count
    expected = binomtest(successes, n).proportion_ci(confidence, method="wilson")

    assert wilson(successes, n, confidence) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_of_nothing_any_share_may_be_true() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("successes", "n"), [(-1, 3), (4, 3)])
def test_what_is_no_share_has_no_interval(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="no share"):
        wilson(successes, n)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0])
def test_a_confidence_lies_between_nothing_and_certainty(confidence: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        normal_quantile(confidence)


# --- The ratio of two shares ---------------------------------------------------------------------


# High against standard dose of epinephrine (Perondi et al. 2004), as the R package contingencytables has it.
def test_the_ratio_is_as_published() -> None:
    assert share_ratio(7, 34, 1, 34) == pytest.approx((1.1537, 41.9763), abs=5e-5)


@given(counts, counts)
def test_a_limit_of_the_ratio_is_where_the_difference_just_reaches_zero(
    first: tuple[int, int], second: tuple[int, int]
) -> None:
    """The definition: the MOVER interval of p1 - R * p2 has 0 as its limit."""
    p1, p2 = first[0] / first[1], second[0] / second[1]
    (low1, high1), (low2, high2) = wilson(*first), wilson(*second)

    low, high = share_ratio(*first, *second)

    assert p1 - low * p2 == pytest.approx(sqrt((p1 - low1) ** 2 + (low * (high2 - p2)) ** 2), abs=1e-7)
    if high != inf:
        # Compared by the ratio's own size, for the limit may be very large.
        off = (high * p2 - p1) - sqrt((high1 - p1) ** 2 + (high * (p2 - low2)) ** 2)
        assert off / max(1.0, high) == pytest.approx(0, abs=1e-7)


@given(counts, counts)
def test_the_ratio_the_other_way_round_has_the_reciprocal_interval(
    first: tuple[int, int], second: tuple[int, int]
) -> None:
    low, high = share_ratio(*first, *second)
    back_low, back_high = share_ratio(*second, *first)

    assert back_low == pytest.approx(1 / high if high != inf else 0.0, rel=1e-6, abs=1e-9)
    assert back_high == pytest.approx(1 / low if low else inf, rel=1e-6)


@given(counts, counts)
def test_the_ratio_lies_in_its_interval(first: tuple[int, int], second: tuple[int, int]) -> None:
    low, high = share_ratio(*first, *second)

    assert 0 <= low <= high
    if second[0]:
        ratio = (first[0] / first[1]) / (second[0] / second[1])
        assert low <= ratio + 1e-9
        assert high >= ratio - 1e-9


@pytest.mark.parametrize("sides", [(0, 0, 1, 2), (1, 2, 0, 0)])
def test_without_two_sides_any_ratio_may_be_true(sides: tuple[int, int, int, int]) -> None:
    assert share_ratio(*sides) == (0.0, inf)


# --- ROC-AUC -------------------------------------------------------------------------------------


# Hanley and McNeil (1982), Radiology 143:29, table I: ratings of 58 normal and 51 abnormal CT images.
NORMAL, ABNORMAL = (33, 6, 6, 11, 2), (3, 2, 2, 11, 33)


def rated(images: tuple[int, ...]) -> list[int]:
    return [rating for rating, times in enumerate(images) for _ in range(times)]


def test_the_ct_images_of_hanley_and_mcneil() -> None:
    auc = roc_auc(rated(ABNORMAL), rated(NORMAL))

    assert auc == pytest.approx(0.893, abs=5e-4)
    assert sqrt(auc_variance(auc, 51, 58)) == pytest.approx(0.032, abs=5e-4)


@given(scores, scores)
def test_the_auc_counts_pairs_and_ties_half(won: list[int], lost: list[int]) -> None:
    points = sum(Fraction(2 * (up > down) + (up == down), 2) for up in won for down in lost)

    assert roc_auc(won, lost) == float(points / (len(won) * len(lost)))


@given(scores, scores)
def test_the_auc_is_what_scikit_learn_says(won: list[int], lost: list[int]) -> None:
    expected = roc_auc_score([1] * len(won) + [0] * len(lost), won + lost)

    assert roc_auc(won, lost) == pytest.approx(expected, abs=1e-12)


def test_there_is_no_auc_without_pairs() -> None:
    assert roc_auc([], [1]) is None
    assert roc_auc([1], []) is None


@given(st.floats(0, 1), st.integers(1, 500), st.integers(1, 500))
def test_the_interval_of_an_auc_solves_the_score_equation(auc: float, won: int, lost: int) -> None:
    low, high = auc_interval(auc, won, lost)

    assert 0 <= low <= auc <= high <= 1
    z = normal_quantile()
    for limit in (low, high):
        if 0 < limit < 1:
            reach = z * sqrt(auc_variance(limit, won, lost))
            assert abs(auc - limit) == pytest.approx(reach, abs=1e-6)


@given(st.floats(0, 1), st.integers(1, 200), st.integers(1, 200))
def test_turning_the_order_round_mirrors_the_interval(auc: float, won: int, lost: int) -> None:
    low, high = auc_interval(auc, won, lost)
    mirrored_low, mirrored_high = auc_interval(1 - auc, lost, won)

    assert (1 - mirrored_high, 1 - mirrored_low) == pytest.approx((low, high), abs=1e-6)


def test_with_many_outcomes_the_interval_is_hanley_and_mcneils() -> None:
    low, high = auc_interval(0.78, 40_000, 40_000)

    reach = normal_quantile() * sqrt(auc_variance(0.78, 40_000, 40_000))
    assert (low, high) == pytest.approx((0.78 - reach, 0.78 + reach), abs=1e-4)


def test_perfect_order_of_a_few_is_no_certainty() -> None:
    low, high = auc_interval(1.0, 5, 5)

    assert high == 1.0
    assert 0.6 < low < 0.7


def test_an_auc_of_nothing_may_be_anything() -> None:
    assert auc_interval(0.5, 0, 9) == (0.0, 1.0)


# --- Drift ---------------------------------------------------------------------------------------


def test_the_stability_index_is_the_textbook_sum() -> None:
    """Shares far from empty, so half a case more or less hardly counts."""
    before, after = [5_000_000, 3_000_000, 2_000_000], [4_000_000, 3_000_000, 3_000_000]

    expected = (0.4 - 0.5) * log(0.4 / 0.5) + (0.3 - 0.2) * log(0.3 / 0.2)
    assert stability_index(before, after) == pytest.approx(expected, abs=1e-6)


@given(st.lists(st.tuples(st.integers(0, 90), st.integers(0, 90)), min_size=2, max_size=12))
def test_the_stability_index_is_symmetric_and_never_negative(pairs: list[tuple[int, int]]) -> None:
    before, after = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    index = stability_index(before, after)

    assert index == pytest.approx(stability_index(after, before))
    if index is None:
        assert not sum(before) or not sum(after)
    else:
        assert index >= 0


def test_equal_counts_have_not_drifted() -> None:
    assert stability_index([3, 0, 7], [3, 0, 7]) == 0
