"""A call as the handlers see it, and how they are found."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from crm.standin.errors import ApiError
from crm.standin.fields import Field, SObject
from crm.standin.messages import Reply, Request
from crm.standin.org import Caller, Org

if TYPE_CHECKING:
    from crm.standin.api import Api


@dataclass(frozen=True)
class Call:
    """An authenticated request with what its URL said."""

    api: Api
    request: Request
    caller: Caller
    parts: Mapping[str, str]

    @property
    def org(self) -> Org:
        return self.api.org

    @property
    def version(self) -> str:
        return self.caller.version

    @property
    def sobject(self) -> SObject:
        return self.org.seen(self.parts["object"])

    @property
    def key(self) -> Field:
        return self.sobject.upsert_field(self.parts["key"])

    def flag(self, name: str) -> bool:
        """A yes or no in the query string."""
        return self.request.query.get(name, "").lower() == "true"


Handler = Callable[[Call], Reply]
# Method, the URL below `/services/data/vNN.N/`, the name that faults know it by, and who answers.
Routes = list[tuple[str, str, str, Handler]]


@dataclass(frozen=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    operation: str
    handle: Handler


@dataclass(frozen=True)
class Found:
    """A route, and what the URL of a request says, each part decoded once, after the split at slashes."""

    route: Route
    parts: Mapping[str, str]


class Router:
    def __init__(self, *tables: Routes) -> None:
        self.routes = [
            Route(method, re.compile(rf"/services/data/v(?P<version>\d+\.\d)/{path}/?"), operation, handle)
            for table in tables
            for method, path, operation, handle in table
        ]

    def find(self, method: str, path: str) -> Found | None:
        for route in self.routes:
            if route.method == method and (match := route.pattern.fullmatch(path)):
                return Found(
                    route, {name: unquote(value) for name, value in match.groupdict().items() if value}
                )
        return None


def fields_of(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != "attributes"}


def bad_json(words: str) -> ApiError:
    return ApiError(400, "JSON_PARSER_ERROR", words)
