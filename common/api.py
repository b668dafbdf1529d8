"""What all API endpoints share: one shape of errors out, pages by cursor, a page of the schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db.models import DateTimeField
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import exception_handler

from common.errors import DomainError, InvalidInput
from common.ids import parse_id
from common.instants import parse_instant
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

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        self._model = queryset.model
        return super().paginate_queryset(queryset, request, view)

    def decode_cursor(self, request: Request) -> Cursor | None:
        """DRF hands the position of a cursor to the database as it came: read it first."""
        cursor = super().decode_cursor(request)
        if cursor is None or cursor.position is None:
            return cursor
        # As text again, because DRF compares it with the positions of rows. (Its stubs believe in numbers.)
        position: Any = str(self._read_position(str(cursor.position)))
        return cursor._replace(position=position)

    def _read_position(self, text: str) -> object:
        field = self._model._meta.get_field(self.ordering[0].lstrip("-"))
        try:
            return parse_instant(text) if isinstance(field, DateTimeField) else parse_id(text)
        except ValueError as error:
            raise NotFound(self.invalid_cursor_message) from error
