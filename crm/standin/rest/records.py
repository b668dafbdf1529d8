"""One record at a time."""

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from crm.standin.errors import ApiError, ManyMatches, not_found
from crm.standin.messages import Reply
from crm.standin.org import record_url

from .call import Call, Routes, fields_of

# Before this version an upsert that updates answers 204 without a body.
FIRST_VERSION_WITH_CREATED = 46


def create(call: Call) -> Reply:
    record_id = call.org.create(call.sobject, fields_of(call.request.json(dict)), caller=call.caller)
    return Reply(201, {"id": record_id, "success": True, "errors": []})


def read(call: Call) -> Reply:
    return _read(call, call.org.get(call.sobject, call.parts["id"]))


def read_by_key(call: Call) -> Reply:
    return _read(call, _found(call))


def _read(call: Call, record: Mapping[str, Any]) -> Reply:
    since = _moment(call.request.headers.get("if-modified-since"))
    if since is not None and datetime.fromisoformat(record["LastModifiedDate"]) <= since:
        return Reply(304)
    wanted = [name for name in call.request.query.get("fields", "").split(",") if name]
    return Reply(200, shown(call, record, wanted))


def shown(call: Call, record: Mapping[str, Any], wanted: list[str]) -> dict[str, Any]:
    """A record as the caller may see it, or of that the wanted fields."""
    sobject = call.org.seen(record["attributes"]["type"])
    names = [sobject.field(name).name for name in wanted] or [field.name for field in sobject.fields]
    attributes = {"type": sobject.name, "url": record_url(sobject.name, record["Id"], call.version)}
    return {"attributes": attributes, **{name: record.get(name) for name in names}}


def update(call: Call) -> Reply:
    values = fields_of(call.request.json(dict))
    with call.org.store.transaction():
        _require_unmodified(call, call.org.store.get(call.parts["id"]))
        call.org.update(call.sobject, call.parts["id"], values, caller=call.caller)
    return Reply(204)


def upsert(call: Call) -> Reply:
    values = fields_of(call.request.json(dict))
    for name in values:
        if name.lower() in ("id", call.key.name.lower()):
            words = f"The {name} field should not be specified in the sobject data."
            raise ApiError(400, "INVALID_FIELD", words, (name,))
    with call.org.store.transaction():
        if "if-unmodified-since" in call.request.headers:
            _require_unmodified(call, _found(call))
        record_id, created = call.org.upsert(
            call.sobject,
            call.key,
            call.parts["value"],
            values,
            caller=call.caller,
            may_create=not call.flag("updateOnly"),
        )
    if not created and float(call.version) < FIRST_VERSION_WITH_CREATED:
        return Reply(204)
    answer = {"id": record_id, "success": True, "errors": [], "created": created}
    return Reply(201 if created else 200, answer)


def delete(call: Call) -> Reply:
    with call.org.store.transaction():
        _require_unmodified(call, call.org.store.get(call.parts["id"]))
        call.org.delete(call.sobject, call.parts["id"], caller=call.caller)
    return Reply(204)


def _found(call: Call) -> dict[str, Any]:
    """The record that a key in the URL names. Raises NOT_FOUND, or ManyMatches."""
    found = call.org.store.find(call.sobject.name, call.key.name, call.parts["value"])
    if len(found) > 1:
        raise ManyMatches([record["Id"] for record in found])
    if not found:
        raise not_found()
    return found[0]


def _require_unmodified(call: Call, record: Mapping[str, Any] | None) -> None:
    """Lost updates are prevented by LastModifiedDate, to the second; ETags exist for accounts only."""
    text = call.request.headers.get("if-unmodified-since")
    if text is None or record is None:
        return
    since = _moment(text)
    if since is None:
        raise ApiError(400, "INVALID_HEADER", f"Invalid value for header If-Unmodified-Since: {text}")
    if datetime.fromisoformat(record["LastModifiedDate"]) > since:
        words = "The record has been modified since the given time"
        raise ApiError(412, "PRECONDITION_FAILED", words)


def _moment(text: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(text) if text else None
    except ValueError:
        return None


ONE = r"sobjects/(?P<object>\w+)"
KEY = r"(?P<key>\w+)/(?P<value>[^/]+)"
ROUTES: Routes = [
    ("POST", ONE, "create", create),
    # With Id as the external id nothing can match: it is a plain create.
    ("POST", rf"{ONE}/Id", "create", create),
    ("GET", rf"{ONE}/(?P<id>\w+)", "get", read),
    ("PATCH", rf"{ONE}/(?P<id>\w+)", "update", update),
    ("DELETE", rf"{ONE}/(?P<id>\w+)", "delete", delete),
    ("GET", rf"{ONE}/{KEY}", "get", read_by_key),
    ("PATCH", rf"{ONE}/{KEY}", "upsert", upsert),
]
