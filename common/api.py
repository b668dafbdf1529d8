"""What all API endpoints share: strict JSON in, one shape of errors out, pages by cursor."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.pagination import CursorPagination
from rest_framework.parsers import JSONParser
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import exception_handler

from common.errors import DomainError, InvalidInput


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
    surrogates, NaN, infinities and absurd numbers are refused, not passed on to fail later."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError("The body is not valid UTF-8.") from error
    try:
        data = json.loads(
            text, parse_constant=_refuse_constant, parse_float=_finite_float, parse_int=_bounded_int
        )
    except RecursionError as error:
        raise ValueError("The body is nested too deeply.") from error
    except ValueError as error:
        raise ValueError(f"The body is not valid JSON: {error}.") from error
    # Escapes survive decoding, so look at what was written: \u0000 is never text, \ud800 alone neither.
    if "\\u" in text:
        _refuse_unstorable(data)
    elif "\x00" in text:
        raise ValueError("The body holds a NUL character; remove it.")
    return data


def _refuse_unstorable(data: Any) -> None:
    written = json.dumps(data, ensure_ascii=False)
    if "\\u0000" in written:
        raise ValueError("The body holds a NUL character; remove it.")
    try:
        written.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError("The body holds half of a surrogate pair; send whole characters.") from error


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


def answer_exception(exception: Exception, context: Mapping[str, Any]) -> Response | None:
    """The one mapping of errors to HTTP: `{"code", "detail"[, "field"]}`; field errors keep DRF's shape."""
    if isinstance(exception, DomainError):
        answer: dict[str, Any] = {"code": exception.code, "detail": str(exception)}
        if isinstance(exception, InvalidInput) and exception.field:
            answer["field"] = exception.field
        return Response(answer, status=exception.status)
    if isinstance(exception, RequestDataTooBig):
        exception = BodyTooLarge()
    response = exception_handler(exception, dict(context))
    if response is not None and isinstance(response.data, dict) and "detail" in response.data:
        response.data.setdefault("code", getattr(response.data["detail"], "code", "error"))
    return response


class NewestFirstPagination(CursorPagination):
    """Pages by key, so that a page costs the same wherever it is in the table."""

    ordering = ("-created_at", "-id")
    page_size_query_param = "page_size"
    max_page_size = 200


class TokenThrottle(SimpleRateThrottle):
    """So many requests per user and minute (API_RATE)."""

    scope = "token"

    def get_cache_key(self, request: Any, view: Any) -> str | None:
        user = request.user
        ident = user.pk if user and user.is_authenticated else self.get_ident(request)
        return self.cache_format % {"scope": self.scope, "ident": ident}


def browse_schema(request: HttpRequest) -> HttpResponse:
    """A readable page of the API made from the schema, without third-party scripts."""
    return render(request, "api_docs.html", {"portal_url": settings.PORTAL_URL})
