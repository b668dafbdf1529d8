"""The Task that asks a rep to work a handoff. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from crm.mapping.facts import HandoffFacts, LeadFacts
from crm.mapping.leads import map_fields
from crm.mapping.rules import Rules
from crm.mapping.values import Fields, shorten
from handoffs.package.text import write_text

SUBJECT_LENGTH = 255
DESCRIPTION_LENGTH = 32_000

TASK_STATUSES = {
    "offered": "Not Started",
    "accepted": "In Progress",
    "contacted": "In Progress",
    "qualified": "In Progress",
    "opportunity": "In Progress",
}
CLOSED_TASK_STATUS = "Completed"


def map_task(lead: LeadFacts, handoff: HandoffFacts, *, who_id: str, rules: Rules) -> Fields:
    """The fields of the Task. `who_id` is the Lead there, or the Contact that it became."""
    first_contact = handoff.package.get("first_contact") or {}
    channel = str(first_contact.get("channel") or "contact").replace("email", "e-mail").capitalize()
    company = f" ({lead.company})" if lead.company else ""
    # Once the task is done nothing about it is overdue any more.
    is_overdue = handoff.is_flagged and handoff.status in TASK_STATUSES
    overdue = "Overdue: " if is_overdue else ""
    zone = ZoneInfo(handoff.owner_time_zone)
    fields: Fields = {
        "Subject": shorten(
            f"{overdue}{channel} {lead.name}{company}: handoff from marketing", SUBJECT_LENGTH
        ),
        "WhoId": who_id,
        "Status": TASK_STATUSES.get(handoff.status, CLOSED_TASK_STATUS),
        "Priority": "High" if is_overdue or handoff.category == "A" else "Normal",
        "Description": shorten(
            describe_package(handoff.package, url=handoff.url, zone=zone), DESCRIPTION_LENGTH
        ),
    }
    if handoff.due_at is not None:
        # The day it is due where the rep works.
        fields["ActivityDate"] = handoff.due_at.astimezone(zone).date().isoformat()
    if handoff.owner_salesforce_id:
        fields["OwnerId"] = handoff.owner_salesforce_id
    return fields | map_fields(rules.sent_of_task, lead, handoff)


def describe_package(package: Mapping[str, Any], *, url: str, zone: ZoneInfo) -> str:
    """The context package as text for a rep who lives in Salesforce; unknown parts are left out."""
    return "\n\n".join(filter(None, (write_text(package, zone=zone), f"Everything else: {url}")))
