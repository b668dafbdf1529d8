"""What the forms of a record do, as a person in Salesforce would: by Sam Seller, without assignment rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from crm.standin.conversion import convert_lead, merge_leads
from crm.standin.errors import ApiError
from crm.standin.fields import NUMERIC, Field
from crm.standin.org import Caller
from crm.standin.schema import sobject_named

from . import record as records
from . import values

if TYPE_CHECKING:
    from crm.standin.server import StandIn

Parts = Mapping[str, str]
Form = Mapping[str, str]


def edit_record(standin: StandIn, parts: Parts, form: Form) -> str:
    """Write what differs, and only that. Raises ApiError as the API would."""
    record = records.find_record(standin, parts["id"])
    sobject = sobject_named(record["attributes"]["type"])
    # An unticked box is not sent, other fields are left alone when they are missing.
    wanted = {
        field.name: _read(field, form.get(field.name, ""))
        for field in records.editable_fields(sobject)
        if field.name in form or (field.type == "boolean" and "boxes" in form)
    }
    changes = {name: value for name, value in wanted.items() if value != record.get(name)}
    if not changes:
        return _page(record, "unchanged")
    standin.org.update(sobject, record["Id"], changes, caller=_person(standin))
    return _page(record, "saved")


def convert(standin: StandIn, parts: Parts, form: Form) -> str:
    record = records.find_record(standin, parts["id"])
    amount = form.get("amount", "").strip()
    convert_lead(
        standin.org,
        record["Id"],
        by=standin.org.sales_user_id,
        owner_id=form.get("owner") or None,
        with_opportunity="opportunity" in form,
        opportunity_name=form.get("name", "").strip() or None,
        amount=_number("Amount", amount) if amount else None,
    )
    return _page(record, "converted")


def merge(standin: StandIn, parts: Parts, form: Form) -> str:
    record = records.find_record(standin, parts["id"])
    merge_leads(standin.org, record["Id"], [form.get("other", "")], by=standin.org.sales_user_id)
    return _page(record, "merged")


def delete_record(standin: StandIn, parts: Parts, form: Form) -> str:
    record = records.find_record(standin, parts["id"])
    sobject = sobject_named(record["attributes"]["type"])
    standin.org.delete(sobject, record["Id"], caller=_person(standin))
    return _page(record, "deleted")


def undelete_record(standin: StandIn, parts: Parts, form: Form) -> str:
    record = records.find_record(standin, parts["id"])
    sobject = sobject_named(record["attributes"]["type"])
    standin.org.undelete(sobject, record["Id"], caller=_person(standin))
    return _page(record, "undeleted")


def _person(standin: StandIn) -> Caller:
    return Caller(standin.org.sales_user_id, auto_assign=False, saves_duplicates=True)


def _page(record: Mapping[str, Any], done: str) -> str:
    return f"/{record['Id']}?done={done}"


def _read(field: Field, text: str) -> Any:
    text = text.strip().replace("\r\n", "\n")
    if field.type == "boolean":
        return bool(text)
    if not text:
        return None
    return _number(values.label(field), text) if field.type in NUMERIC else text


def _number(label: str, text: str) -> int | float:
    try:
        number = float(text)
    except ValueError:
        raise ApiError(400, "JSON_PARSER_ERROR", f"{label} must be a number.") from None
    return int(number) if number.is_integer() else number
