"""The session around simple-salesforce, with its faults contained (SALESFORCE.md §10).

simple-salesforce 1.12.10 drops our headers when it replays a call after a 401, and can recurse for ever; it
has no time-outs, and its exceptions carry URLs and bodies and cannot be pickled. So it gets a ready token
(then it replays nothing) and a transport with time-outs, and no exception of it leaves this package.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import requests
import structlog
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce

from crm.problems import LoginRefused

from .errors import translated
from .login import Credentials, Token, fetch_token

log = structlog.get_logger("salesforce")

CONNECT_SECONDS = 5.0
# As many calls at once as a process has threads that may make them.
POOL_SIZE = 8
SESSION_IS_OVER = ("INVALID_SESSION_ID", "HTTP_401")

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Usage:
    """API calls of the org's running day, as an answer told; those of our app only where it told them."""

    used: int
    allowed: int
    app_used: int | None = None
    app_allowed: int | None = None


class Session:
    """A session with one org, which threads may share: a token is theirs together.

    Every call raises a SalesforceError and nothing else when it fails as a whole.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        version: str,
        timeout_seconds: float,
        admit: Callable[[str], None] | None = None,
    ) -> None:
        """`admit` is told the org's id at each sign-in, and raises a SalesforceError for one that is not to
        be talked to."""
        self._credentials = credentials
        self._version = version
        self._admit = admit
        self._http = requests.Session()
        transport = Transport(credentials.url, read_seconds=timeout_seconds)
        self._http.mount("https://", transport)
        self._http.mount("http://", transport)
        self._http.hooks["response"].append(self._read_headers)
        self._signing_in = threading.Lock()
        self._salesforce: Salesforce | None = None
        self._last = _LastAnswer()
        self._counting = threading.Lock()
        self._calls = 0
        self.usage: Usage | None = None
        self.organization_id = ""

    @property
    def answered_at(self) -> datetime | None:
        """When this thread's last call was answered, by Salesforce's clock."""
        return self._last.answered_at

    @property
    def began_at(self) -> datetime | None:
        """A time before which this thread's last call cannot have taken effect, by Salesforce's clock."""
        return self._last.began_at

    def take_count(self) -> int:
        """How many calls that Salesforce charged for were made since this was asked last."""
        with self._counting:
            calls, self._calls = self._calls, 0
            return calls

    def sign_in(self) -> None:
        """Sign in anew, whatever session there is. Raises a SalesforceError."""
        with self._signing_in:
            stale = self._salesforce
        self._signed_in(instead_of=stale)

    def call(self, make: Callable[[Salesforce], Answer]) -> Answer:
        """Make a call. If the session is over, sign in once and make the very same call again."""
        salesforce = self._signed_in(instead_of=None)
        try:
            return translated(lambda: make(salesforce))
        except LoginRefused as error:
            if error.problem.code not in SESSION_IS_OVER:
                raise
        renewed = self._signed_in(instead_of=salesforce)
        log.info("salesforce.session_renewed")
        return translated(lambda: make(renewed))

    def _signed_in(self, *, instead_of: Salesforce | None) -> Salesforce:
        """The session in use; a new one if there is none, or none other than the one that is over. Threads
        that meet the same 401 wait for one of them to sign in."""
        with self._signing_in:
            if self._salesforce is None or self._salesforce is instead_of:
                self._salesforce = None
                token = fetch_token(self._credentials, session=self._http)
                self.organization_id = token.organization_id
                if self._admit is not None:
                    self._admit(token.organization_id)
                self._salesforce = translated(lambda: self._with_token(token))
            return self._salesforce

    def _with_token(self, token: Token) -> Salesforce:
        # A ready token, no credentials: simple-salesforce then leaves a 401 to us.
        return Salesforce(
            session_id=token.value,
            instance_url=token.instance_url,
            version=self._version,
            session=self._http,
        )

    def _read_headers(self, response: requests.Response, *args: Any, **kwargs: Any) -> None:
        told = response.headers.get("Sforce-Limit-Info", "")
        if (org := _figures("api-usage", told)) is not None:
            self.usage = Usage(*org, *(_figures("per-app-api-usage", told) or (None, None)))
            with self._counting:
                self._calls += 1
        if "Date" in response.headers:
            self._last.answered_at = parsedate_to_datetime(response.headers["Date"])
            # The header is cut to the second.
            self._last.began_at = self._last.answered_at - response.elapsed - timedelta(seconds=1)


class _LastAnswer(threading.local):
    """Times of the last answer, each thread its own."""

    answered_at: datetime | None = None
    began_at: datetime | None = None


class Transport(HTTPAdapter):
    """Adds the time-outs that simple-salesforce has not. A stand-in speaks plain HTTP: if that is where the
    org is said to be, the library's fixed https:// addresses are led there."""

    def __init__(self, url: str, *, read_seconds: float) -> None:
        super().__init__(pool_connections=2, pool_maxsize=POOL_SIZE)
        parts = urlsplit(url)
        self._elsewhere = (parts.scheme, parts.netloc) if parts.scheme == "http" else None
        self._timeout = (CONNECT_SECONDS, read_seconds)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs["timeout"] = self._timeout
        if self._elsewhere is not None and request.url is not None:
            request.url = urlunsplit((*self._elsewhere, *urlsplit(request.url)[2:]))
            # They were chosen for the address before; the stand-in is near and behind none.
            kwargs["proxies"] = {}
        return super().send(request, *args, **kwargs)


def _figures(name: str, header: str) -> tuple[int, int] | None:
    """Used and allowed, as in `api-usage=25/5000; per-app-api-usage=17/250(appName=portal)`."""
    found = re.search(rf"(?<![\w-]){name}=(\d+)/(\d+)", header)
    return (int(found[1]), int(found[2])) if found else None
