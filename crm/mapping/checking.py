"""Whether a field there can hold what a rule sends it, in words for whoever keeps the mapping. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from crm.mapping.catalogue import Kind
from crm.mapping.rules import FieldRule
from crm.mapping.values import TEXTUAL

NUMERIC = {"int", "double", "long", "currency", "percent"}
# What `describe` calls the fields that hold a value of a kind.
HOLDS: Mapping[Kind, set[str]] = {
    Kind.TEXT: TEXTUAL,
    Kind.CHOICE: TEXTUAL,
    Kind.EMAIL: {"email", "string", "textarea"},
    Kind.PHONE: {"phone", "string", "textarea"},
    Kind.LINK: {"url", "string", "textarea"},
    Kind.NUMBER: NUMERIC | {"string", "textarea"},
    Kind.MOMENT: {"datetime", "date", "string", "textarea"},
    Kind.YES_NO: {"boolean"},
}
# Not shortened, as half of one is wrong: the field must be as long as Salesforce's own.
WHOLE = {Kind.EMAIL: 80, Kind.PHONE: 40, Kind.LINK: 255}
KIND_WORDS = {
    Kind.TEXT: "text",
    Kind.CHOICE: "a choice",
    Kind.EMAIL: "an e-mail address",
    Kind.PHONE: "a telephone number",
    Kind.LINK: "a link",
    Kind.NUMBER: "a number",
    Kind.MOMENT: "a date and time",
    Kind.YES_NO: "yes or no",
}
TYPE_WORDS = {
    "string": "text",
    "textarea": "long text",
    "picklist": "picklist",
    "multipicklist": "multi-select picklist",
    "combobox": "picklist",
    "double": "number",
    "int": "whole number",
    "datetime": "date and time",
    "boolean": "checkbox",
    "reference": "lookup",
    "url": "link",
    "email": "e-mail",
    "phone": "phone",
}
VALUES_NAMED = 3


@dataclass(frozen=True)
class RemoteField:
    """A field as `describe` shows it to our user. `values` are those of a restricted picklist, else None;
    `max_length` is None where Salesforce counts no characters."""

    name: str
    label: str
    type: str
    max_length: int | None
    is_writable: bool
    is_unique_key: bool
    values: tuple[str, ...] | None

    @classmethod
    def read(cls, described: Mapping[str, Any]) -> RemoteField:
        values = tuple(
            one["value"] for one in described.get("picklistValues") or () if one.get("active", True)
        )
        return cls(
            name=described["name"],
            label=described.get("label") or described["name"],
            type=described["type"],
            max_length=described.get("length") or None,
            is_writable=bool(described.get("createable") and described.get("updateable")),
            is_unique_key=bool(described.get("externalId") and described.get("unique")),
            values=values if described.get("restrictedPicklist") else None,
        )

    @property
    def type_in_words(self) -> str:
        words = TYPE_WORDS.get(self.type, self.type)
        return f"{words} of {self.max_length:,}" if self.max_length and self.type in TEXTUAL else words


def find_problem(rule: FieldRule, remote: RemoteField | None, *, said: Collection[str] = ()) -> str:
    """What keeps the field from being exchanged by this rule, and how to mend it; blank: nothing.

    `said` are values that the portal sends; only a restricted picklist asks for them.
    """
    if not (rule.is_sent or rule.is_read):
        return ""
    if remote is None:
        return (
            f"{rule.object_name} has no field {rule.salesforce_field}, or our user may not see it. Deploy "
            "the project in salesforce/ and give our user its permission set, or map another field."
        )
    if rule.is_sent and not remote.is_writable:
        return (
            f"Our user may not edit “{remote.label}”. Grant it in the permission set, or only read the field."
        )
    return _unfit(rule, remote) or (_unknown_values(remote, said) if rule.is_sent else "")


def _unfit(rule: FieldRule, remote: RemoteField) -> str:
    portal = rule.portal
    if remote.type not in HOLDS[portal.kind]:
        return (
            f"“{portal.label}” is {KIND_WORDS[portal.kind]}, and “{remote.label}” is of the type "
            f"{TYPE_WORDS.get(remote.type, remote.type)}. Map a field that can hold it."
        )
    needed = WHOLE.get(portal.kind, 0)
    if rule.is_sent and remote.max_length is not None and remote.max_length < needed:
        return (
            f"“{remote.label}” holds {remote.max_length} characters; longer values are refused, not cut. "
            f"Lengthen it to {needed}."
        )
    return ""


def _unknown_values(remote: RemoteField, said: Collection[str]) -> str:
    unknown = [] if remote.values is None else sorted(set(said) - set(remote.values))
    if not unknown:
        return ""
    more = len(unknown) - VALUES_NAMED
    named = ", ".join(f"“{value}”" for value in unknown[:VALUES_NAMED]) + (
        f" and {more} more" if more > 0 else ""
    )
    return f"The picklist “{remote.label}” does not take {named}. Add them there, or lift its restriction."
