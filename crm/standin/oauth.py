"""Access tokens by the client credentials flow: no refresh token, no `expires_in`, revocable, expiring."""

import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from .errors import ApiError
from .org import Org


class OAuthError(Exception):
    """A refusal in OAuth's own shape, answered with HTTP 400."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description


class TokenDesk:
    """Gives out and checks tokens for the one app that this org knows."""

    def __init__(self, org: Org, *, client_id: str, client_secret: str, lifetime: timedelta) -> None:
        self.org = org
        self.client_id = client_id
        self._client_secret = client_secret
        self.lifetime = lifetime

    def grant(self, form: Mapping[str, str], authorization: str, *, instance_url: str) -> dict[str, Any]:
        """A token for the app's own user. Raises OAuthError for a wrong grant type or wrong credentials."""
        if form.get("grant_type") != "client_credentials":
            raise OAuthError("unsupported_grant_type", "grant type not supported")
        client_id, secret = _credentials(form, authorization)
        if not hmac.compare_digest(client_id.encode(), self.client_id.encode()):
            raise OAuthError("invalid_client_id", "client identifier invalid")
        if not hmac.compare_digest(secret.encode(), self._client_secret.encode()):
            raise OAuthError("invalid_client", "invalid client credentials")

        token = f"00DHpStandIn!{secrets.token_urlsafe(48)}"
        user_id = self.org.integration_user_id
        expires_at = (self.org.clock() + self.lifetime).timestamp()
        self.org.store.add_token(token, user_id=user_id, expires_at=expires_at)
        return {
            "access_token": token,
            "scope": "api",
            "instance_url": instance_url,
            "id": f"{instance_url}/id/00DHp0000000001/{user_id}",
            "token_type": "Bearer",
        }

    def user_of(self, authorization: str) -> str:
        """The id of the user behind an Authorization header. Raises INVALID_SESSION_ID."""
        scheme, _, token = authorization.partition(" ")
        user_id = self.org.store.token_user(token, at=self.org.clock().timestamp())
        if scheme not in ("Bearer", "OAuth") or user_id is None:
            raise ApiError(401, "INVALID_SESSION_ID", "Session expired or invalid")
        return user_id

    def revoke(self, token: str | None = None) -> None:
        """Revoke one token, or every token."""
        self.org.store.remove_tokens(token)


def _credentials(form: Mapping[str, str], authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        decoded = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise OAuthError("invalid_request", "Authorization header is not valid") from None
    client_id, _, secret = decoded.partition(":")
    return client_id, secret
