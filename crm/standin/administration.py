"""What people do in the org by hand, and what makes it misbehave, as calls under `/__standin__/`.

They are not Salesforce's: no token is asked for, none is counted, no fault strikes them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .conversion import convert_lead, merge_leads
from .errors import ApiError, not_found
from .faults import parse_fault
from .messages import Reply, Request
from .org import Caller
from .schema import sobject_named

if TYPE_CHECKING:
    from .server import StandIn

PREFIX = "/__standin__/"
Body = Mapping[str, Any]
Handler = Callable[["StandIn", Body, Mapping[str, str]], Reply]


def administer(standin: StandIn, request: Request) -> Reply:
    """Answer one call. What is wrong with it is said in the shape of the REST API's errors."""
    path = request.path.removeprefix(PREFIX).rstrip("/")
    for method, pattern, handle in ROUTES:
        match = re.fullmatch(pattern, path)
        if match and method == request.method:
            try:
                body = request.json(dict) if request.body else {}
                return handle(standin, body, match.groupdict())
            except ApiError as error:
                return Reply(error.status, error.as_rest())
            except (TypeError, ValueError) as error:
                return Reply(400, ApiError(400, "INVALID_INPUT", str(error)).as_rest())
    return Reply(404, not_found().as_rest())


def _person(standin: StandIn, body: Body) -> Caller:
    """Who does it: Sam Seller unless `by` names another user. No assignment rule runs for a person."""
    return Caller(str(body.get("by") or standin.org.sales_user_id), auto_assign=False, saves_duplicates=True)


# --- records ---


def _change(standin: StandIn, body: Body, at: Mapping[str, str]) -> Reply:
    values = {name: value for name, value in body.items() if name != "by"}
    standin.org.update(sobject_named(at["object"]), at["id"], values, caller=_person(standin, body))
    return Reply(204)


def _create(standin: StandIn, body: Body, at: Mapping[str, str]) -> Reply:
    values = {name: value for name, value in body.items() if name != "by"}
    record_id = standin.org.create(sobject_named(at["object"]), values, caller=_person(standin, body))
    return Reply(201, {"id": record_id})


def _delete(standin: StandIn, body: Body, at: Mapping[str, str]) -> Reply:
    standin.org.delete(sobject_named(at["object"]), at["id"], caller=_person(standin, body))
    return Reply(204)


def _undelete(standin: StandIn, body: Body, at: Mapping[str, str]) -> Reply:
    standin.org.undelete(sobject_named(at["object"]), at["id"], caller=_person(standin, body))
    return Reply(204)


def _convert(standin: StandIn, body: Body, at: Mapping[str, str]) -> Reply:
    wishes = {name: value for name, value in body.items() if name != "by"}
    by = _person(standin, body).user_id
    return Reply(200, asdict(convert_lead(standin.org, at["id"], by=by, **wishes)))


def _merge(standin: StandIn, body: Body, at: Mapping[str, str]) -> Reply:
    losers = body.get("losers")
    if not isinstance(losers, list):
        raise ValueError("losers must be a list of ids.")
    by = _person(standin, body).user_id
    merge_leads(standin.org, at["id"], [str(one) for one in losers], by=by, values=body.get("values"))
    return Reply(204)


# --- the org as a whole ---


def _setup(standin: StandIn, body: Body, at: Mapping[str, str]) -> Reply:
    return Reply(200, standin.org.setup.as_json())


def _change_setup(standin: StandIn, body: Body, at: Mapping[str, str]) -> Reply:
    return Reply(200, standin.org.change_setup(**body).as_json())


def _quota(standin: StandIn, body: Body, at: Mapping[str, str]) -> Reply:
    usage = standin.usage
    return Reply(
        200,
        {
            "daily_limit": usage.daily_limit,
            "app_limit": usage.app_limit,
            "used": usage.used,
            "used_by_app": usage.used_by_app,
        },
    )


def _change_quota(standin: StandIn, body: Body, at: Mapping[str, str]) -> Reply:
    """`daily_limit`, `app_limit`, `spend` for calls of other apps, `begin_day` for a new day."""
    unknown = set(body) - {"daily_limit", "app_limit", "spend", "begin_day"}
    if unknown:
        raise ValueError(f"Unknown field: {', '.join(sorted(unknown))}.")
    numbers = {name: _whole(name, body[name]) for name in set(body) - {"begin_day"}}
    if body.get("begin_day"):
        standin.usage.begin_day()
    standin.usage.daily_limit = numbers.get("daily_limit", standin.usage.daily_limit)
    standin.usage.app_limit = numbers.get("app_limit", standin.usage.app_limit)
    standin.usage.spend(numbers.get("spend", 0))
    return _quota(standin, body, at)


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 10**9:
        raise ValueError(f"{name} must be a whole number, not below 0.")
    return value


def _expire(standin: StandIn, body: Body, at: Mapping[str, str]) -> Reply:
    standin.tokens.revoke()
    return Reply(204)


def _reset(standin: StandIn, body: Body, at: Mapping[str, str]) -> Reply:
    standin.reset(seed=_whole("seed", body.get("seed", 0)))
    return Reply(204)


# --- faults ---


def _faults(standin: StandIn, body: Body, at: Mapping[str, str]) -> Reply:
    return Reply(200, standin.faults.waiting())


def _add_fault(standin: StandIn, body: Body, at: Mapping[str, str]) -> Reply:
    standin.faults.add(parse_fault(body))
    return Reply(201, standin.faults.waiting())


def _clear_faults(standin: StandIn, body: Body, at: Mapping[str, str]) -> Reply:
    standin.faults.clear()
    return Reply(204)


RECORD = r"records/(?P<object>\w+)/(?P<id>\w+)"
LEAD = r"leads/(?P<id>\w+)"
ROUTES: list[tuple[str, str, Handler]] = [
    ("POST", r"records/(?P<object>\w+)", _create),
    ("PATCH", RECORD, _change),
    ("DELETE", RECORD, _delete),
    ("POST", rf"{RECORD}/undelete", _undelete),
    ("POST", rf"{LEAD}/convert", _convert),
    ("POST", rf"{LEAD}/merge", _merge),
    ("GET", r"setup", _setup),
    ("PATCH", r"setup", _change_setup),
    ("GET", r"quota", _quota),
    ("PATCH", r"quota", _change_quota),
    ("POST", r"tokens/expire", _expire),
    ("POST", r"reset", _reset),
    ("GET", r"faults", _faults),
    ("POST", r"faults", _add_fault),
    ("DELETE", r"faults", _clear_faults),
]
