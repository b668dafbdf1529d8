"""A kept model comes back as it was, and nothing else does (ADR 0016)."""

from __future__ import annotations

import datetime as anything

import numpy as np
import pytest
import skops.io

from scoring.prediction import fitting, sealing
from scoring.prediction.columns import learn_encoder
from scoring.prediction.sealing import PredictionNotUsable, require_library, seal
from scoring.prediction.storing import Fitted, keep_fitted, load_fitted
from tests.scoring.prediction.lookalikes import logistic_table


@pytest.fixture(scope="module")
def table():
    return logistic_table(200, seed=1)[0]


@pytest.fixture(scope="module", params=sorted(fitting.CANDIDATES))
def fitted(request, table):
    encoder, _ = learn_encoder(table.columns, range(200))
    values, target = encoder.encode(table.columns), np.array(table.target)
    estimator = fitting.CANDIDATES[request.param](encoder, rows=200, seed=1)
    candidate = fitting.Candidate(request.param, 0.0, 0.0, estimator)
    return Fitted(fitting.fit_calibrated(candidate, values, target, seed=1), encoder, values[:3])


def test_a_kept_model_says_the_same(fitted, table):
    back = load_fitted(keep_fitted(fitted))

    values = fitted.encoder.encode(table.columns)
    assert back.encoder == fitted.encoder
    assert np.array_equal(back.usual, fitted.usual, equal_nan=True)
    assert np.array_equal(
        fitting.chances_of(back.estimator, values), fitting.chances_of(fitted.estimator, values)
    )


def test_a_freely_calibrated_model_is_kept_too(table, monkeypatch):
    monkeypatch.setattr(fitting, "FREE_CALIBRATION_FROM", 20)
    encoder, _ = learn_encoder(table.columns, range(200))
    values = encoder.encode(table.columns)
    estimator = fitting.logistic_regression(encoder, rows=200, seed=1)
    candidate = fitting.Candidate("logistic regression", 0.0, 0.0, estimator)
    model = fitting.fit_calibrated(candidate, values, np.array(table.target), seed=1)

    back = load_fitted(keep_fitted(Fitted(model, encoder, values[:3])))

    assert model.method == "isotonic"
    assert np.array_equal(fitting.chances_of(back.estimator, values), fitting.chances_of(model, values))


@pytest.mark.parametrize("place", [0, 40, -1], ids=["seal", "model", "end"])
def test_one_changed_byte_is_refused(fitted, place):
    kept = bytearray(keep_fitted(fitted))
    kept[place] ^= 1

    with pytest.raises(PredictionNotUsable, match="not what this portal wrote"):
        load_fitted(bytes(kept))


@pytest.mark.parametrize(
    "kept", [b"", b"\x80\x04]\x94.", b"PK" + b"0" * 80], ids=["nothing", "pickle", "zip"]
)
def test_bytes_from_elsewhere_are_refused(kept):
    with pytest.raises(PredictionNotUsable):
        load_fitted(kept)


def test_even_sealed_types_beyond_the_list_are_refused():
    foreign = skops.io.dumps({"estimator": anything.timedelta, "features": []})

    with pytest.raises(PredictionNotUsable, match="types that are not on the list"):
        load_fitted(seal(foreign))


def test_sealed_rubbish_is_refused():
    with pytest.raises(PredictionNotUsable, match="cannot be rebuilt"):
        load_fitted(seal(b"rubbish"))
    with pytest.raises(PredictionNotUsable, match="cannot be rebuilt"):
        load_fitted(seal(skops.io.dumps({"other": 1})))


def test_another_secret_key_is_refused_unless_it_was_ours(fitted, settings):
    kept, before = keep_fitted(fitted), settings.SECRET_KEY
    settings.SECRET_KEY = "another" * 10

    with pytest.raises(PredictionNotUsable):
        load_fitted(kept)

    settings.SECRET_KEY_FALLBACKS = [before]
    assert load_fitted(kept).encoder == fitted.encoder


def test_a_model_of_another_version_of_the_library_is_refused():
    require_library(sealing.library())

    with pytest.raises(PredictionNotUsable, match=r"made by scikit-learn 1\.0"):
        require_library("scikit-learn 1.0")
