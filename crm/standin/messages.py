"""Requests and replies, as the calls see them: no socket in sight."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from .errors import ApiError
from .faults import Fault

JSON = "application/json;charset=UTF-8"


@dataclass(frozen=True)
class Request:
    """One HTTP request; header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""
    # Strikes single rows of a call that has many.
    row_fault: Fault | None = None

    def json(self, kind: type) -> Any:
        """The parsed body. Raises JSON_PARSER_ERROR when it is not JSON, or not of that kind."""
        if not isinstance(self._parsed, kind):
            raise ApiError(400, "JSON_PARSER_ERROR", "The HTTP entity body has the wrong shape")
        return self._parsed

    @cached_property
    def _parsed(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            raise ApiError(400, "JSON_PARSER_ERROR", "Unexpected character in the request body") from None

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


@dataclass
class Reply:
    """What goes back: a value for JSON, a finished text with its type, or nothing."""

    status: int
    body: Any = None
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)

    @cached_property
    def payload(self) -> bytes:
        """The body as it travels."""
        if self.body is None:
            return b""
        if isinstance(self.body, str) and not self.content_type.startswith("application/json"):
            return self.body.encode()
        return json.dumps(self.body).encode()
