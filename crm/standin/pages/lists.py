"""The records of one type, the last changed first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from crm.standin.fields import SObject
from crm.standin.schema import sobject_named

from . import values

if TYPE_CHECKING:
    from crm.standin.server import StandIn

ROWS = 50
# The objects that have a list, and what it shows besides the name.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "Lead": (
        "Company",
        "Status",
        "OwnerId",
        "Portal_Category__c",
        "Portal_Score__c",
        "Portal_Handoff_Status__c",
        "Portal_SLA_Breached__c",
    ),
    "Task": ("WhoId", "OwnerId", "Status", "Priority", "TaskSubtype", "ActivityDate"),
    "Contact": ("AccountId", "Title", "Email", "OwnerId"),
    "Account": ("Type", "Website", "Industry", "OwnerId"),
    "Opportunity": ("AccountId", "StageName", "Amount", "CloseDate", "OwnerId"),
    "Campaign": ("Status", "IsActive"),
    "CampaignMember": ("CampaignId", "LeadId", "ContactId", "Status"),
    "User": ("Email", "IsActive"),
    "Group": ("Type",),
}


def show_leads(
    standin: StandIn, parts: Mapping[str, str], query: Mapping[str, str]
) -> tuple[str, dict[str, Any]]:
    return show_list(standin, {"object": "Lead"}, query)


def show_list(
    standin: StandIn, parts: Mapping[str, str], query: Mapping[str, str]
) -> tuple[str, dict[str, Any]]:
    """`?q=` narrows the list, `?bin=1` shows what was deleted. Raises NOT_FOUND for an unknown type."""
    sobject = sobject_named(parts["object"])
    words, in_bin = query.get("q", "").strip(), "bin" in query
    page = int(query["page"]) if query.get("page", "").isdecimal() else 1
    found, rows = _search(standin, sobject, words, in_bin=in_bin, page=page)
    columns = [sobject.field(name) for name in COLUMNS.get(sobject.name, ())]
    last = max(1, -(-found // ROWS))
    return "list", {
        "title": values.plural(sobject.name),
        "object": sobject.name,
        "columns": [values.label(field) for field in columns],
        "rows": [
            {
                "id": row["Id"],
                "name": values.name_of(row),
                "cells": [values.shown(standin, field, row.get(field.name)) for field in columns],
                "changed": values.moment(row.get("SystemModstamp") or row["CreatedDate"]),
            }
            for row in rows
        ],
        "found": found,
        "first": (page - 1) * ROWS + 1,
        "last_shown": (page - 1) * ROWS + len(rows),
        "newer": page - 1 if page > 1 else None,
        "older": page + 1 if page < last else None,
        "q": words,
        "in_bin": in_bin,
    }


def _search(
    standin: StandIn, sobject: SObject, words: str, *, in_bin: bool, page: int
) -> tuple[int, list[dict[str, Any]]]:
    where, params = "object = ? AND is_deleted = ?", [sobject.name, in_bin]
    if words:
        where += " AND doc LIKE ? ESCAPE '!'"
        params.append(f"%{_escaped(words)}%")
    found = standin.store.rows(f"SELECT count(*) FROM record WHERE {where}", tuple(params))[0][0]
    rows = standin.store.rows(
        f"SELECT doc FROM record WHERE {where} ORDER BY stamp DESC, id DESC LIMIT ? OFFSET ?",
        (*params, ROWS, (page - 1) * ROWS),
    )
    return found, [values.parse(row["doc"]) for row in rows]


def _escaped(words: str) -> str:
    for char in "!%_":
        words = words.replace(char, f"!{char}")
    return words


def counted(standin: StandIn) -> list[dict[str, Any]]:
    """The objects that have a list, with how many records there are of each."""
    rows = standin.store.rows("SELECT object, count(*) FROM record WHERE is_deleted = 0 GROUP BY object")
    counts = {row[0]: row[1] for row in rows}
    return [{"name": name, "plural": values.plural(name), "count": counts.get(name, 0)} for name in COLUMNS]
