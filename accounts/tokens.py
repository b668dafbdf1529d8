"""API tokens: made once, kept as a digest, checked on every call, revoked for good."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import structlog
from django.db import connection, transaction
from django.db.models import Q

from accounts.models import ApiToken, User
from accounts.roles import SCOPES_OF_ROLE
from common.errors import InvalidInput
from common.prepared import columns_of, execute_prepared, made_of

log = structlog.get_logger(__name__)

# A write per call would make every API request a transaction; a minute is exact enough for "last used".
LAST_USED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class IssuedToken:
    """A new token with its secret, which is shown once and kept nowhere."""

    token: ApiToken
    secret: str


def digest_of(secret: str) -> str:
    """SHA-256 is enough: the secret is random and long, so there is nothing to guess from a dictionary."""
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def issue_token(user: User, *, name: str, scopes: Iterable[str], now: datetime) -> IssuedToken:
    """Give the person a token. Raises InvalidInput for a scope that the role may not hold."""
    wanted = sorted(set(scopes))
    if not wanted:
        raise InvalidInput("Choose at least one thing the token may do.", field="scopes")
    if beyond := set(wanted) - SCOPES_OF_ROLE[user.role]:
        raise InvalidInput(
            f"{user.get_role_display()} may not hold the scope {', '.join(sorted(beyond))}.", field="scopes"
        )
    secret = f"hp_{secrets.token_urlsafe(32)}"
    token = ApiToken.objects.create(
        user=user, name=name, prefix=secret[:9], digest=digest_of(secret), scopes=wanted, created_at=now
    )
    log.info("token.issued", token=token.pk, user=user.pk, scopes=wanted)
    return IssuedToken(token, secret)


def find_token(secret: str) -> ApiToken | None:
    """The live token with this secret, its user loaded; None if unknown, revoked or of a closed account."""
    with connection.cursor() as cursor:
        execute_prepared(cursor, _find(), {"digest": digest_of(secret)})
        row = cursor.fetchone()
    if row is None:
        return None
    end = len(ApiToken._meta.concrete_fields)
    token = made_of(ApiToken, row[:end])
    token.user = made_of(User, row[end:])
    return token


@cache
def _find() -> str:
    """Prepared, because every call of the API begins with it."""
    return f"""
        SELECT {columns_of(ApiToken, "token")}, {columns_of(User, "holder")}
        FROM accounts_apitoken token JOIN accounts_user holder ON holder.id = token.user_id
        WHERE token.digest = %(digest)s::text AND token.revoked_at IS NULL AND holder.is_active
    """


def mark_used(token: ApiToken, *, now: datetime) -> None:
    """Note the use, at most once a minute, however many calls come at once."""
    if token.last_used_at and now - token.last_used_at < LAST_USED_EVERY:
        return
    stale = Q(last_used_at=None) | Q(last_used_at__lte=now - LAST_USED_EVERY)
    ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)


def revoke_token(token: ApiToken, *, by: User, now: datetime) -> None:
    """Close the token for good. Doing it again changes nothing."""
    if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now):
        log.info("token.revoked", token=token.pk, by=by.pk)
