"""The REST calls: from a request to a reply."""

import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from .bulk import ROUTES as INGEST_ROUTES
from .bulk import Handler as IngestHandler
from .bulk import IngestDesk
from .errors import ApiError, ManyMatches, malformed_query, not_found
from .faults import Fault
from .messages import Reply, Request
from .oauth import OAuthError, TokenDesk
from .org import Caller, Org, record_url
from .schema import OBJECTS, Field, SObject, describe, sobject_named
from .usage import UsageMeter

MAX_ROWS = 200
# Before this version an upsert that updates answers 204 without a body.
FIRST_VERSION_WITH_CREATED = 46


@dataclass(frozen=True)
class Call:
    """An authenticated request with what its URL said."""

    request: Request
    caller: Caller
    version: str
    parts: Mapping[str, str]

    @property
    def sobject(self) -> SObject:
        return sobject_named(self.parts["object"])

    @property
    def key(self) -> Field:
        return self.sobject.upsert_field(self.parts["key"])


@dataclass(frozen=True)
class Route:
    """A URL below `/services/data/vNN.N/`; the operation is the name that faults know it by."""

    method: str
    pattern: re.Pattern[str]
    operation: str
    handle: Callable[["Api", Call], Reply]


class Api:
    """Every call of the REST API, and the OAuth endpoint beside it."""

    def __init__(
        self,
        org: Org,
        tokens: TokenDesk,
        usage: UsageMeter,
        ingest: IngestDesk,
        *,
        page_size: int,
        instance_url: str,
    ) -> None:
        self.org = org
        self.tokens = tokens
        self.usage = usage
        self.ingest = ingest
        self.page_size = page_size
        self.instance_url = instance_url
        # Cursors of unfinished queries. They die with the process: clients must bear INVALID_QUERY_LOCATOR.
        self._cursors: dict[str, list[dict[str, Any]]] = {}
        self._cursor_numbers = itertools.count(1)

    def operation(self, request: Request) -> str:
        """The name by which faults know the call."""
        if request.path.startswith("/services/oauth2/"):
            return "token"
        found = _find_route(request)
        return found[0].operation if found else "any"

    def handle(self, request: Request) -> Reply:
        """Answer a request under `/services/`. Errors become replies of the shape that fits the call."""
        if request.path.startswith("/services/oauth2/"):
            return self._oauth(request)
        try:
            reply = self._data(request)
        except ManyMatches as error:
            found = _find_route(request)
            version, name = (found[1]["version"], found[1]["object"]) if found else ("", "")
            reply = Reply(300, [record_url(name, record_id, version) for record_id in error.ids])
        except ApiError as error:
            reply = Reply(error.status, error.as_rest())
        reply.headers["Sforce-Limit-Info"] = self.usage.header
        return reply

    def _oauth(self, request: Request) -> Reply:
        try:
            if request.method != "POST":
                raise OAuthError("invalid_request", "must use HTTP POST")
            if request.path.rstrip("/").endswith("/revoke"):
                self.tokens.revoke(request.form().get("token", ""))
                return Reply(200)
            authorization = request.headers.get("authorization", "")
            granted = self.tokens.grant(request.form(), authorization, instance_url=self.instance_url)
        except OAuthError as error:
            return Reply(400, {"error": error.error, "error_description": error.description})
        return Reply(200, granted)

    def _data(self, request: Request) -> Reply:
        if request.path.rstrip("/") == "/services/data":
            return Reply(200, [{"label": "Winter '27", "url": "/services/data/v68.0", "version": "68.0"}])
        found = _find_route(request)
        if found is None:
            raise not_found()
        route, parts = found
        user_id = self.tokens.user_of(request.headers.get("authorization", ""))
        self.usage.count()
        auto_assign = request.headers.get("sforce-auto-assign", "TRUE").upper() != "FALSE"
        call = Call(request, Caller(user_id, auto_assign), parts["version"], parts)
        return route.handle(self, call)

    # --- one record ---

    def create(self, call: Call) -> Reply:
        record_id = self.org.create(call.sobject, _fields(call.request.json(dict)), caller=call.caller)
        return Reply(201, {"id": record_id, "success": True, "errors": []})

    def read(self, call: Call) -> Reply:
        record = self.org.get(call.sobject, call.parts["id"])
        return Reply(200, self._shown(call, record))

    def read_by_key(self, call: Call) -> Reply:
        found = self.org.store.find(call.sobject.name, call.key.name, call.parts["value"])
        if len(found) > 1:
            raise ManyMatches([record["Id"] for record in found])
        if not found:
            raise not_found()
        return Reply(200, self._shown(call, found[0]))

    def _shown(self, call: Call, record: Mapping[str, Any]) -> dict[str, Any]:
        wanted = [name for name in call.request.query.get("fields", "").split(",") if name]
        names = [call.sobject.field(name).name for name in wanted] or list(record)
        url = record_url(call.sobject.name, record["Id"], call.version)
        attributes = {"type": call.sobject.name, "url": url}
        return {"attributes": attributes, **{name: record[name] for name in names if name != "attributes"}}

    def update(self, call: Call) -> Reply:
        self.org.update(call.sobject, call.parts["id"], _fields(call.request.json(dict)), caller=call.caller)
        return Reply(204)

    def upsert(self, call: Call) -> Reply:
        values = _fields(call.request.json(dict))
        for name in values:
            if name.lower() in ("id", call.key.name.lower()):
                words = f"The {name} field should not be specified in the sobject data."
                raise ApiError(400, "INVALID_FIELD", words, (name,))
        record_id, created = self.org.upsert(
            call.sobject, call.key, call.parts["value"], values, caller=call.caller
        )
        if not created and float(call.version) < FIRST_VERSION_WITH_CREATED:
            return Reply(204)
        answer = {"id": record_id, "success": True, "errors": [], "created": created}
        return Reply(201 if created else 200, answer)

    def delete(self, call: Call) -> Reply:
        self.org.delete(call.sobject, call.parts["id"], caller=call.caller)
        return Reply(204)

    # --- collections ---

    def upsert_collection(self, call: Call) -> Reply:
        """Up to 200 rows, answered in order; the call succeeds even when every row failed."""
        key, rows = call.key, _rows(call.request)
        values = [str(row.get(key.name) or "").lower() for row in rows]
        twice = {value for value in values if value and values.count(value) > 1}

        def one(row: dict[str, Any]) -> dict[str, Any]:
            value = row.get(key.name)
            if not isinstance(value, str) or not value:
                words = f"{key.name} not specified"
                raise ApiError(400, "MISSING_ARGUMENT", words, (key.name,))
            if value.lower() in twice:
                raise ManyMatches([])
            if "Id" in row:
                raise ApiError(400, "INVALID_FIELD", "Id may not be specified in an upsert", ("Id",))
            fields = {name: field for name, field in _fields(row).items() if name != key.name}
            record_id, created = self.org.upsert(call.sobject, key, value, fields, caller=call.caller)
            return {"id": record_id, "success": True, "errors": [], "created": created}

        return self._each(call.request, rows, one)

    def create_collection(self, call: Call) -> Reply:
        def one(row: dict[str, Any]) -> dict[str, Any]:
            record_id = self.org.create(_row_type(row), _fields(row), caller=call.caller)
            return {"id": record_id, "success": True, "errors": []}

        return self._each(call.request, _rows(call.request), one)

    def update_collection(self, call: Call) -> Reply:
        def one(row: dict[str, Any]) -> dict[str, Any]:
            record_id = row.get("id") or row.get("Id")
            if not isinstance(record_id, str):
                raise ApiError(400, "MISSING_ARGUMENT", "Id not specified in an update call", ("Id",))
            fields = {name: value for name, value in _fields(row).items() if name.lower() != "id"}
            self.org.update(_row_type(row), record_id, fields, caller=call.caller)
            return {"id": record_id, "success": True, "errors": []}

        return self._each(call.request, _rows(call.request), one)

    def _each(
        self, request: Request, rows: list[dict[str, Any]], one: Callable[[dict[str, Any]], dict[str, Any]]
    ) -> Reply:
        all_or_none = request.json(dict).get("allOrNone", False)
        results: list[dict[str, Any]] = []
        try:
            with self.org.store.transaction():
                for row in rows:
                    results.append(_row_result(row, one, request.row_fault))
                if all_or_none and not all(result["success"] for result in results):
                    raise _RolledBackError
        except _RolledBackError:
            results = [_rolled_back() if result["success"] else result for result in results]
        return Reply(200, results)

    # --- queries and metadata ---

    def query(self, call: Call) -> Reply:
        text = call.request.query.get("q")
        if not text:
            raise malformed_query("A query has to be specified")
        with_deleted = call.parts["query"] == "queryAll"
        total, records = self.org.query(text, version=call.version, with_deleted=with_deleted)
        return Reply(200, {**self._page(call, records, start=0), "totalSize": total})

    def query_more(self, call: Call) -> Reply:
        locator, _, start = call.parts["locator"].partition("-")
        records = self._cursors.get(locator)
        if records is None or not start.isdigit():
            raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return Reply(200, self._page(call, records, start=int(start), locator=locator))

    def _batch_size(self, request: Request) -> int:
        wished = re.search(r"batchSize=(\d+)", request.headers.get("sforce-query-options", ""))
        return min(max(int(wished[1]), 200), 2000) if wished else self.page_size

    def _page(
        self, call: Call, records: list[dict[str, Any]], *, start: int, locator: str = ""
    ) -> dict[str, Any]:
        end = start + self._batch_size(call.request)
        page: dict[str, Any] = {"totalSize": len(records), "done": end >= len(records)}
        if not page["done"]:
            if not locator:
                locator = f"01gHp{next(self._cursor_numbers):010d}MAQ"
                self._cursors[locator] = records
            page["nextRecordsUrl"] = f"/services/data/v{call.version}/query/{locator}-{end}"
        elif locator:
            self._cursors.pop(locator, None)
        return {**page, "records": records[start:end]}

    def describe(self, call: Call) -> Reply:
        return Reply(200, describe(call.sobject))

    def describe_all(self, call: Call) -> Reply:
        sobjects = [{"name": one.name, "keyPrefix": one.prefix} for one in OBJECTS.values()]
        return Reply(200, {"encoding": "UTF-8", "maxBatchSize": MAX_ROWS, "sobjects": sobjects})

    def limits(self, call: Call) -> Reply:
        left = self.usage.daily_limit - self.usage.used
        return Reply(200, {"DailyApiRequests": {"Max": self.usage.daily_limit, "Remaining": left}})


