"""Write keys of tracking stacks: made once, kept as a digest, checked on every message (INTAKE-3)."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from common.errors import InvalidInput
from leads.models import WriteKey

# A write per message would double the work of tracking; a minute is exact enough for "last used".
LAST_USED_EVERY = timedelta(minutes=1)
MAX_SECRET = 200


def create_write_key(name: str, *, now: datetime, secret: str = "") -> tuple[WriteKey, str]:
    """Make a key and return it with its secret, which is kept nowhere. A given secret already known
    answers that key, so a set-up can be repeated."""
    secret = secret or f"wk_{secrets.token_urlsafe(24)}"
    if not 8 <= len(secret) <= MAX_SECRET or not secret.isascii() or ":" in secret:
        raise InvalidInput("A write key is 8 to 200 ASCII characters without a colon.", field="secret")
    key, _ = WriteKey.objects.get_or_create(
        digest=_digest(secret), defaults={"name": name, "prefix": secret[:9], "created_at": now}
    )
    return key, secret


def find_write_key(secret: str, *, now: datetime) -> WriteKey | None:
    """The live key with this secret; None if unknown or revoked. Notes the use."""
    key = WriteKey.objects.filter(digest=_digest(secret), revoked_at=None).first()
    if key and (key.last_used_at is None or now - key.last_used_at >= LAST_USED_EVERY):
        WriteKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return key


def revoke_write_key(key: WriteKey, *, now: datetime) -> None:
    """Close the key for good. Doing it again changes nothing."""
    WriteKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now)


def _digest(secret: str) -> str:
    """SHA-256 is enough: the secret is random and long."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
