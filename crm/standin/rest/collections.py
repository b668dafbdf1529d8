"""Up to 200 records in one call: each row has its own result, and one wrong row spoils no other."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from crm.standin.errors import ApiError, ManyMatches, not_found
from crm.standin.fields import SObject
from crm.standin.ids import full_id
from crm.standin.messages import Reply

from .call import Call, Routes, bad_json, fields_of
from .records import shown

MAX_ROWS = 200
MAX_READ = 2000
ROLLED_BACK = (
    "Record rolled back because not all records were valid and the request was using AllOrNone header"
)

Row = dict[str, Any]
Result = dict[str, Any]


def upsert(call: Call) -> Reply:
    """Results come in the order of the rows; the call succeeds even when every row failed."""
    key, sobject = call.key, call.sobject
    rows = _rows(call)
    for row in rows:
        if _type_of(row).lower() != sobject.name.lower():
            raise ApiError(400, "INVALID_INPUT", f"All records must be of type {sobject.name}")
    times = Counter(str(row.get(key.name) or "").lower() for row in rows)

    def one(row: Row) -> Result:
        value = row.get(key.name)
        if not isinstance(value, str) or not value:
            words = f"{key.name} not specified"
            raise ApiError(400, "MISSING_ARGUMENT", words, (key.name,))
        if times[value.lower()] > 1:
            raise ManyMatches([])
        if "Id" in row or "id" in row:
            raise ApiError(400, "INVALID_FIELD", "Id may not be specified in an upsert", ("Id",))
        fields = {name: field for name, field in fields_of(row).items() if name != key.name}
        record_id, created = call.org.upsert(sobject, key, value, fields, caller=call.caller)
        return {**_succeeded(record_id), "created": created}

    return _each(call, rows, one)


def create(call: Call) -> Reply:
    def one(row: Row) -> Result:
        return _succeeded(call.org.create(_seen_type(call, row), fields_of(row), caller=call.caller))

    return _each(call, _rows(call), one)


def update(call: Call) -> Reply:
    rows = _rows(call)
    times = Counter(_id_of(row) for row in rows)

    def one(row: Row) -> Result:
        record_id = _id_of(row)
        if record_id is None:
            raise ApiError(400, "MISSING_ARGUMENT", "Id not specified in an update call", ("Id",))
        if times[record_id] > 1:
            raise ApiError(400, "DUPLICATE_VALUE", f"duplicate id in the request: {record_id}", ("Id",))
        fields = {name: value for name, value in fields_of(row).items() if name.lower() != "id"}
        call.org.update(_seen_type(call, row), record_id, fields, caller=call.caller)
        return _succeeded(record_id)

    return _each(call, rows, one)


def delete(call: Call) -> Reply:
    ids = [record_id for record_id in call.request.query.get("ids", "").split(",") if record_id]
    _require_number(len(ids))

    def one(row: Row) -> Result:
        record = call.org.store.get(row["id"])
        if record is None:
            raise ApiError(404, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        call.org.delete(call.org.seen(record["attributes"]["type"]), row["id"], caller=call.caller)
        return _succeeded(row["id"])

    return _each(call, [{"id": record_id} for record_id in ids], one, all_or_none=call.flag("allOrNone"))


def read(call: Call) -> Reply:
    """Records by id, a null for each that is not there. Many ids do not fit into a URL: see `read_posted`."""
    query = call.request.query
    return _read(call, query.get("ids", "").split(","), query.get("fields", "").split(","))


def read_posted(call: Call) -> Reply:
    wanted = call.request.json(dict)
    ids, fields = wanted.get("ids"), wanted.get("fields")
    if not isinstance(ids, list) or not isinstance(fields, list):
        raise bad_json("ids and fields must be lists")
    return _read(call, [str(one) for one in ids], [str(one) for one in fields])


def _read(call: Call, ids: list[str], fields: list[str]) -> Reply:
    if len(ids) > MAX_READ:
        raise ApiError(400, "EXCEEDED_ID_LIMIT", f"cannot read more than {MAX_READ} records")
    return Reply(200, [_read_one(call, record_id, fields) for record_id in ids])


def _read_one(call: Call, record_id: str, fields: list[str]) -> dict[str, Any] | None:
    try:
        return shown(call, call.org.get(call.sobject, record_id), fields)
    except ApiError as error:
        if error.code != not_found().code:
            raise
        return None


# --- rows ---


def _each(
    call: Call, rows: list[Row], one: Callable[[Row], Result], *, all_or_none: bool | None = None
) -> Reply:
    if all_or_none is None:
        all_or_none = call.request.json(dict).get("allOrNone", False) is True
    results: list[Result] = []
    try:
        with call.org.store.transaction():
            for row in rows:
                results.append(_result(call, row, one))
            if all_or_none and not all(result["success"] for result in results):
                raise _RolledBackError
    except _RolledBackError:
        results = [_rolled_back() if result["success"] else result for result in results]
    return Reply(200, results)


def _result(call: Call, row: Row, one: Callable[[Row], Result]) -> Result:
    fault = call.request.row_fault
    try:
        if fault is not None and call.api.faults.strikes_row(fault, row.values()):
            raise fault.error()
        with call.org.store.part():
            return one(row)
    except ApiError as error:
        if error.code == "JSON_PARSER_ERROR":
            # A value of the wrong type is found while the body is read: it spoils the whole call.
            raise
        return {"success": False, "errors": [error.as_row()]}


class _RolledBackError(Exception):
    """Leaves the transaction of an all-or-none call."""


def _rolled_back() -> Result:
    error = ApiError(400, "ALL_OR_NONE_OPERATION_ROLLED_BACK", ROLLED_BACK)
    return {"success": False, "errors": [error.as_row()]}


def _succeeded(record_id: str) -> Result:
    return {"id": full_id(record_id), "success": True, "errors": []}


def _rows(call: Call) -> list[Row]:
    rows = call.request.json(dict).get("records")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise bad_json("records must be a list of objects")
    _require_number(len(rows))
    for row in rows:
        if not isinstance(row.get("attributes"), dict) or "type" not in row["attributes"]:
            raise ApiError(400, "INVALID_INPUT", "Every record needs attributes with its type")
    return rows


def _require_number(count: int) -> None:
    if count > MAX_ROWS:
        words = f"record limit reached. cannot submit more than {MAX_ROWS} records in this type of operation"
        raise ApiError(400, "EXCEEDED_ID_LIMIT", words)


def _type_of(row: Mapping[str, Any]) -> str:
    return str(row["attributes"]["type"])


def _seen_type(call: Call, row: Mapping[str, Any]) -> SObject:
    return call.org.seen(_type_of(row))


def _id_of(row: Mapping[str, Any]) -> str | None:
    record_id = row.get("id") or row.get("Id")
    return record_id if isinstance(record_id, str) else None


MANY = r"composite/sobjects"
ROUTES: Routes = [
    ("POST", MANY, "collections", create),
    ("PATCH", MANY, "collections", update),
    ("DELETE", MANY, "collections", delete),
    ("GET", rf"{MANY}/(?P<object>\w+)", "collections", read),
    ("POST", rf"{MANY}/(?P<object>\w+)", "collections", read_posted),
    ("PATCH", rf"{MANY}/(?P<object>\w+)/(?P<key>\w+)", "collections", upsert),
]
