"""One record: its fields, what belongs to it, and what a person in Salesforce could do with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from crm.standin.errors import not_found
from crm.standin.fields import Field, SObject
from crm.standin.schema import CONVERTED_STATUS, GROUP, LEAD, OBJECTS, USER, sobject_named

from . import values

if TYPE_CHECKING:
    from crm.standin.server import StandIn

# What a person may change here; of the portal's fields, none.
EDITABLE: Mapping[str, tuple[str, ...]] = {
    "Lead": (
        "FirstName",
        "LastName",
        "Company",
        "Title",
        "Email",
        "Phone",
        "Website",
        "Country",
        "Industry",
        "NumberOfEmployees",
        "LeadSource",
        "Status",
        "OwnerId",
        "HasOptedOutOfEmail",
    ),
    "Task": ("Subject", "Status", "Priority", "ActivityDate", "OwnerId"),
    "Contact": ("FirstName", "LastName", "Title", "Email", "Phone", "OwnerId"),
    "Account": ("Name", "Website", "Type", "Industry", "OwnerId"),
    "Opportunity": ("Name", "StageName", "Amount", "CloseDate", "OwnerId"),
    "Campaign": ("Name", "Status", "IsActive"),
    "User": ("FirstName", "LastName", "Email", "IsActive"),
}
INPUTS = {"int": "number", "double": "number", "currency": "number", "date": "date", "email": "email"}
SYSTEM = {"IsDeleted", "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp"}
RELATED_SHOWN = 50
OTHERS_OFFERED = 200


def show_record(
    standin: StandIn, parts: Mapping[str, str], query: Mapping[str, str]
) -> tuple[str, dict[str, Any]]:
    """Raises NOT_FOUND."""
    record = find_record(standin, parts["id"])
    sobject = sobject_named(record["attributes"]["type"])
    is_lead = sobject.name == LEAD.name
    is_live = not record["IsDeleted"]
    return "record", {
        "record": record,
        "title": values.name_of(record),
        "object": sobject.name,
        "plural": values.plural(sobject.name),
        "groups": _groups(standin, sobject, record),
        "related": list(_related(standin, record)),
        "inputs": _inputs(standin, sobject, record) if is_live and not record.get("IsConverted") else [],
        "is_open_lead": is_lead and is_live and not record["IsConverted"],
        "users": owners(standin, USER.name) if is_lead else [],
        "others": _other_leads(standin, record) if is_lead else [],
        "master": record.get("MasterRecordId"),
    }


def find_record(standin: StandIn, record_id: str) -> dict[str, Any]:
    """A record of any type, deleted ones too. Raises NOT_FOUND."""
    record = standin.store.get(record_id)
    if record is None:
        raise not_found()
    return record


def editable_fields(sobject: SObject) -> list[Field]:
    return [sobject.field(name) for name in EDITABLE.get(sobject.name, ())]


def owners(standin: StandIn, *object_names: str) -> list[dict[str, Any]]:
    """Who may own records, by name."""
    everyone = (one for name in object_names for one in standin.store.all(name))
    able = [one for one in everyone if one.get("IsActive") is not False]
    return sorted(able, key=lambda one: str(one["Name"]))


def _groups(standin: StandIn, sobject: SObject, record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every field in three groups, those of Salesforce's own doing last: its value, or that it has none."""
    own = [field for field in sobject.fields if not field.is_custom and field.name not in SYSTEM]
    groups = {
        "Details": own,
        "From the portal": [field for field in sobject.fields if field.is_custom],
        "System": [field for field in sobject.fields if field.name in SYSTEM],
    }
    return [
        {
            "title": title,
            "fields": [
                (values.label(field), field.name, values.shown(standin, field, record[field.name]))
                for field in fields
                if not _is_blank(record, field)
            ],
            "blank": [values.label(field) for field in fields if _is_blank(record, field)],
        }
        for title, fields in groups.items()
        if fields
    ]


def _is_blank(record: Mapping[str, Any], field: Field) -> bool:
    return record.get(field.name) in (None, "")


def _related(standin: StandIn, record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The records that point to this one by a field that Salesforce looks records up by."""
    kind = record["attributes"]["type"]
    lists = []
    for sobject in OBJECTS.values():
        for field in sobject.fields:
            if not field.is_looked_up or kind not in field.refers_to:
                continue
            found = standin.store.find(sobject.name, field.name, record["Id"])
            if found:
                rows = sorted(found, key=lambda one: (one["CreatedDate"], one["Id"]), reverse=True)
                lists.append(_related_list(sobject, rows))
    return lists


def _related_list(sobject: SObject, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "title": values.plural(sobject.name) if sobject.name != "LeadHistory" else "History",
        "count": len(rows),
        "rows": [
            {
                "id": row["Id"],
                "name": values.name_of(row),
                "about": _about(row),
                "at": values.moment(row["CreatedDate"]),
            }
            for row in rows[:RELATED_SHOWN]
        ],
    }


def _about(row: Mapping[str, Any]) -> str:
    """What there is to say of a related record, in one line."""
    if row["attributes"]["type"] == "LeadHistory":
        was, became = row["OldValue"] or "nothing", row["NewValue"] or "nothing"
        return f"{row['Field']}: {was} → {became}" if row["OldValue"] or row["NewValue"] else row["Field"]
    told = (row.get(name) for name in ("Status", "StageName", "Email", "ActivityDate"))
    return " · ".join(str(one) for one in told if one)


def _inputs(standin: StandIn, sobject: SObject, record: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": field.name,
            "label": values.label(field),
            "type": "checkbox" if field.type == "boolean" else INPUTS.get(field.type, "text"),
            "value": record.get(field.name),
            "length": field.length or None,
            "is_required": field.required,
            "options": _options(standin, field, record.get(field.name)),
        }
        for field in editable_fields(sobject)
    ]


def _options(standin: StandIn, field: Field, value: Any) -> list[tuple[str, str]]:
    """What may be chosen, as value and text; none for what is typed."""
    if field.refers_to:
        names = (USER.name, GROUP.name) if GROUP.name in field.refers_to else (USER.name,)
        return [(one["Id"], one["Name"]) for one in owners(standin, *names)]
    if not field.values:
        return []
    offered = [one for one in field.values if one != CONVERTED_STATUS]
    if value and value not in offered:
        offered.append(value)
    return [(one, one) for one in ([] if field.required else [""]) + offered]


def _other_leads(standin: StandIn, record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Leads that might be the same person: those changed last, of the same company first."""
    leads = standin.store.rows(
        "SELECT doc FROM record WHERE object = ? AND is_deleted = 0 AND id != ? "
        "ORDER BY json_extract(doc, '$.Company') = ? DESC, stamp DESC LIMIT ?",
        (LEAD.name, record["Id"], record["Company"], OTHERS_OFFERED),
    )
    parsed = [values.parse(row["doc"]) for row in leads]
    return [lead for lead in parsed if not lead["IsConverted"]]