class _RolledBackError(Exception):
    """Leaves the transaction of an all-or-none call."""


def _row_result(
    row: dict[str, Any], one: Callable[[dict[str, Any]], dict[str, Any]], fault: Fault | None
) -> dict[str, Any]:
    try:
        if fault is not None and (not fault.key or fault.key in row.values()):
            raise fault.error()
        return one(row)
    except ApiError as error:
        if error.code == "JSON_PARSER_ERROR":
            # A value of the wrong type is found while the body is read: it spoils the whole call.
            raise
        return {"success": False, "errors": [error.as_row()]}


def _rolled_back() -> dict[str, Any]:
    words = "Record rolled back because not all records were valid and the request was using AllOrNone header"
    return {"success": False, "errors": [ApiError(400, "ALL_OR_NONE_OPERATION_ROLLED_BACK", words).as_row()]}


def _rows(request: Request) -> list[dict[str, Any]]:
    rows = request.json(dict).get("records")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ApiError(400, "JSON_PARSER_ERROR", "records must be a list of objects")
    if len(rows) > MAX_ROWS:
        words = f"record limit reached. cannot submit more than {MAX_ROWS} records in this type of operation"
        raise ApiError(400, "EXCEEDED_ID_LIMIT", words)
    for row in rows:
        if not isinstance(row.get("attributes"), dict) or "type" not in row["attributes"]:
            raise ApiError(400, "INVALID_INPUT", "Every record needs attributes with its type")
    return rows


