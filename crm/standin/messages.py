"""Requests and replies, as the calls see them: no socket in sight."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from .errors import ApiError
from .faults import Fault


@dataclass(frozen=True)
class Request:
    """One HTTP request; header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""
    # Strikes single rows of a collections call.
    row_fault: Fault | None = None

    def json(self, kind: type) -> Any:
        """The parsed body. Raises JSON_PARSER_ERROR when it is not JSON, or not of that kind."""
        try:
            parsed = json.loads(self.body)
        except ValueError:
            raise ApiError(400, "JSON_PARSER_ERROR", "Unexpected character in the request body") from None
        if not isinstance(parsed, kind):
            raise ApiError(400, "JSON_PARSER_ERROR", "The HTTP entity body has the wrong shape")
        return parsed

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


@dataclass
class Reply:
    """What goes back: a value for JSON, a finished text with its type, or nothing."""

    status: int
    body: Any = None
    content_type: str = "application/json;charset=UTF-8"
    headers: dict[str, str] = field(default_factory=dict)
