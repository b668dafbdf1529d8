"""The part of `describe` that a mapping is checked against."""

from typing import Any

from .fields import TEXTUAL, Field, SObject


def describe(sobject: SObject) -> dict[str, Any]:
    return {
        **summary(sobject),
        "fields": [_describe_field(field) for field in sobject.fields],
    }


def summary(sobject: SObject) -> dict[str, Any]:
    """An object as the list of all objects shows it."""
    return {
        "name": sobject.name,
        "label": sobject.name,
        "keyPrefix": sobject.prefix,
        "createable": sobject.createable,
        "updateable": sobject.updateable,
        "deletable": sobject.updateable,
        "queryable": True,
        "retrieveable": True,
        "custom": sobject.name.endswith("__c"),
    }


def _describe_field(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "label": field.name.removesuffix("__c").replace("_", " "),
        "type": field.type,
        "length": field.length if field.type in TEXTUAL | {"id", "reference"} else 0,
        "nillable": not field.required,
        "createable": field.writable,
        "updateable": field.writable and not field.create_only,
        "custom": field.is_custom,
        "externalId": field.upsert_key and field.is_custom,
        "idLookup": field.upsert_key or field.name == "Id",
        "unique": field.unique,
        "filterable": not field.is_long,
        "restrictedPicklist": bool(field.values) and field.restricted,
        "picklistValues": [{"value": value, "label": value, "active": True} for value in field.values],
        "referenceTo": list(field.refers_to),
        "relationshipName": relation_of(field),
    }


def relation_of(field: Field) -> str | None:
    """The name under which a query follows a link: Owner for OwnerId, Parent__r for Parent__c."""
    if field.type != "reference":
        return None
    return f"{field.name[:-3]}__r" if field.is_custom else field.name.removesuffix("Id")
