"""Sealed text: what holds passwords and tokens, such as addresses of channels, is encrypted in the database.

The keys are in the settings, not in the database: who gets hold of a dump alone gets nothing.
"""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings

from common.errors import DomainError

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

_PURPOSE = b"handoff-portal notifications channel address"


class CannotUnseal(DomainError):
    """None of the keys opens it: it was sealed with one that is no longer in the settings."""

    def __init__(self) -> None:
        super().__init__("It can no longer be read, as NOTIFICATION_KEY was changed. Enter it again.")


def seal(text: str) -> bytes:
    """Encrypt with the first key."""
    return _keys(tuple(settings.NOTIFICATION_KEYS)).encrypt(text.encode())


def unseal(sealed: bytes | memoryview) -> str:
    """Decrypt with whichever key fits. Raises CannotUnseal."""
    from cryptography.fernet import InvalidToken

    try:
        return _keys(tuple(settings.NOTIFICATION_KEYS)).decrypt(bytes(sealed)).decode()
    except InvalidToken as error:
        raise CannotUnseal from error


def reseal(sealed: bytes | memoryview) -> bytes:
    """Encrypt with the first key what another one may have sealed. Raises CannotUnseal."""
    return seal(unseal(sealed))


@lru_cache(maxsize=8)
def _keys(secrets: tuple[str, ...]) -> MultiFernet:
    # Loaded late: the web process seldom needs it.
    from cryptography.fernet import Fernet, MultiFernet
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    def key_of(secret: str) -> bytes:
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret.encode())
        return base64.urlsafe_b64encode(derived)

    return MultiFernet([Fernet(key_of(secret)) for secret in secrets])
