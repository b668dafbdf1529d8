"""Which calls came in, what each asked and what it was told: for people, so without tokens and secrets."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, urlencode

from .messages import Reply, Request

CALLS_KEPT = 300
# A bulk upload has a hundred million: what is kept must fit into memory, and is only ever looked at.
BODY_KEPT = 40_000
SIGNING_IN = "/services/oauth2/"
SECRETS = {"client_secret", "assertion", "token", "access_token", "signature"}


@dataclass(frozen=True)
class Exchange:
    """One call. `status` is 0 when the connection was cut; `sent` and `answered` are cut to BODY_KEPT."""

    at: datetime
    method: str
    path: str
    operation: str
    status: int
    milliseconds: int
    # The kind of the fault that struck it.
    note: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    number: int = 0
    query: tuple[tuple[str, str], ...] = ()
    sent: str = ""
    answered: str = ""

    @property
    def has_failed(self) -> bool:
        return not 200 <= self.status < 400


class TrafficLog(deque[Exchange]):
    """The last calls, the oldest first."""

    def __init__(self) -> None:
        super().__init__(maxlen=CALLS_KEPT)
        self._lock = threading.Lock()
        self._count = 0

    def note(
        self,
        request: Request,
        reply: Reply | None,
        *,
        operation: str,
        at: datetime,
        milliseconds: int,
        fault: str,
        was_cut: bool,
    ) -> None:
        """Keep one call. A reply that was cut off on its way is kept, too: the work was done."""
        is_secret = request.path.startswith(SIGNING_IN)
        sent = request.body[:BODY_KEPT].decode("utf-8", "replace")
        answered = reply.payload[:BODY_KEPT].decode("utf-8", "replace") if reply else ""
        with self._lock:
            self._count += 1
            self.append(
                Exchange(
                    at=at,
                    method=request.method,
                    path=request.path,
                    operation=operation,
                    status=reply.status if reply and not was_cut else 0,
                    milliseconds=milliseconds,
                    note=fault,
                    headers=_own_headers(request.headers),
                    number=self._count,
                    query=tuple(request.query.items()),
                    sent=_without_secrets_in_form(sent) if is_secret else sent,
                    answered=_without_secrets_in_json(answered) if is_secret else answered,
                )
            )

    def clear(self) -> None:
        """Forget every call, and count from one again."""
        with self._lock:
            super().clear()
            self._count = 0

    def newest_first(self) -> list[Exchange]:
        with self._lock:
            return list(self)[::-1]

    def numbered(self, number: int) -> Exchange | None:
        with self._lock:
            return next((call for call in self if call.number == number), None)


def _own_headers(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Those that change what Salesforce does."""
    kept = {"if-modified-since", "if-unmodified-since"}
    return tuple(
        (name, value) for name, value in headers.items() if name.startswith("sforce-") or name in kept
    )


def _without_secrets_in_form(body: str) -> str:
    pairs = parse_qsl(body, keep_blank_values=True)
    return urlencode([(name, "hidden" if name in SECRETS else value) for name, value in pairs])


def _without_secrets_in_json(body: str) -> str:
    try:
        values = json.loads(body)
    except ValueError:
        return body
    if not isinstance(values, dict):
        return body
    return json.dumps({name: "hidden" if name in SECRETS else value for name, value in values.items()})
