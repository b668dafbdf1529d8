"""What a value must be to be stored, and how it is stored."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from .errors import ApiError
from .fields import NUMERIC, Field, SObject
from .ids import full_id

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
# Salesforce keeps 18 digits of a number.
LARGEST_NUMBER = 10**18


def clean_values(sobject: SObject, values: Mapping[str, Any], *, creating: bool) -> dict[str, Any]:
    """The values as they will be stored. Raises the error that Salesforce gives for the first wrong one.

    An empty string means null, as in Salesforce.
    """
    cleaned: dict[str, Any] = {}
    for name, value in values.items():
        field = sobject.field(name)
        if not field.writable or (field.create_only and not creating):
            raise ApiError(
                400,
                "INVALID_FIELD_FOR_INSERT_UPDATE",
                f"Unable to create/update fields: {field.name}. Please check the security settings of this "
                "field and verify that it is read/write for your profile or permission set.",
                (field.name,),
            )
        cleaned[field.name] = None if value is None or value == "" else _clean_value(field, value)
    _require(sobject, cleaned, creating=creating)
    return cleaned


def _require(sobject: SObject, cleaned: Mapping[str, Any], *, creating: bool) -> None:
    missing = [
        field.name
        for field in sobject.fields
        if field.required and (creating or field.name in cleaned) and cleaned.get(field.name) is None
    ]
    if missing:
        words = f"Required fields are missing: [{', '.join(missing)}]"
        raise ApiError(400, "REQUIRED_FIELD_MISSING", words, tuple(missing))


def _clean_value(field: Field, value: Any) -> Any:
    if field.type == "boolean":
        return _expect(bool, field, value)
    if field.type in NUMERIC:
        return _clean_number(field, value)
    text: str = _expect(str, field, value)
    if field.type == "datetime":
        return _clean_datetime(field, text)
    if field.type == "date":
        return _clean_date(field, text)
    text = text.strip()
    if field.type == "reference":
        return full_id(text)
    if field.length and len(text) > field.length:
        words = f"{field.name}: data value too large: {text} (max length={field.length})"
        raise ApiError(400, "STRING_TOO_LONG", words, (field.name,))
    if field.type == "email" and not EMAIL.fullmatch(text):
        words = f"{field.name}: invalid email address: {text}"
        raise ApiError(400, "INVALID_EMAIL_ADDRESS", words, (field.name,))
    if field.values and field.restricted and text not in field.values:
        words = f"{field.name}: bad value for restricted picklist field: {text}"
        raise ApiError(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", words, (field.name,))
    return text or None


def _clean_number(field: Field, value: Any) -> Any:
    number = _expect(int if field.type == "int" else (int, float), field, value)
    if not math.isfinite(number) or abs(number) >= LARGEST_NUMBER:
        words = f"{field.name}: value outside of valid range: {value}"
        raise ApiError(400, "NUMBER_OUTSIDE_VALID_RANGE", words, (field.name,))
    return number


def _expect(kind: Any, field: Field, value: Any) -> Any:
    # bool is an int in Python and is not a number in JSON.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        words = f"Cannot deserialize instance of {field.type} from value {value!r} for field {field.name}"
        raise ApiError(400, "JSON_PARSER_ERROR", words, (field.name,))
    return value


def _clean_datetime(field: Field, text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        words = f"Cannot deserialize instance of datetime from VALUE_STRING value {text}"
        raise ApiError(400, "JSON_PARSER_ERROR", words, (field.name,)) from None
    return stamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _clean_date(field: Field, text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        words = f"Cannot deserialize instance of date from VALUE_STRING value {text}"
        raise ApiError(400, "JSON_PARSER_ERROR", words, (field.name,)) from None


def stamp(moment: datetime) -> str:
    """A moment as Salesforce writes it: UTC, second-precise, no colon in the offset."""
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}.000+0000"
