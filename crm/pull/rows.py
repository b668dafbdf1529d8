"""Rows of Salesforce as they come: which columns are asked for, and what they say."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from crm.mapping import LEAD_KEY, FieldRule, Rules

# What is asked of every lead, whatever the mapping says.
COLUMNS = (
    "Id",
    LEAD_KEY,
    "Status",
    "OwnerId",
    "Owner.Name",
    "Owner.Type",
    "IsConverted",
    "ConvertedDate",
    "ConvertedAccountId",
    "ConvertedContactId",
    "ConvertedOpportunityId",
    "SystemModstamp",
)
USER = "User"


@dataclass(frozen=True)
class RemoteLead:
    """A Lead as Salesforce has it. `values` are the fields that the mapping reads, by their names there."""

    salesforce_id: str
    public_id: UUID | None
    status: str
    owner_id: str
    owner_name: str
    owner_is_person: bool
    is_converted: bool
    converted_on: date | None
    account_id: str
    contact_id: str
    opportunity_id: str
    values: Mapping[str, Any]
    stamp: datetime
    digest: str
    asked_at: datetime | None
    """A time before which it cannot have been read, by Salesforce's clock."""


def columns_of(rules: Rules) -> list[str]:
    """The columns that are asked for, each once: Salesforce refuses a field that is named twice."""
    known = {column.lower() for column in COLUMNS}
    mapped = [rule.salesforce_field for rule in rules_taken(rules)]
    return [*COLUMNS, *(name for name in mapped if name.lower() not in known)]


def rules_taken(rules: Rules) -> tuple[FieldRule, ...]:
    """The fields of the lead that come back, and that the portal has a place for."""
    return tuple(rule for rule in rules.read_of_lead if rule.portal.target is not None)


def read_row(row: Mapping[str, Any], *, rules: Rules, asked_at: datetime | None) -> RemoteLead:
    """What a row says. Raises KeyError, ValueError or TypeError for one of the wrong shape."""
    owner = row.get("Owner") or {}
    return RemoteLead(
        salesforce_id=row["Id"],
        public_id=_uuid(row[LEAD_KEY]),
        status=row["Status"] or "",
        owner_id=row["OwnerId"] or "",
        owner_name=(owner.get("Name") or "")[:121],
        owner_is_person=owner.get("Type", USER) == USER,
        is_converted=row["IsConverted"],
        converted_on=date.fromisoformat(row["ConvertedDate"]) if row["ConvertedDate"] else None,
        account_id=row["ConvertedAccountId"] or "",
        contact_id=row["ConvertedContactId"] or "",
        opportunity_id=row["ConvertedOpportunityId"] or "",
        values={rule.salesforce_field: row.get(rule.salesforce_field) for rule in rules_taken(rules)},
        stamp=datetime.fromisoformat(row["SystemModstamp"]),
        digest=_digest(row),
        asked_at=asked_at,
    )


def id_of(row: Mapping[str, Any]) -> str:
    """The id of a row of any shape, to name it by."""
    return str(row.get("Id") or "without an id")[:18]


def _digest(row: Mapping[str, Any]) -> str:
    """What it says but for when: a mapping that reads one field more makes it another one."""
    said = {name: value for name, value in row.items() if name not in ("attributes", "SystemModstamp")}
    text = json.dumps(said, sort_keys=True)
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _uuid(text: str) -> UUID | None:
    """Anybody with the permission may type into the field over there."""
    try:
        return UUID(text)
    except ValueError:
        return None
