"""Faults on order: which call goes wrong, how, and how often."""

import random
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from .errors import ApiError

KINDS = {
    "error": "answer with `code` and `message` under HTTP `status`, and do nothing",
    "html": "answer with an HTML page under HTTP `status`, as an edge server under maintenance does",
    "empty": "answer with nothing at all under HTTP `status`",
    "expire": "revoke every access token first, so that the call meets a 401",
    "slow": "wait `seconds` before doing the work",
    "reset": "cut the connection before doing anything",
    "reset_after": "do the work, commit it, then cut the connection without an answer",
    "row": "in a call of many rows, fail a `share` of those that hold the value `key` (any row when empty)",
}
OPERATIONS = {
    "any",
    "token",
    "create",
    "get",
    "update",
    "upsert",
    "delete",
    "collections",
    "composite",
    "query",
    "describe",
    "updated",
    "deleted",
    "limits",
    "ingest",
    "ingest_batch",
}
WHOLE_NUMBERS = {"nth": (1, 10**9), "times": (0, 10**9), "status": (100, 599)}
NUMBERS = {"probability": (0, 1), "share": (0, 1), "seconds": (0, 3600)}
TEXTS = ("code", "message", "key")


@dataclass(frozen=True)
class Fault:
    """One kind of failure on the calls of one operation: from the `nth` matching call on, with a
    `probability` each time, `times` times; 0 times is until it is taken away."""

    kind: str
    operation: str = "any"
    nth: int = 1
    times: int = 1
    probability: float = 1.0
    status: int = 503
    code: str = "SERVER_UNAVAILABLE"
    message: str = "The server is temporarily unavailable"
    seconds: float = 0.0
    key: str = ""
    share: float = 1.0

    def error(self) -> ApiError:
        return ApiError(self.status, self.code, self.message)


def _error(status: int, code: str, message: str) -> dict[str, Any]:
    return {"kind": "error", "status": status, "code": code, "message": message}


# The failures that clients of Salesforce meet most, by a name: a label, and the fault.
PRESETS: dict[str, tuple[str, dict[str, Any]]] = {
    "row_lock": (
        "A row is locked by somebody else",
        {
            **_error(400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record"),
            "kind": "row",
        },
    ),
    "flow": (
        "A flow of the org fails on a row",
        {
            **_error(400, "CANNOT_EXECUTE_FLOW_TRIGGER", "We can't save this record because a flow failed."),
            "kind": "row",
        },
    ),
    "server_error": (
        "Server error",
        _error(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred."),
    ),
    "unavailable": (
        "Not available for the moment",
        _error(503, "SERVER_UNAVAILABLE", "The server is temporarily unavailable"),
    ),
    "maintenance": ("Maintenance page in HTML, 503", {"kind": "html", "status": 503}),
    "edge": ("HTML of the edge server, 420", {"kind": "html", "status": 420}),
    "empty": ("Empty answer, 502", {"kind": "empty", "status": 502}),
    "session": ("The session expires", {"kind": "expire"}),
    "slow": ("Slow answer", {"kind": "slow", "seconds": 5.0}),
    "reset": ("Connection cut before the work", {"kind": "reset"}),
    "reset_after": ("Connection cut after the commit", {"kind": "reset_after"}),
    "daily_quota": (
        "The day's calls are used up",
        _error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    ),
    "long_calls": (
        "Too many long calls at once",
        _error(
            403,
            "REQUEST_LIMIT_EXCEEDED",
            "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
        ),
    ),
}


def parse_fault(values: Mapping[str, Any]) -> Fault:
    """A fault from JSON, of which a `preset` may be a part. Raises ValueError naming what is wrong."""
    given = dict(values)
    preset = given.pop("preset", None)
    if preset is not None:
        if preset not in PRESETS:
            raise ValueError(f"preset must be one of: {', '.join(PRESETS)}.")
        given = {**PRESETS[preset][1], **given}
    unknown = set(given) - set(Fault.__dataclass_fields__)
    if unknown:
        raise ValueError(f"Unknown field: {', '.join(sorted(unknown))}.")
    if given.get("kind") not in KINDS:
        raise ValueError(f"kind must be one of: {', '.join(KINDS)}.")
    if given.get("operation", "any") not in OPERATIONS:
        raise ValueError(f"operation must be one of: {', '.join(sorted(OPERATIONS))}.")
    _require_numbers(given, WHOLE_NUMBERS, int, "a whole number")
    _require_numbers(given, NUMBERS, (int, float), "a number")
    for name in TEXTS:
        if not isinstance(given.get(name, ""), str):
            raise ValueError(f"{name} must be a text.")
    return Fault(**given)


def _require_numbers(
    given: Mapping[str, Any], ranges: Mapping[str, tuple[int, int]], kind: Any, words: str
) -> None:
    for name, (least, most) in ranges.items():
        value = given.get(name, least)
        if isinstance(value, bool) or not isinstance(value, kind) or not least <= value <= most:
            raise ValueError(f"{name} must be {words} from {least} to {most}.")


class FaultBoard:
    """The faults waiting to happen. Draws are seeded, so that a run with faults can be repeated."""

    def __init__(self, seed: int = 0) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []
        self._random = random.Random(seed)

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._waiting.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def reset(self, *, seed: int = 0) -> None:
        """No fault waiting, and draws from the beginning."""
        with self._lock:
            self._waiting.clear()
            self._random.seed(seed)

    def waiting(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._waiting]

    def draw(self, operation: str) -> Fault | None:
        """The fault that strikes this call, if any; each call brings every fault of its kind one nearer."""
        if not self._waiting:
            return None
        struck = None
        with self._lock:
            left = []
            for fault in self._waiting:
                if fault.operation not in ("any", operation):
                    left.append(fault)
                elif fault.nth > 1:
                    left.append(replace(fault, nth=fault.nth - 1))
                elif struck is not None or self._random.random() >= fault.probability:
                    left.append(fault)
                else:
                    struck = fault
                    left += _rest_of(fault)
            self._waiting = left
        return struck

    def strikes_row(self, fault: Fault, values: Iterable[Any]) -> bool:
        """Whether a row fault that struck a call strikes this row of it."""
        if fault.kind != "row" or (fault.key and fault.key not in values):
            return False
        with self._lock:
            return fault.share >= 1 or self._random.random() < fault.share


def _rest_of(fault: Fault) -> list[Fault]:
    """What waits on after a fault has struck once."""
    match fault.times:
        case 0:
            return [fault]
        case 1:
            return []
        case times:
            return [replace(fault, times=times - 1)]