def _row_type(row: Mapping[str, Any]) -> SObject:
    return sobject_named(str(row["attributes"]["type"]))


def _fields(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != "attributes"}


def _ingest(handler: IngestHandler) -> Callable[[Api, Call], Reply]:
    return lambda api, call: handler(api.ingest, call.request, call.caller, call.parts)


def _routes() -> list[Route]:
    one, key = r"sobjects/(?P<object>\w+)", r"(?P<key>\w+)/(?P<value>[^/]+)"
    table: list[tuple[str, str, str, Callable[[Api, Call], Reply]]] = [
        ("POST", one, "create", Api.create),
        ("GET", rf"{one}/describe", "describe", Api.describe),
        ("GET", r"sobjects", "describe", Api.describe_all),
        ("GET", rf"{one}/(?P<id>\w+)", "get", Api.read),
        ("PATCH", rf"{one}/(?P<id>\w+)", "update", Api.update),
        ("DELETE", rf"{one}/(?P<id>\w+)", "delete", Api.delete),
        ("GET", rf"{one}/{key}", "get", Api.read_by_key),
        ("PATCH", rf"{one}/{key}", "upsert", Api.upsert),
        ("POST", r"composite/sobjects", "collections", Api.create_collection),
        ("PATCH", r"composite/sobjects", "collections", Api.update_collection),
        ("PATCH", r"composite/sobjects/(?P<object>\w+)/(?P<key>\w+)", "collections", Api.upsert_collection),
        ("GET", r"(?P<query>query|queryAll)", "query", Api.query),
        ("GET", r"(?:query|queryAll)/(?P<locator>[\w-]+)", "query", Api.query_more),
        ("GET", r"limits", "limits", Api.limits),
        *((method, path, "ingest", _ingest(handler)) for method, path, handler in INGEST_ROUTES),
    ]
    return [
        Route(method, re.compile(rf"/services/data/v(?P<version>\d+\.\d)/{path}/?"), operation, handle)
        for method, path, operation, handle in table
    ]


ROUTES = _routes()


def _find_route(request: Request) -> tuple[Route, dict[str, str]] | None:
    """The route of a request and what its URL says, each part decoded once, after the split at slashes."""
    for route in ROUTES:
        match = route.pattern.fullmatch(request.path)
        if match and route.method == request.method:
            return route, {name: unquote(value) for name, value in match.groupdict().items() if value}
    return None
