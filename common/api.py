"""What all API endpoints share: one shape of errors out, pages by cursor, a page of the schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import RequestDataTooBig
from rest_framework.pagination import CursorPagination
from rest_framework.response import Response
from rest_framework.views import exception_handler

from common.errors import DomainError, InvalidInput
from common.json_input import BodyTooLarge


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
