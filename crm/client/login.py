"""Signing in to an org (CRM-6): client credentials, or a token that we sign (JWT bearer).

Not by simple-salesforce: its login puts the consumer key into a warning, and takes the address of the org
from the name it was given instead of from the reply, which is wrong once My Domain is renamed.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jwt
import requests

from crm.problems import as_error, sort_problem

from .errors import problem_of_answer, translated

if TYPE_CHECKING:
    from collections.abc import Mapping

# Salesforce takes no longer than this for a signed token.
ASSERTION_SECONDS = 180
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@dataclass(frozen=True)
class Credentials:
    """How to sign in. With a `username` a token is signed for that user, and `secret` is the private key of
    the certificate that the org knows (PEM); without one, `secret` is the client secret."""

    url: str
    client_id: str
    secret: str = field(repr=False)
    username: str = ""
    audience: str = "https://login.salesforce.com"


@dataclass(frozen=True)
class Token:
    """A session that the org gave us, and where it is to be used. Nothing says how long it lasts."""

    value: str = field(repr=False)
    instance_url: str
    organization_id: str = ""


def fetch_token(credentials: Credentials, *, session: requests.Session) -> Token:
    """Sign in. Raises a SalesforceError; LoginRefused when it is the credentials that are wrong."""
    grant, basic = _grant(credentials)
    answer: dict[str, Any] = translated(lambda: _post(credentials, grant, basic, session=session))
    return translated(
        lambda: Token(
            value=str(answer["access_token"]),
            instance_url=str(answer["instance_url"]),
            organization_id=_organization(str(answer.get("id", ""))),
        )
    )


def _grant(credentials: Credentials) -> tuple[dict[str, str], tuple[str, str] | None]:
    """The form to post, and the name and password to post it with."""
    if credentials.username:
        return {"grant_type": JWT_GRANT, "assertion": _assertion(credentials)}, None
    return {"grant_type": "client_credentials"}, (credentials.client_id, credentials.secret)


def _assertion(credentials: Credentials) -> str:
    claims = {
        "iss": credentials.client_id,
        "sub": credentials.username,
        "aud": credentials.audience,
        # The real clock: Salesforce compares it with its own.
        "exp": int(time.time()) + ASSERTION_SECONDS,
    }
    try:
        return jwt.encode(claims, credentials.secret, algorithm="RS256")
    except (jwt.PyJWTError, ValueError, TypeError):
        problem = sort_problem("UNUSABLE_KEY", "The private key cannot be read.")
    # Outside the handler: the chained exception could quote the key.
    raise as_error(problem)


def _post(
    credentials: Credentials,
    grant: Mapping[str, str],
    basic: tuple[str, str] | None,
    *,
    session: requests.Session,
) -> Any:
    address = f"{credentials.url.rstrip('/')}/services/oauth2/token"
    # A redirect would carry the signed token to wherever it points.
    response = session.post(address, data=grant, auth=basic, allow_redirects=False)
    content = _parsed(response)
    if response.status_code != 200:
        raise as_error(problem_of_answer(content, status=response.status_code))
    return content


def _parsed(response: requests.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _organization(identity: str) -> str:
    """The org's id, from an identity such as https://login.salesforce.com/id/00D…/005…"""
    parts = identity.rstrip("/").split("/")
    return parts[-2] if len(parts) > 2 and parts[-2].startswith("00D") else ""
