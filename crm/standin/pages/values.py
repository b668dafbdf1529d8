"""Records in words: what a field is called, and how its value is shown and linked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crm.standin.fields import Field

if TYPE_CHECKING:
    from crm.standin.server import StandIn

PLURALS = {"Opportunity": "Opportunities", "CampaignMember": "Campaign members", "Group": "Queues"}
PARTS_OF_A_NAME = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True)
class Shown:
    """A value as text; `record` is the id of the record that it names."""

    text: str
    record: str = ""
    url: str = ""


def parse(doc: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(doc)
    return record


def plural(object_name: str) -> str:
    return PLURALS.get(object_name, f"{object_name}s")


def label(field: Field) -> str:
    """`LeadSource` is "Lead source", `Portal_SLA_Due__c` is "SLA due"."""
    name = field.name.removeprefix("Portal_").removesuffix("__c")
    if field.refers_to:
        name = name.removesuffix("Id")
    words = " ".join(PARTS_OF_A_NAME.split(name.replace("_", " "))).split()
    return " ".join([words[0], *(word if word.isupper() else word.lower() for word in words[1:])])


def name_of(record: Mapping[str, Any]) -> str:
    """What people call a record: most have a name, some a subject, some neither."""
    for field in ("Name", "Subject", "MasterLabel"):
        if record.get(field):
            return str(record[field])
    return str(record["Id"])


def shown(standin: StandIn, field: Field, value: Any) -> Shown:
    if value is None or value == "":
        return Shown("–")
    if field.refers_to:
        record = standin.store.get(value)
        return Shown(name_of(record), record["Id"]) if record else Shown(str(value))
    match field.type:
        case "boolean":
            return Shown("Yes" if value else "No")
        case "datetime":
            return Shown(moment(value))
        case "int" | "double" | "currency" | "percent":
            return Shown(f"{value:,}".removesuffix(".0"))
        case "url" if str(value).startswith(("http://", "https://")):
            return Shown(str(value), url=str(value))
    return Shown(str(value))


def moment(text: str) -> str:
    """A stamp of Salesforce without what it never says: `2026-03-03 12:00:00`, in UTC."""
    return f"{text[:10]} {text[11:19]}"
