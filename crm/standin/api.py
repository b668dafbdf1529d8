"""The REST API and the OAuth endpoint beside it: from a request to a reply."""

import itertools
from typing import Any

from .bulk import ROUTES as INGEST_ROUTES
from .bulk import Handler as IngestHandler
from .bulk import IngestDesk
from .errors import ApiError, ManyMatches, not_found
from .faults import FaultBoard
from .messages import Reply, Request
from .oauth import OAuthError, TokenDesk
from .org import Caller, Org, record_url
from .rest import collections, composite, reading, records
from .rest.call import Call, Found, Handler, Router
from .usage import UsageMeter

OLDEST_VERSION, NEWEST_VERSION = 31, 68
OAUTH = "/services/oauth2/"
COMMON_HOSTS = {"login.salesforce.com", "test.salesforce.com"}
DUPLICATE_RULE_HEADER = "sforce-duplicate-rule-header"


class Api:
    """Every call under `/services/`. Errors become replies of the shape that fits the call."""

    def __init__(
        self,
        org: Org,
        tokens: TokenDesk,
        usage: UsageMeter,
        ingest: IngestDesk,
        faults: FaultBoard,
        *,
        page_size: int,
        instance_url: str,
    ) -> None:
        self.org = org
        self.tokens = tokens
        self.usage = usage
        self.ingest = ingest
        self.faults = faults
        self._given_page_size = page_size
        self.page_size = page_size
        self.instance_url = instance_url
        # Cursors of unfinished queries. They die with the process: clients must bear INVALID_QUERY_LOCATOR.
        self.cursors: dict[str, list[dict[str, Any]]] = {}
        self._cursor_numbers = itertools.count(1)

    def reset(self, ingest: IngestDesk) -> None:
        """Forget every unfinished query, and go on with an empty desk of jobs."""
        self.ingest = ingest
        self.page_size = self._given_page_size
        self.cursors.clear()

    def open_cursor(self, records: list[dict[str, Any]]) -> str:
        locator = f"01gHp{next(self._cursor_numbers):010d}MAQ"
        self.cursors[locator] = records
        return locator

    def operation(self, request: Request) -> str:
        """The name by which faults know the call."""
        if request.path.startswith(OAUTH):
            return "token"
        found = ROUTER.find(request.method, request.path)
        return found.route.operation if found else "any"

    def handle(self, request: Request) -> Reply:
        if request.path.startswith(OAUTH):
            return self._oauth(request)
        try:
            reply = self._data(request)
        except ApiError as error:
            reply = Reply(error.status, error.as_rest())
        reply.headers["Sforce-Limit-Info"] = self.usage.header
        return reply

    def _oauth(self, request: Request) -> Reply:
        try:
            if request.path.rstrip("/").endswith("/userinfo"):
                return Reply(200, self._userinfo(request))
            if request.method != "POST":
                raise OAuthError("invalid_request", "must use HTTP POST")
            if request.path.rstrip("/").endswith("/revoke"):
                self.tokens.revoke(request.form().get("token", ""))
                return Reply(200)
            self._require_my_domain(request)
            authorization = request.headers.get("authorization", "")
            granted = self.tokens.grant(request.form(), authorization, instance_url=self.instance_url)
        except OAuthError as error:
            return Reply(400, {"error": error.error, "error_description": error.description})
        except ApiError:
            return Reply(403, "Bad_OAuth_Token", "text/html;charset=UTF-8")
        return Reply(200, granted)

    def _require_my_domain(self, request: Request) -> None:
        """The servers that everybody signs in at know no app's own user."""
        is_common = request.headers.get("host", "").lower() in COMMON_HOSTS
        if is_common and request.form().get("grant_type") == "client_credentials":
            raise OAuthError("invalid_grant", "request not supported on this domain")

    def _userinfo(self, request: Request) -> dict[str, Any]:
        user_id = self.tokens.user_of(request.headers.get("authorization", ""))
        user = self.org.store.get(user_id) or {}
        return {
            "sub": f"{self.instance_url}/id/{self.org.organization_id}/{user_id}",
            "user_id": user_id,
            "organization_id": self.org.organization_id,
            "preferred_username": user.get("Username"),
            "name": user.get("Name"),
            "email": user.get("Email"),
            "active": user.get("IsActive"),
        }

    def _data(self, request: Request) -> Reply:
        if request.path.rstrip("/") == "/services/data":
            return Reply(200, _versions())
        found = ROUTER.find(request.method, request.path)
        user_id = self.tokens.user_of(request.headers.get("authorization", ""))
        self.usage.count()
        if found is None:
            raise not_found()
        return self._answer(found, request, user_id)

    def run(self, request: Request, caller: Caller) -> Reply:
        """Answer a part of a composite call, as its caller but with headers of its own. Raises ApiError."""
        found = ROUTER.find(request.method, request.path)
        if found is None:
            raise not_found()
        return self._answer(found, request, caller.user_id)

    def _answer(self, found: Found, request: Request, user_id: str) -> Reply:
        version = found.parts["version"]
        if float(version) > NEWEST_VERSION:
            raise not_found()
        if float(version) < OLDEST_VERSION:
            raise ApiError(410, "UNSUPPORTED_API_VERSION", f"The requested version {version} is retired")
        call = Call(self, request, _caller(request, user_id, version), found.parts)
        try:
            return found.route.handle(call)
        except ManyMatches as error:
            urls = [record_url(call.sobject.name, record_id, version) for record_id in error.ids]
            return Reply(300, urls)


def _caller(request: Request, user_id: str, version: str) -> Caller:
    rule = request.headers.get(DUPLICATE_RULE_HEADER, "").lower().replace(" ", "")
    return Caller(
        user_id,
        auto_assign=request.headers.get("sforce-auto-assign", "TRUE").upper() != "FALSE",
        saves_duplicates="allowsave=true" in rule,
        wants_details="includerecorddetails=true" in rule,
        version=version,
    )


def _versions() -> list[dict[str, str]]:
    return [
        {"label": f"Version {number}", "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
        for number in range(OLDEST_VERSION, NEWEST_VERSION + 1)
    ]


def _ingest(handler: IngestHandler) -> Handler:
    return lambda call: handler(call.api.ingest, call.request, call.caller, call.parts)


ROUTER = Router(
    # Before the single records, which would take `describe` or `updated` for an id.
    reading.ROUTES,
    records.ROUTES,
    collections.ROUTES,
    composite.ROUTES,
    [(method, path, "ingest", _ingest(handler)) for method, path, handler in INGEST_ROUTES],
)
