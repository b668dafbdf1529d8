"""The completed Task that stands for an attempt to reach a lead. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from crm.mapping.facts import LeadFacts
from crm.mapping.tasks import CLOSED_TASK_STATUS, DESCRIPTION_LENGTH, SUBJECT_LENGTH
from crm.mapping.values import Fields, shorten

# Salesforce knows these two by an icon of their own; everything else is a plain task.
SUBTYPES = {"call": "Call", "email": "Email"}


@dataclass(frozen=True)
class AttemptFacts:
    """One attempt as Salesforce shall know it. An attempt never changes."""

    public_id: str
    channel: str
    channel_label: str
    outcome_label: str
    at: datetime
    note: str = ""
    owner_salesforce_id: str = ""
    owner_time_zone: str = "UTC"


def attempt_public_id(handoff_public_id: UUID, attempt_id: int) -> str:
    """The key of an attempt's Task: the same whenever it is sent."""
    return str(uuid5(handoff_public_id, str(attempt_id)))


def map_attempt(lead: LeadFacts, attempt: AttemptFacts, *, who_id: str) -> Fields:
    """The fields of the Task. `who_id` is the Lead there, or the Contact that it became."""
    fields: Fields = {
        "Subject": shorten(
            f"{attempt.channel_label}: {attempt.outcome_label.lower()} ({lead.name})", SUBJECT_LENGTH
        ),
        "WhoId": who_id,
        "Status": CLOSED_TASK_STATUS,
        "Priority": "Normal",
        "TaskSubtype": SUBTYPES.get(attempt.channel, "Task"),
        # The day it was made where the rep works.
        "ActivityDate": attempt.at.astimezone(ZoneInfo(attempt.owner_time_zone)).date().isoformat(),
    }
    if attempt.note:
        fields["Description"] = shorten(attempt.note, DESCRIPTION_LENGTH)
    if attempt.owner_salesforce_id:
        fields["OwnerId"] = attempt.owner_salesforce_id
    return fields
