"""Keep a fitted model and get it back, without ever running what the bytes say (ADR 0016).

The bytes are signed with the portal's secret key, so only what the portal itself wrote is opened at all; and
skops builds only the types listed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import skops.io
from skops.io.exceptions import UntrustedTypesFoundException

from scoring.prediction.columns import Encoder, Matrix
from scoring.prediction.sealing import PredictionNotUsable, seal, unseal

# What our estimators are made of beyond what skops trusts by itself: data and arithmetic, nothing that calls.
TRUSTED = (
    "numpy.dtype",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.model_selection._split.StratifiedKFold",
)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model ready to be asked, and what is usual, to tell its reasons by."""

    estimator: Any
    encoder: Encoder
    usual: Matrix


def keep_fitted(fitted: Fitted) -> bytes:
    parts = {
        "estimator": fitted.estimator,
        "features": fitted.encoder.as_json(),
        "usual": fitted.usual,
    }
    return seal(skops.io.dumps(parts))


def load_fitted(artefact: bytes) -> Fitted:
    """Raises PredictionNotUsable for what the portal did not write, or another version of it did."""
    payload = unseal(artefact)
    try:
        kept = skops.io.loads(payload, trusted=list(TRUSTED))
        return Fitted(kept["estimator"], Encoder.from_json(kept["features"]), kept["usual"])
    except UntrustedTypesFoundException as error:
        raise PredictionNotUsable("The kept model holds types that are not on the list.") from error
    except Exception as error:
        # A kept model of another version may fail to be rebuilt anywhere, with any error.
        raise PredictionNotUsable("The kept model cannot be rebuilt. Train again.") from error
