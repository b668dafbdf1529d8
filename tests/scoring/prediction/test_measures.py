"""Our measures are those of the library that everybody cites; weights are repetitions."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from sklearn.metrics import log_loss as their_log_loss

from scoring.prediction.measures import (
    Ranked,
    brier,
    calibration,
    draw_weights,
    intervals,
    log_loss,
)


def sample(seed, *, ties):
    rng = np.random.default_rng(seed)
    target = (rng.random(300) < 0.3).astype(float)
    scores = np.clip(0.3 * target + rng.random(300) * 0.7, 0.01, 0.99)
    return target, np.round(scores, 1) if ties else scores


@pytest.mark.parametrize("ties", [False, True], ids=["no ties", "ties"])
@pytest.mark.parametrize("seed", range(3))
def test_measures_agree_with_scikit_learn(seed, ties):
    target, scores = sample(seed, ties=ties)
    ones = np.ones(len(target))
    ranked = Ranked.of(target, scores)

    assert ranked.roc_auc(ones) == pytest.approx(roc_auc_score(target, scores))
    assert ranked.average_precision(ones) == pytest.approx(average_precision_score(target, scores))
    assert brier(target, scores, ones) == pytest.approx(brier_score_loss(target, scores))
    assert log_loss(target, scores, ones) == pytest.approx(their_log_loss(target, scores))


def test_a_weight_is_a_repetition():
    target, scores = sample(1, ties=True)
    weights = np.random.default_rng(2).integers(0, 4, len(target)).astype(float)
    rows = np.repeat(np.arange(len(target)), weights.astype(int))

    area = Ranked.of(target, scores).roc_auc(weights)

    assert area == pytest.approx(roc_auc_score(target[rows], scores[rows]))


def test_the_lift_of_a_perfect_order_is_the_inverse_of_the_share():
    target = np.array([1.0] * 10 + [0.0] * 90)

    assert Ranked.of(target, target).lift_of_top_tenth(np.ones(100)) == pytest.approx(10)
    assert Ranked.of(target, np.zeros(100)).lift_of_top_tenth(np.ones(100)) == pytest.approx(1)


def test_the_roc_curve_goes_from_corner_to_corner():
    curve = Ranked.of(*sample(1, ties=False)).roc_curve()

    assert curve[0] == (0.0, 0.0)
    assert curve[-1] == (1.0, 1.0)
    assert curve == sorted(curve)
    assert len(curve) <= 40


def test_calibration_bands_hold_all_rows_in_order_of_their_chance():
    target, scores = sample(1, ties=False)

    bands = calibration(target, scores)

    assert sum(band.count for band in bands) == 300
    assert [band.said for band in bands] == sorted(band.said for band in bands)
    assert np.average([b.happened for b in bands], weights=[b.count for b in bands]) == pytest.approx(
        target.mean(), abs=1e-4
    )


def test_an_interval_holds_the_figure_and_is_the_same_each_time():
    target, scores = sample(1, ties=False)
    ranked = Ranked.of(target, scores)

    first = intervals({"area": ranked.roc_auc}, draw_weights(target, seed=1))["area"]
    again = intervals({"area": ranked.roc_auc}, draw_weights(target, seed=1))["area"]

    assert first == again
    assert first[0] < ranked.roc_auc(np.ones(300)) < first[1]
