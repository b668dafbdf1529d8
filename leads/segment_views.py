"""Where tracking stacks send to: Segment's HTTP API as its and RudderStack's libraries use it (INTAKE-3).

Success is 200 and nothing else: RudderStack's Python client sends again on 202. Refusals carry `code` and
`message`, which the clients read.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from common.errors import InvalidInput
from common.json_input import parse_json
from leads.models import QuarantinedItem, WriteKey
from leads.quarantine import Refusal, quarantine, refusal_of
from leads.segment import Kind, read_message
from leads.visitors import take_message
from leads.write_keys import find_write_key

# Segment's own limit for a batch, after unpacking: what a small body may swell to.
MAX_BODY_BYTES = 500 * 1024
# The clients send a hundred; a body full of crumbs would be a quarantine full of rows.
MAX_MESSAGES = 1000
GZIP = 16 + zlib.MAX_WBITS


class Refused(Exception):
    """The request as a whole cannot be taken."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.answer = JsonResponse({"success": False, "code": code, "message": message}, status=status)
        super().__init__(message)


View = Callable[..., JsonResponse]


def segment_endpoint(view: Callable[..., JsonResponse]) -> View:
    """Hand the view the parsed body and the write key; answer refusals in the clients' terms."""

    @csrf_exempt
    @require_POST
    @wraps(view)
    def endpoint(request: HttpRequest, **kwargs: Any) -> JsonResponse:
        now = timezone.now()
        try:
            # The header first: a stranger's body is not even unpacked.
            key = _key_of_header(request, now=now)
            body = _read_body(request)
            key = key or _find_key(body.get("writeKey"), now=now)
            return view(body, key=key, now=now, **kwargs)
        except Refused as refusal:
            return refusal.answer

    return endpoint


@segment_endpoint
def batch(body: dict[str, Any], *, key: WriteKey, now: datetime) -> JsonResponse:
    """Take a batch: the valid messages are kept, each other is quarantined and answered with its index."""
    messages = body.get("batch")
    if not isinstance(messages, list):
        raise Refused(400, "invalid_batch", "The body needs a list named batch.")
    if len(messages) > MAX_MESSAGES:
        raise Refused(413, "too_large", f"A batch may hold {MAX_MESSAGES} messages; send smaller ones.")
    refusals = []
    for index, raw in enumerate(messages):
        if refusal := _take(raw, index=index, sent_at=body.get("sentAt"), now=now):
            refusals.append(refusal)
    quarantine(refusals, source=QuarantinedItem.Source.SEGMENT, origin=str(key), now=now)
    return JsonResponse(
        {
            "success": True,
            "quarantined": len(refusals),
            "errors": [refusal.as_answer() for refusal in refusals],
        }
    )


@segment_endpoint
def single(body: dict[str, Any], *, kind: str, key: WriteKey, now: datetime) -> JsonResponse:
    """Take the one message in the body; its address says of what kind it is."""
    refusal = _take(body, index=0, kind=kind, sent_at=None, now=now)
    if refusal is None:
        return JsonResponse({"success": True})
    quarantine([refusal], source=QuarantinedItem.Source.SEGMENT, origin=str(key), now=now)
    return JsonResponse(
        {"success": False, "code": "invalid_message", "message": refusal.reason, "field": refusal.field},
        status=400,
    )


def _take(raw: Any, *, index: int, sent_at: Any, now: datetime, kind: str = "") -> Refusal | None:
    """Each message is a transaction of its own: a bad one, or a crash, costs no other."""
    try:
        take_message(read_message(raw, kind=kind, sent_at=sent_at, received_at=now), now=now)
    except InvalidInput as error:
        return refusal_of(error, index=index, kind=kind or _kind_of(raw), payload=_without_key(raw))
    return None


def _kind_of(raw: Any) -> str:
    said = raw.get("type") if isinstance(raw, dict) else None
    return said if isinstance(said, str) and said in set(Kind) else "message"


def _without_key(raw: Any) -> Any:
    """What is shown to an operator holds no secret."""
    return (
        {name: value for name, value in raw.items() if name != "writeKey"} if isinstance(raw, dict) else raw
    )


# --- The request --------------------------------------------------------------------------------


def _key_of_header(request: HttpRequest, *, now: datetime) -> WriteKey | None:
    """The write key is the user name of basic authentication; the password is empty."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, _ = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        user = ""
    return _find_key(user, now=now)


def _find_key(secret: Any, *, now: datetime) -> WriteKey:
    key = find_write_key(secret, now=now) if isinstance(secret, str) and secret else None
    if key is None:
        raise Refused(401, "invalid_write_key", "The write key is unknown or was revoked.")
    return key


def _read_body(request: HttpRequest) -> dict[str, Any]:
    """JSON whatever the content type says: RudderStack's Node client says it is a form."""
    try:
        raw = request.body
    except RequestDataTooBig as error:
        raise _too_large() from error
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding == "gzip":
        raw = _unpack(raw)
    elif encoding != "identity":
        raise Refused(415, "unsupported_encoding", "The content may be encoded with gzip, or not at all.")
    if len(raw) > MAX_BODY_BYTES:
        raise _too_large()
    try:
        body = parse_json(raw)
    except ValueError as error:
        raise Refused(400, "malformed_json", str(error)) from error
    if not isinstance(body, dict):
        raise Refused(400, "malformed_json", "The body is a JSON object.")
    return body


def _unpack(raw: bytes) -> bytes:
    """Unpack gzip, but no more than a batch may hold: a bomb is never unpacked."""
    unpacker = zlib.decompressobj(GZIP)
    try:
        unpacked = unpacker.decompress(raw, MAX_BODY_BYTES + 1)
    except zlib.error as error:
        raise Refused(400, "malformed_gzip", "The body is not valid gzip.") from error
    if len(unpacked) > MAX_BODY_BYTES:
        raise _too_large()
    if not unpacker.eof:
        raise Refused(400, "malformed_gzip", "The gzip body is cut short.")
    return unpacked


def _too_large() -> Refused:
    return Refused(413, "too_large", f"A batch may take {MAX_BODY_BYTES // 1024} kB; send smaller ones.")
