"""Access tokens by client credentials or by a signed token (JWT bearer): no refresh token, no `expires_in`,
revocable, expiring."""

import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import jwt

from .errors import ApiError
from .org import Org

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")
# A signed token may not be good for longer; clocks may differ a little besides.
LONGEST_ASSERTION = timedelta(minutes=5)
CLOCKS_DIFFER = timedelta(seconds=30)


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
        self._public_key = ""
        self._approved: dict[str, str] = {}

    def trust(self, public_key: str, *, users: Mapping[str, str]) -> None:
        """Take tokens signed with this key's private half (PEM) for these user names, each with its id: what
        an administrator does by uploading a certificate and by approving users."""
        self._public_key, self._approved = public_key, dict(users)

    def grant(self, form: Mapping[str, str], authorization: str, *, instance_url: str) -> dict[str, Any]:
        """A token for the app's own user, or for the one that a signed token names. Raises OAuthError."""
        match form.get("grant_type"):
            case "client_credentials":
                self._check_secret(form, authorization)
                user_id = self.org.integration_user_id
            case grant_type if grant_type == JWT_GRANT:
                user_id = self._user_of_assertion(form.get("assertion", ""))
            case _:
                raise OAuthError("unsupported_grant_type", "grant type not supported")

        token = f"00DHpStandIn!{secrets.token_urlsafe(48)}"
        expires_at = (self.org.clock() + self.lifetime).timestamp()
        self.org.store.add_token(token, user_id=user_id, expires_at=expires_at)
        return {
            "access_token": token,
            "scope": "api",
            "instance_url": instance_url,
            "id": f"{instance_url}/id/00DHp0000000001/{user_id}",
            "token_type": "Bearer",
        }

    def _check_secret(self, form: Mapping[str, str], authorization: str) -> None:
        client_id, secret = _credentials(form, authorization)
        if not hmac.compare_digest(client_id.encode(), self.client_id.encode()):
            raise OAuthError("invalid_client_id", "client identifier invalid")
        is_right = hmac.compare_digest(secret.encode(), self._client_secret.encode())
        if not self._client_secret or not is_right:
            raise OAuthError("invalid_client", "invalid client credentials")

    def _user_of_assertion(self, assertion: str) -> str:
        """The id of the user whom a signed token is for; it must be young, ours, and for a login server."""
        try:
            # The times are compared here, by the org's own clock.
            claims = jwt.decode(
                assertion,
                self._public_key,
                algorithms=["RS256"],
                audience=AUDIENCES,
                options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
        except jwt.InvalidAudienceError:
            raise OAuthError("invalid_grant", "audience is invalid") from None
        except (jwt.PyJWTError, ValueError):
            raise OAuthError("invalid_grant", "invalid assertion") from None
        if claims.get("iss") != self.client_id:
            raise OAuthError("invalid_client_id", "client identifier invalid")
        if not self._is_timely(claims.get("exp")):
            raise OAuthError("invalid_grant", "assertion expired")
        if claims.get("sub") not in self._approved:
            raise OAuthError("invalid_grant", "user hasn't approved this consumer")
        return self._approved[claims["sub"]]

    def _is_timely(self, expires: Any) -> bool:
        if not isinstance(expires, int):
            return False
        left = expires - self.org.clock().timestamp()
        return -CLOCKS_DIFFER.total_seconds() < left <= (LONGEST_ASSERTION + CLOCKS_DIFFER).total_seconds()

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
