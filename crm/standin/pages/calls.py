"""The calls that came in, and what each asked and was told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from crm.standin.errors import not_found
from crm.standin.traffic import BODY_KEPT

if TYPE_CHECKING:
    from crm.standin.server import StandIn


def show_calls(
    standin: StandIn, parts: Mapping[str, str], query: Mapping[str, str]
) -> tuple[str, dict[str, Any]]:
    """`?failed=1` leaves out what went well, `?operation=` all but one kind of call."""
    calls = standin.traffic.newest_first()
    operations = sorted({call.operation for call in calls})
    only, failed = query.get("operation", ""), "failed" in query
    shown = [
        call
        for call in calls
        if (call.operation == only or not only) and (call.has_failed or call.note or not failed)
    ]
    return "calls", {
        "title": "Calls",
        "calls": shown,
        "count": len(calls),
        "operations": operations,
        "operation": only,
        "failed": failed,
    }


def show_call(
    standin: StandIn, parts: Mapping[str, str], query: Mapping[str, str]
) -> tuple[str, dict[str, Any]]:
    """Raises NOT_FOUND for one that is no longer kept."""
    number = int(parts["number"])
    call = standin.traffic.numbered(number)
    if call is None:
        raise not_found()
    return "call", {
        "title": f"Call {number}",
        "call": call,
        "sent": _readable(call.sent),
        "answered": _readable(call.answered),
        "newer": standin.traffic.numbered(number + 1),
        "older": standin.traffic.numbered(number - 1),
    }


def _readable(body: str) -> str:
    if len(body) >= BODY_KEPT:
        return f"{body}\n… the rest is not kept"
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body
