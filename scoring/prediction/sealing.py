"""Whether a kept model is what the portal wrote, found out without opening it: light enough for a page."""

from __future__ import annotations

import hmac
from importlib.metadata import version

from django.conf import settings
from django.utils.crypto import salted_hmac

from common.errors import DomainError

_SALT = "scoring.prediction"
_SEAL = 32  # bytes of SHA-256


class PredictionNotUsable(DomainError):
    """The kept model cannot be asked; the message says why."""


def seal(payload: bytes) -> bytes:
    return _mark(payload, settings.SECRET_KEY) + payload


def unseal(artefact: bytes) -> bytes:
    """What was sealed. Raises PredictionNotUsable for bytes that changed, or came from elsewhere."""
    mark, payload = artefact[:_SEAL], artefact[_SEAL:]
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    if not any(hmac.compare_digest(mark, _mark(payload, key)) for key in keys):
        raise PredictionNotUsable(
            "The kept model is not what this portal wrote, or the portal's secret key has changed. "
            "Train again."
        )
    return payload


def library() -> str:
    """The library as reports name it. A model is only rebuilt by the version that made it."""
    return f"scikit-learn {version('scikit-learn')}"


def require_library(made_by: str) -> None:
    if reason := why_not_usable(made_by):
        raise PredictionNotUsable(reason)


def why_not_usable(made_by: str) -> str:
    """As a sentence; blank where the library is the one that made the model."""
    return "" if made_by == library() else f"It was made by {made_by}; this is {library()}. Train again."


def _mark(payload: bytes, key: str | bytes) -> bytes:
    # The payload is bytes; salted_hmac takes them as they are.
    return salted_hmac(_SALT, payload, secret=key, algorithm="sha256").digest()
