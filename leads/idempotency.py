"""The same message twice is answered as the first time, and changes nothing (INTAKE-4)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import wraps
from typing import Any, TypeVar

from django.db import connection
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder
from rest_framework.views import APIView

from common.errors import InvalidInput
from leads.models import InboundMessage

HEADER = "Idempotency-Key"
MAX_KEY = 200

View = TypeVar("View", bound=APIView)
Handler = Callable[..., Response]


def idempotent(handler: Handler) -> Handler:
    """Let a view's method honour the header Idempotency-Key.

    One key of one person at one address carries one body: repeated, it gets the first answer; with
    another body, 422. Two at once: the second waits, then gets the first one's answer. A process killed
    between doing and answering leaves no answer, so the handler itself must be safe to repeat.
    """

    @wraps(handler)
    def handle_once(view: View, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get(HEADER, "").strip()
        if not key:
            return handler(view, request, *args, **kwargs)
        if len(key) > MAX_KEY or not key.isprintable():
            raise InvalidInput(f"{HEADER} has at most {MAX_KEY} printable characters.", field=HEADER)
        full_key = _full_key(request, key)
        fingerprint = _fingerprint(request)
        with _one_at_a_time(full_key):
            known = InboundMessage.objects.filter(key=full_key).first()
            if known:
                return _answer_again(known, fingerprint)
            response = _run(handler, view, request, *args, **kwargs)
            if response.status_code < 500:
                _remember(full_key, fingerprint, response, now=timezone.now())
            return response

    return handle_once


def _full_key(request: Request, key: str) -> str:
    """Of one length, however long the address and the key are."""
    digest = hashlib.sha256(f"{request.path}:{key}".encode()).hexdigest()
    return f"api:{request.user.pk}:{digest}"


def _run(handler: Handler, view: View, request: Request, *args: Any, **kwargs: Any) -> Response:
    """A refusal is an answer too, and is remembered like one."""
    try:
        return handler(view, request, *args, **kwargs)
    except Exception as error:
        return view.handle_exception(error)  # raises again what is no refusal


def _answer_again(known: InboundMessage, fingerprint: str) -> Response:
    if known.fingerprint != fingerprint:
        raise InvalidInput(
            f"This {HEADER} was used with another body. Send a new key with a new message.", field=HEADER
        )
    return Response(known.response_body, status=known.response_status)


def _remember(key: str, fingerprint: str, response: Response, *, now: datetime) -> None:
    InboundMessage.objects.create(
        key=key,
        fingerprint=fingerprint,
        response_status=response.status_code,
        response_body=json.loads(json.dumps(response.data, cls=JSONEncoder)),
        received_at=now,
    )


def _fingerprint(request: Request) -> str:
    return hashlib.sha256(request._request.body).hexdigest()


@contextmanager
def _one_at_a_time(key: str) -> Iterator[None]:
    """Hold an advisory lock of this session: the handler has transactions of its own, so none can span it."""
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [number])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [number])
