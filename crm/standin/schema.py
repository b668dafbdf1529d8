"""The objects of the stand-in's org: their fields, and what a value must be to be stored."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from .errors import ApiError

NUMERIC = {"int", "double"}
TEXTUAL = {"string", "textarea", "email", "phone", "url", "picklist"}


@dataclass(frozen=True)
class Field:
    """One field; `type` is the word that `describe` uses."""

    name: str
    type: str = "string"
    length: int = 0
    required: bool = False
    writable: bool = True
    unique: bool = False
    # May stand in an upsert's URL. Email may, without being unique: the classic source of a 300.
    upsert_key: bool = False
    values: tuple[str, ...] = ()
    refers_to: tuple[str, ...] = ()


@dataclass(frozen=True)
class SObject:
    """One object type; `prefix` begins the id of each of its records."""

    name: str
    prefix: str
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field:
        """The field of that name in any case. Raises INVALID_FIELD."""
        for field in self.fields:
            if field.name.lower() == name.lower():
                return field
        raise ApiError(
            400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {self.name}", (name,)
        )

    def upsert_field(self, name: str) -> Field:
        """The field that an upsert names in its URL. Raises NOT_FOUND when it cannot be a key."""
        for field in self.fields:
            if field.name.lower() == name.lower() and field.upsert_key:
                return field
        raise ApiError(404, "NOT_FOUND", "The requested resource does not exist")


LEAD_STATUSES = (
    "Open - Not Contacted",
    "Working - Contacted",
    "Closed - Converted",
    "Closed - Not Converted",
)
# The status that only a conversion sets.
CONVERTED_STATUS = "Closed - Converted"

SYSTEM_FIELDS = (
    Field("Id", "id", 18, writable=False),
    Field("IsDeleted", "boolean", writable=False),
    Field("CreatedDate", "datetime", writable=False),
    Field("CreatedById", "reference", 18, writable=False, refers_to=("User",)),
    Field("LastModifiedDate", "datetime", writable=False),
    Field("LastModifiedById", "reference", 18, writable=False, refers_to=("User",)),
    Field("SystemModstamp", "datetime", writable=False),
)

LEAD = SObject(
    "Lead",
    "00Q",
    (
        *SYSTEM_FIELDS,
        Field("Name", length=121, writable=False),
        Field("FirstName", length=40),
        Field("LastName", length=80, required=True),
        Field("Company", length=255, required=True),
        Field("Title", length=128),
        Field("Email", "email", 80, upsert_key=True),
        Field("Phone", "phone", 40),
        Field("Website", "url", 255),
        Field("Street", "textarea", 255),
        Field("City", length=40),
        Field("State", length=80),
        Field("PostalCode", length=20),
        Field("Country", length=80),
        Field("Industry", "picklist", 40),
        Field("LeadSource", "picklist", 40),
        Field("Rating", "picklist", 40),
        Field("NumberOfEmployees", "int"),
        Field("Description", "textarea", 32000),
        Field("Status", "picklist", 40, required=True, values=LEAD_STATUSES),
        Field("OwnerId", "reference", 18, refers_to=("User", "Group")),
        Field("IsConverted", "boolean", writable=False),
        Field("ConvertedDate", "date", writable=False),
        Field("ConvertedAccountId", "reference", 18, writable=False),
        Field("ConvertedContactId", "reference", 18, writable=False),
        Field("ConvertedOpportunityId", "reference", 18, writable=False),
        Field("MasterRecordId", "reference", 18, writable=False),
        Field("Portal_Lead_Id__c", length=36, unique=True, upsert_key=True),
        Field("Portal_Stage__c", length=40),
        Field("Portal_Score__c", "double"),
        Field("Portal_Fit__c", "double"),
        Field("Portal_Engagement__c", "double"),
        Field("Portal_Category__c", length=40),
        Field("Portal_Warmth__c", length=40),
        Field("Portal_Handoff_Status__c", length=40),
        Field("Portal_Handoff_At__c", "datetime"),
        Field("Portal_Accepted_At__c", "datetime"),
        Field("Portal_Rejected_At__c", "datetime"),
        Field("Portal_Rejection_Reason__c", length=80),
        Field("Portal_SLA_Due__c", "datetime"),
        Field("Portal_SLA_Breached__c", "boolean"),
        Field("Portal_URL__c", "url", 255),
    ),
)

TASK = SObject(
    "Task",
    "00T",
    (
        *SYSTEM_FIELDS,
        Field("Subject", length=255),
        Field("WhoId", "reference", 18, refers_to=("Lead",)),
        Field("OwnerId", "reference", 18, refers_to=("User",)),
        Field("Status", "picklist", 40),
        Field("Priority", "picklist", 40),
        Field("ActivityDate", "date"),
        Field("Description", "textarea", 32000),
        Field("Portal_Task_Id__c", length=36, unique=True, upsert_key=True),
        Field("Portal_URL__c", "url", 255),
    ),
)

USER = SObject(
    "User",
    "005",
    (
        *SYSTEM_FIELDS,
        Field("Name", length=121, writable=False),
        Field("FirstName", length=40),
        Field("LastName", length=80, required=True),
        Field("Email", "email", 128, required=True),
        Field("Username", length=80, required=True, unique=True),
        Field("IsActive", "boolean"),
    ),
)

GROUP = SObject(
    "Group",
    "00G",
    (*SYSTEM_FIELDS, Field("Name", length=40, required=True), Field("Type", "picklist", 40, required=True)),
)

LEAD_STATUS = SObject(
    "LeadStatus",
    "01J",
    (
        *SYSTEM_FIELDS,
        Field("MasterLabel", length=255),
        Field("ApiName", length=255),
        Field("IsDefault", "boolean"),
        Field("IsConverted", "boolean"),
        Field("SortOrder", "int"),
    ),
)

OBJECTS = {sobject.name.lower(): sobject for sobject in (LEAD, TASK, USER, GROUP, LEAD_STATUS)}


def sobject_named(name: str) -> SObject:
    """The object type of that name in any case. Raises NOT_FOUND, as a wrong name in a URL does."""
    try:
        return OBJECTS[name.lower()]
    except KeyError:
        raise ApiError(404, "NOT_FOUND", "The requested resource does not exist") from None


def clean_values(sobject: SObject, values: Mapping[str, Any], *, creating: bool) -> dict[str, Any]:
    """The values as they will be stored. Raises the error that Salesforce gives for the first wrong one.

    An empty string means null, as in Salesforce.
    """
    cleaned = {}
    for name, value in values.items():
        field = sobject.field(name)
        if not field.writable:
            raise ApiError(
                400,
                "INVALID_FIELD_FOR_INSERT_UPDATE",
                f"Unable to create/update fields: {field.name}. Please check the security settings of this "
                "field and verify that it is read/write for your profile or permission set.",
                (field.name,),
            )
        cleaned[field.name] = _clean_value(field, None if value == "" else value)

    missing = [
        field.name
        for field in sobject.fields
        if field.required and (creating or field.name in cleaned) and cleaned.get(field.name) is None
    ]
    if missing:
        words = f"Required fields are missing: [{', '.join(missing)}]"
        raise ApiError(400, "REQUIRED_FIELD_MISSING", words, tuple(missing))
    return cleaned


def _clean_value(field: Field, value: Any) -> Any:
    if value is None:
        return None
    if field.type == "boolean":
        return _expect(bool, field, value)
    if field.type in NUMERIC:
        return _expect(int if field.type == "int" else (int, float), field, value)
    text: str = _expect(str, field, value)
    if field.type == "datetime":
        return _clean_datetime(field, text)
    if field.type == "date":
        return _clean_date(field, text)
    if field.length and len(text) > field.length:
        words = f"{field.name}: data value too large: {text} (max length={field.length})"
        raise ApiError(400, "STRING_TOO_LONG", words, (field.name,))
    if field.type == "email" and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", text):
        words = f"{field.name}: invalid email address: {text}"
        raise ApiError(400, "INVALID_EMAIL_ADDRESS", words, (field.name,))
    if field.values and text not in field.values:
        words = f"{field.name}: bad value for restricted picklist field: {text}"
        raise ApiError(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", words, (field.name,))
    return text


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
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def describe(sobject: SObject) -> dict[str, Any]:
    """The part of `describe` that a mapping is checked against."""
    return {
        "name": sobject.name,
        "label": sobject.name,
        "keyPrefix": sobject.prefix,
        "createable": True,
        "updateable": True,
        "queryable": True,
        "fields": [_describe_field(field) for field in sobject.fields],
    }


def _describe_field(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "label": field.name.removesuffix("__c").replace("_", " "),
        "type": field.type,
        "length": field.length if field.type in TEXTUAL | {"id", "reference"} else 0,
        "nillable": not field.required,
        "createable": field.writable,
        "updateable": field.writable,
        "custom": field.name.endswith("__c"),
        "externalId": field.upsert_key and field.name.endswith("__c"),
        "idLookup": field.upsert_key or field.name == "Id",
        "unique": field.unique,
        "restrictedPicklist": bool(field.values),
        "picklistValues": [{"value": value, "label": value, "active": True} for value in field.values],
        "referenceTo": list(field.refers_to),
    }
