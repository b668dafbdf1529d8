"""Faults on order: which call goes wrong, how, and how often."""

import random
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from .errors import ApiError

KINDS = {
    "error": "answer with `code` and `message` under HTTP `status`, and do nothing",
    "html": "answer with an HTML page under HTTP `status`, as an edge server under maintenance does",
    "expire": "revoke every access token first, so that the call meets a 401",
    "slow": "wait `seconds` before doing the work",
    "reset": "cut the connection before doing anything",
    "reset_after": "do the work, commit it, then cut the connection without an answer",
    "row": "in a collections call or an ingest batch, fail the rows whose key is `key` (every row if empty)",
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
    "query",
    "describe",
    "limits",
    "ingest",
    "ingest_batch",
}


@dataclass(frozen=True)
class Fault:
    """One kind of failure on the calls of one operation, from the `nth` matching call on, `times` times."""

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

    def error(self) -> ApiError:
        return ApiError(self.status, self.code, self.message)


def parse_fault(values: Mapping[str, Any]) -> Fault:
    """A fault from JSON. Raises ValueError naming what is wrong with it."""
    unknown = set(values) - set(Fault.__dataclass_fields__)
    if unknown:
        raise ValueError(f"Unknown field: {', '.join(sorted(unknown))}.")
    if values.get("kind") not in KINDS:
        raise ValueError(f"kind must be one of: {', '.join(KINDS)}.")
    if values.get("operation", "any") not in OPERATIONS:
        raise ValueError(f"operation must be one of: {', '.join(sorted(OPERATIONS))}.")
    for name in ("nth", "times", "status", "probability", "seconds"):
        if not isinstance(values.get(name, 1), int | float):
            raise ValueError(f"{name} must be a number.")
    return Fault(**values)


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

    def waiting(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._waiting]

    def draw(self, operation: str) -> Fault | None:
        """The fault that strikes this call, if any; each call brings every fault of its kind one nearer."""
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
                    if fault.times > 1:
                        left.append(replace(fault, times=fault.times - 1))
            self._waiting = left
        return struck
