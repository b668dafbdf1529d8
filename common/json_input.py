"""JSON from outside: read strictly, so that what comes in can be stored.

Apart from common.api, because rest_framework.views reads the parser's setting while it is being imported.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from django.core.exceptions import RequestDataTooBig
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import JSONParser

# Deeper than any message is, and far from where Python's own recursion ends.
MAX_DEPTH = 64
TOO_DEEP = f"The body is nested too deeply; the limit is {MAX_DEPTH} levels."


class BodyTooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is too large. Send it in smaller parts."
    default_code = "too_large"


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _finite_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _bounded_int(text: str) -> int:
    if len(text) > 20:
        raise ValueError("a number is too large")
    return int(text)


def parse_json(body: bytes) -> Any:
    """Read JSON that PostgreSQL can store. Raises ValueError with a sentence: NUL characters, lone
    surrogates, NaN, infinities, absurd numbers and deep nesting are refused, not passed on to fail later."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError("The body is not valid UTF-8.") from error
    try:
        data = json.loads(
            text, parse_constant=_refuse_constant, parse_float=_finite_float, parse_int=_bounded_int
        )
    except RecursionError as error:
        raise ValueError(TOO_DEEP) from error
    except ValueError as error:
        raise ValueError(f"The body is not valid JSON: {error}.") from error
    _refuse_deep(data)
    if "\\u" in text or "\x00" in text:  # only then can a string hold what PostgreSQL refuses
        _refuse_unstorable(data)
    return data


def _refuse_deep(data: Any) -> None:
    level = [data]
    for _ in range(MAX_DEPTH + 1):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return
    raise ValueError(TOO_DEEP)


def _inside(item: Any) -> Iterable[Any]:
    if isinstance(item, dict):
        return item.values()
    return item if isinstance(item, list) else ()


def _refuse_unstorable(data: Any) -> None:
    waiting = [data]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item)
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, str):
            if "\x00" in item:
                raise ValueError("The body holds a NUL character; remove it.")
            if any("\ud800" <= character <= "\udfff" for character in item):
                raise ValueError("The body holds half of a surrogate pair; send whole characters.")


class StrictJSONParser(JSONParser):
    """DRF's JSON parser with parse_json's strictness and the body limit."""

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        request = (parser_context or {}).get("request")
        try:
            body = request._request.body if request is not None else stream.read()
        except RequestDataTooBig as error:
            raise BodyTooLarge() from error
        try:
            return parse_json(body)
        except ValueError as error:
            raise ParseError(str(error)) from error
