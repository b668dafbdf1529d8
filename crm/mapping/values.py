"""Values in one form, so that both sides' are compared as Salesforce stores them. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from common.errors import InvalidInput
from crm.mapping.catalogue import Kind
from crm.mapping.rules import FieldRule

Value = str | int | bool | None
Fields = dict[str, Any]

# What `describe` calls the fields that hold any text.
TEXTUAL = {"string", "textarea", "picklist", "combobox"}


def as_stored(value: object, rule: FieldRule) -> Value:
    """The value as Salesforce keeps it, be it ours or theirs: None for a blank.

    Trimmed; texts cut to what both sides hold; addresses in lower case; moments in UTC, to the second;
    numbers whole, as ours are. What cannot be read as its kind is left as the text it is.
    """
    kind = rule.portal.kind
    if kind is Kind.YES_NO:
        return True if value in (True, "true") else None
    if isinstance(value, str):
        value = value.strip().replace("\r\n", "\n")
    if value is None or value == "" or value == rule.portal.stand_in:
        return None
    if kind is Kind.MOMENT:
        return _moment(value, rule)
    if kind is Kind.NUMBER:
        return _number(value, rule)
    text = str(value)
    if kind is Kind.EMAIL:
        return text.lower()
    return _shortened_for(text, rule) if kind is Kind.TEXT else text


def as_sent(stored: Value, rule: FieldRule) -> Value:
    """What a request says for it: a blank has its own word in some fields."""
    if stored is not None:
        return stored
    if rule.portal.kind is Kind.YES_NO:
        return False
    return rule.portal.stand_in or None


def as_kept(stored: Value, rule: FieldRule) -> str | int | bool | None:
    """What the portal writes for a value taken over. Raises InvalidInput for text where a number must be."""
    kind = rule.portal.kind
    if kind is Kind.YES_NO:
        return bool(stored)
    if kind is not Kind.NUMBER:
        return "" if stored is None else str(stored)
    try:
        return None if stored is None else int(stored)
    except ValueError:
        raise InvalidInput(
            f"Salesforce holds a text in {rule.salesforce_field} where a number is needed.",
            field=rule.portal_field,
        ) from None


def shorten(text: str, limit: int | None) -> str:
    """Cut to so many characters, so that it is seen to be cut."""
    return text if limit is None or len(text) <= limit else f"{text[: limit - 1].rstrip()}…"


def write_moment(at: datetime) -> str:
    """ISO 8601 in UTC, to the second: Salesforce keeps no more."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(value: object, rule: FieldRule) -> Value:
    at = value if isinstance(value, datetime) else _read_moment(str(value))
    if at is None:
        return str(value)
    return at.astimezone(UTC).date().isoformat() if rule.remote_type == "date" else write_moment(at)


def _read_moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _number(value: object, rule: FieldRule) -> Value:
    try:
        number = round(float(str(value)))
    except (ValueError, OverflowError):
        return str(value)
    return str(number) if rule.remote_type in TEXTUAL else number


def _shortened_for(text: str, rule: FieldRule) -> str:
    limits = [limit for limit in (rule.max_length, rule.portal.max_length) if limit]
    return shorten(text, min(limits, default=None))
