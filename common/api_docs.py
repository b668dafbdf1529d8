"""The page that shows the API to a person: made from the schema it serves, so that the two cannot differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.text import slugify
from django.views.decorators.http import require_GET
from drf_spectacular.generators import SchemaGenerator

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Field:
    """A parameter of the query or a field of the body."""

    name: str
    kind: str
    required: bool
    words: str


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    words: str
    parameters: list[Field] = field(default_factory=list)
    body: list[Field] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)

    @property
    def anchor(self) -> str:
        return slugify(f"{self.method}{self.path}".replace("/", "-"))


@require_GET
def browse_schema(request: HttpRequest) -> HttpResponse:
    """A readable page of the API, without third-party scripts. Open to all, as the schema is."""
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    context = {"operations": list(read_operations(schema)), "portal_url": settings.PORTAL_URL}
    return render(request, "api_docs.html", context)


def read_operations(schema: dict[str, Any]) -> Iterator[Operation]:
    """The operations of an OpenAPI document, in the order of its paths."""
    for path, methods in schema["paths"].items():
        for method in METHODS:
            if method in methods:
                yield _operation(schema, path, method, methods[method])


def _operation(schema: dict[str, Any], path: str, method: str, given: dict[str, Any]) -> Operation:
    content = given.get("requestBody", {}).get("content", {})
    bodies: list[dict[str, Any]] = [each.get("schema", {}) for each in content.values()]
    return Operation(
        method=method.upper(),
        path=path,
        words=given.get("description") or given.get("summary", ""),
        parameters=[
            Field(
                each["name"],
                _kind(schema, each.get("schema", {})),
                each.get("required", False),
                each.get("description", ""),
            )
            for each in given.get("parameters", [])
        ],
        body=_fields(schema, bodies[0]) if bodies else [],
        answers=sorted(given.get("responses", {})),
    )


def _fields(schema: dict[str, Any], body: dict[str, Any]) -> list[Field]:
    body = _resolve(schema, body)
    required = body.get("required", [])
    return [
        Field(name, _kind(schema, each), name in required, _resolve(schema, each).get("description", ""))
        for name, each in body.get("properties", {}).items()
    ]


def _kind(schema: dict[str, Any], given: dict[str, Any]) -> str:
    """'string', 'one of call, email', 'list of string', 'object'."""
    given = _resolve(schema, given)
    if given.get("enum"):
        return "one of " + ", ".join(str(value) for value in given["enum"] if value not in ("", None))
    kind = given.get("type", "object")
    if isinstance(kind, list):  # OpenAPI 3.1 writes "or null" as a second type
        kind = " or ".join(str(each) for each in kind)
    if kind == "array":
        return f"list of {_kind(schema, given.get('items', {}))}"
    return f"{kind} ({given['format']})" if "format" in given else str(kind)


def _resolve(schema: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Follow references, through an allOf of one as well."""
    while True:
        if "$ref" in given:
            given = schema["components"]["schemas"][given["$ref"].rpartition("/")[2]]
        elif len(given.get("allOf", [])) == 1:
            given = given["allOf"][0]
        else:
            return given
