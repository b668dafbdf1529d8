"""The one place that talks to Salesforce: owns the session around simple-salesforce.

simple-salesforce 1.12.10 has faults that this module exists to contain. Its own replay after a 401 drops our
headers and can recurse for ever, it has no time-outs, it puts external ids into URLs unquoted, and its
exceptions carry URLs and bodies and cannot be pickled. So it gets a ready token (then it replays nothing), a
transport with time-outs, and no exception of it leaves this module.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache, partial
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit, urlunsplit

import requests
import structlog
from django.conf import settings
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceAuthenticationFailed
from simple_salesforce.exceptions import SalesforceError as LibraryError
from simple_salesforce.login import SalesforceLogin

from .problems import LoginRefused, Problem, as_error, sort_problem

log = structlog.get_logger("salesforce")

# Salesforce takes so many rows in one collections call, and counts the call as one.
ROWS_PER_CALL = 200
CONNECT_SECONDS = 5.0
# Without it the org's assignment rule takes every lead we write away from the owner we chose.
KEEP_OWNER = {"Sforce-Auto-Assign": "FALSE"}

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Usage:
    """API calls of the running day, as the last answer told."""

    used: int
    allowed: int


@dataclass(frozen=True)
class RowResult:
    """What became of one row: an id, or the problem."""

    salesforce_id: str = ""
    created: bool = False
    problem: Problem | None = None


class SalesforceClient:
    """A session with one org, for one thread at a time.

    Every method raises a SalesforceError and nothing else when the call as a whole fails.
    """

    def __init__(
        self, *, url: str, client_id: str, client_secret: str, version: str, timeout_seconds: float
    ) -> None:
        self._client_id = client_id
        self._client_secret = client_secret
        self._version = version
        self._domain = _domain(url)
        self._session = requests.Session()
        self._session.mount("https://", _Transport(url, read_seconds=timeout_seconds))
        self._session.hooks["response"].append(self._read_headers)
        self._salesforce: Salesforce | None = None
        self.usage: Usage | None = None
        # By Salesforce's clock: when it gave its last answer, and a time before which that call cannot have
        # taken effect.
        self.answered_at: datetime | None = None
        self.began_at: datetime | None = None

    def upsert_rows(
        self, object_name: str, *, key: str, rows: Sequence[Mapping[str, Any]]
    ) -> list[RowResult]:
        """Create or update up to 200 records by an external id; results come in the order of the rows.

        No two rows may share an external id: Salesforce refuses both.
        """
        attributes = {"attributes": {"type": object_name}}
        body = {"allOrNone": False, "records": [{**attributes, **row} for row in rows]}
        answers = self._call(
            lambda salesforce: salesforce.restful(
                f"composite/sobjects/{object_name}/{key}",
                method="PATCH",
                data=json.dumps(body),
                headers=KEEP_OWNER,
            )
        )
        return [_row_result(answer) for answer in answers or []]

    def upsert(self, object_name: str, *, key: str, value: str, fields: Mapping[str, Any]) -> RowResult:
        """Create or update one record by an external id, whatever characters that holds."""
        path = f"sobjects/{object_name}/{key}/{quote(value, safe='')}"
        answer = self._call(
            lambda salesforce: salesforce.restful(
                path, method="PATCH", data=json.dumps(dict(fields)), headers=KEEP_OWNER
            )
        )
        return _row_result(answer or {"success": True})

    def query(self, soql: str) -> Iterator[dict[str, Any]]:
        """Every record that a query finds, page after page."""
        page = self._call(lambda salesforce: salesforce.query(soql))
        yield from page["records"]
        while not page["done"]:
            page = self._call(partial(_next_page, url=page["nextRecordsUrl"]))
            yield from page["records"]

    def describe(self, object_name: str) -> dict[str, Any]:
        """The fields of an object as our user sees them."""
        answer = self._call(lambda salesforce: salesforce.restful(f"sobjects/{object_name}/describe"))
        return dict(answer or {})

    def _call(self, make: Callable[[Salesforce], Answer]) -> Answer:
        """Make a call. If the session has expired, log in once and make the very same call again."""
        salesforce = self._login(instead_of=None)
        try:
            return _translated(lambda: make(salesforce))
        except LoginRefused as error:
            if error.problem.code not in ("INVALID_SESSION_ID", "HTTP_401"):
                raise
        log.info("salesforce.session_renewed")
        renewed = self._login(instead_of=salesforce)
        return _translated(lambda: make(renewed))

    def _login(self, *, instead_of: Salesforce | None) -> Salesforce:
        """The session in use; a new one if there is none, or none other than the expired one."""
        if self._salesforce is None or self._salesforce is instead_of:
            self._salesforce = None
            self._salesforce = _translated(self._open_session)
        return self._salesforce

    def _open_session(self) -> Salesforce:
        token, instance = SalesforceLogin(
            session=self._session,
            domain=self._domain,
            consumer_key=self._client_id,
            consumer_secret=self._client_secret,
            sf_version=self._version,
        )
        # A ready token, no credentials: simple-salesforce then leaves a 401 to us.
        return Salesforce(
            session_id=token,
            instance=instance,
            version=self._version,
            session=self._session,
            domain=self._domain,
        )

    def _read_headers(self, response: requests.Response, *args: Any, **kwargs: Any) -> None:
        usage = re.search(r"(?<![\w-])api-usage=(\d+)/(\d+)", response.headers.get("Sforce-Limit-Info", ""))
        if usage:
            self.usage = Usage(int(usage[1]), int(usage[2]))
        if "Date" in response.headers:
            self.answered_at = parsedate_to_datetime(response.headers["Date"])
            # The header is cut to the second.
            self.began_at = self.answered_at - response.elapsed - timedelta(seconds=1)


class _Transport(HTTPAdapter):
    """Adds the time-outs that simple-salesforce has not, and leads its fixed https://*.salesforce.com
    addresses to the stand-in when that is where Salesforce is said to be."""

    def __init__(self, url: str, *, read_seconds: float) -> None:
        super().__init__()
        parts = urlsplit(url)
        self._elsewhere = None if _is_salesforce(parts.hostname or "") else (parts.scheme, parts.netloc)
        self._timeout = (CONNECT_SECONDS, read_seconds)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs["timeout"] = self._timeout
        if self._elsewhere is not None and request.url is not None:
            request.url = urlunsplit((*self._elsewhere, *urlsplit(request.url)[2:]))
            # They were chosen for the address before; the stand-in is near and behind none.
            kwargs["proxies"] = {}
        return super().send(request, *args, **kwargs)


def _next_page(salesforce: Salesforce, *, url: str) -> Any:
    return salesforce.query_more(url, identifier_is_url=True)


def _translated(make: Callable[[], Answer]) -> Answer:
    """Run a call of the library; whatever it throws comes out as one of our errors, with nothing attached."""
    try:
        return make()
    except SalesforceAuthenticationFailed as error:
        problem = _login_problem(error)
    except LibraryError as error:
        problem = _problem(error.content, error.status)
    except requests.RequestException as error:
        problem = sort_problem("NO_ANSWER", type(error).__name__, status=503)
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        # An answer that is not what the API promises, such as an HTML page under status 200.
        problem = sort_problem("UNREADABLE_ANSWER", type(error).__name__, status=503)
    # Raised here, outside the handler, so that no chained exception drags URLs or bodies into a log.
    raise as_error(problem)


def _login_problem(error: SalesforceAuthenticationFailed) -> Problem:
    if isinstance(error.code, int):
        # The answer was not JSON, and the library gives its HTTP status in place of a code.
        return _problem(None, error.code)
    return sort_problem(error.code or "invalid_grant", error.auth_message, status=400)


def _problem(content: Any, status: int) -> Problem:
    if isinstance(content, list) and content and isinstance(content[0], dict) and "errorCode" in content[0]:
        first = content[0]
        return sort_problem(
            first["errorCode"], str(first.get("message", "")), status=status, fields=first.get("fields") or ()
        )
    if status == 300:
        return sort_problem("DUPLICATE_EXTERNAL_ID", "Several records match.", status=status)
    # The HTML or empty answer of an edge server: its text says nothing and may be long.
    return sort_problem(f"HTTP_{status}", f"Salesforce answered with HTTP {status}.", status=status)


def _row_result(answer: Mapping[str, Any]) -> RowResult:
    if answer["success"]:
        return RowResult(answer.get("id") or "", bool(answer.get("created")))
    # `statusCode` here, where a single call says `errorCode`.
    first = answer["errors"][0]
    code = first.get("statusCode") or first.get("errorCode") or ""
    return RowResult(
        problem=sort_problem(code, str(first.get("message", "")), fields=first.get("fields") or ())
    )


def _is_salesforce(host: str) -> bool:
    return host == "salesforce.com" or host.endswith(".salesforce.com")


def _domain(url: str) -> str:
    """The My Domain name as simple-salesforce wants it: everything before `.salesforce.com`."""
    host = urlsplit(url).hostname or ""
    return host.removesuffix(".salesforce.com") if _is_salesforce(host) else "handoff-standin.my"


def record_url(salesforce_id: str) -> str:
    """Where a person opens the record."""
    return f"{settings.SALESFORCE_URL.rstrip('/')}/{salesforce_id}"


@lru_cache(maxsize=4)
def _client(
    url: str, client_id: str, client_secret: str, version: str, timeout_seconds: float
) -> SalesforceClient:
    return SalesforceClient(
        url=url,
        client_id=client_id,
        client_secret=client_secret,
        version=version,
        timeout_seconds=timeout_seconds,
    )


def connected_client() -> SalesforceClient | None:
    """This process's session with the org that the settings name; None when they name none."""
    if not settings.SALESFORCE_URL:
        return None
    return _client(
        settings.SALESFORCE_URL,
        settings.SALESFORCE_CLIENT_ID,
        settings.SALESFORCE_CLIENT_SECRET,
        settings.SALESFORCE_API_VERSION,
        settings.SALESFORCE_TIMEOUT_SECONDS,
    )
