"""What Salesforce is told about a lead and its handoff. Pure: plain values in, fields out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from handoffs.package.text import write_text

LEAD_KEY = "Portal_Lead_Id__c"
TASK_KEY = "Portal_Task_Id__c"

# Salesforce requires both on a lead; this is what its own web forms write when they are unknown.
NOT_PROVIDED = "[not provided]"
# Free text is shortened to fit. Addresses, numbers and links are not: half of one is wrong, so Salesforce
# refuses it and a person sees why.
SHORTENED = {
    "FirstName": 40,
    "LastName": 80,
    "Company": 255,
    "Title": 128,
    "Country": 80,
    "Industry": 40,
    "LeadSource": 40,
    "Portal_Rejection_Reason__c": 80,
    "Subject": 255,
    "Description": 32_000,
}
TASK_STATUSES = {
    "offered": "Not Started",
    "accepted": "In Progress",
    "contacted": "In Progress",
    "qualified": "In Progress",
    "opportunity": "In Progress",
}
CLOSED_TASK_STATUS = "Completed"

Fields = dict[str, Any]


@dataclass(frozen=True)
class ScoreFacts:
    total: int
    fit: int
    engagement: int
    category: str
    warmth: str


@dataclass(frozen=True)
class HandoffFacts:
    """One handoff as Salesforce shall know it; `due_at` is the next deadline that is running."""

    public_id: str
    status: str
    category: str
    url: str
    created_at: datetime
    accepted_at: datetime | None = None
    closed_at: datetime | None = None
    rejection_reason: str = ""
    due_at: datetime | None = None
    is_breached: bool = False
    is_flagged: bool = False
    """So late that the task says so."""
    owner_salesforce_id: str = ""
    owner_time_zone: str = "UTC"
    package: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LeadFacts:
    """One lead as Salesforce shall know it. Blank means unknown."""

    public_id: str
    stage: str
    url: str
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    title: str = ""
    phone: str = ""
    website: str = ""
    country: str = ""
    company: str = ""
    industry: str = ""
    employee_count: int | None = None
    source: str = ""
    owner_salesforce_id: str = ""
    score: ScoreFacts | None = None
    handoff: HandoffFacts | None = None

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip() or self.email


def map_lead(lead: LeadFacts, *, statuses: Mapping[str, str]) -> Fields:
    """The fields of the Lead. A blank is told only of what is ours: it never erases what a rep entered.

    `statuses` gives the Lead Status of a stage; a stage without one leaves the status alone.
    """
    described = {
        "FirstName": lead.first_name,
        "LastName": lead.last_name or NOT_PROVIDED,
        "Company": lead.company or NOT_PROVIDED,
        "Title": lead.title,
        "Email": lead.email,
        "Phone": lead.phone,
        "Website": lead.website,
        "Country": lead.country,
        "Industry": lead.industry,
        "NumberOfEmployees": lead.employee_count,
        "LeadSource": lead.source,
        "Status": statuses.get(lead.stage, ""),
        "OwnerId": lead.owner_salesforce_id,
    }
    known = {name: value for name, value in described.items() if value not in ("", None)}
    return _shortened({**known, **_map_score(lead.score), **_map_handoff(lead), "Portal_URL__c": lead.url})


def _map_score(score: ScoreFacts | None) -> Fields:
    if score is None:
        return {}
    return {
        "Portal_Score__c": score.total,
        "Portal_Fit__c": score.fit,
        "Portal_Engagement__c": score.engagement,
        "Portal_Category__c": score.category,
        "Portal_Warmth__c": score.warmth,
    }


def _map_handoff(lead: LeadFacts) -> Fields:
    handoff = lead.handoff
    fields: Fields = {"Portal_Stage__c": lead.stage}
    if handoff is None:
        return fields
    return fields | {
        "Portal_Handoff_Status__c": handoff.status,
        "Portal_Handoff_At__c": _moment(handoff.created_at),
        "Portal_Accepted_At__c": _moment(handoff.accepted_at),
        "Portal_Rejected_At__c": _moment(handoff.closed_at) if handoff.status == "rejected" else None,
        "Portal_Rejection_Reason__c": handoff.rejection_reason or None,
        "Portal_SLA_Due__c": _moment(handoff.due_at),
        "Portal_SLA_Breached__c": handoff.is_breached,
    }


def map_task(lead: LeadFacts, handoff: HandoffFacts, *, lead_salesforce_id: str) -> Fields:
    """The fields of the Task that asks the rep to work a handoff."""
    first_contact = handoff.package.get("first_contact") or {}
    channel = str(first_contact.get("channel") or "contact").replace("email", "e-mail").capitalize()
    company = f" ({lead.company})" if lead.company else ""
    # Once the task is done nothing about it is overdue any more.
    is_overdue = handoff.is_flagged and handoff.status in TASK_STATUSES
    overdue = "Overdue: " if is_overdue else ""
    fields: Fields = {
        "Subject": f"{overdue}{channel} {lead.name}{company}: handoff from marketing",
        "WhoId": lead_salesforce_id,
        "Status": TASK_STATUSES.get(handoff.status, CLOSED_TASK_STATUS),
        "Priority": "High" if is_overdue or handoff.category == "A" else "Normal",
        "Description": describe_package(
            handoff.package, url=handoff.url, zone=ZoneInfo(handoff.owner_time_zone)
        ),
        "Portal_URL__c": handoff.url,
    }
    if handoff.due_at is not None:
        # The day it is due where the rep works.
        fields["ActivityDate"] = (
            handoff.due_at.astimezone(ZoneInfo(handoff.owner_time_zone)).date().isoformat()
        )
    if handoff.owner_salesforce_id:
        fields["OwnerId"] = handoff.owner_salesforce_id
    return _shortened(fields)


def describe_package(package: Mapping[str, Any], *, url: str, zone: ZoneInfo) -> str:
    """The context package as text for a rep who lives in Salesforce; unknown parts are left out."""
    return "\n\n".join(filter(None, (write_text(package, zone=zone), f"Everything else: {url}")))


def changed_fields(wanted: Mapping[str, Any], acknowledged: Mapping[str, Any]) -> Fields:
    """What has to be sent so that Salesforce knows `wanted`. Only differences: what a rep changed there
    meanwhile stays. A blank that Salesforce was never told anything else about is no difference."""
    return {name: value for name, value in wanted.items() if acknowledged.get(name) != value}


def means_rejection(status: str, *, statuses: Mapping[str, str]) -> bool:
    """Whether a status set in Salesforce says that sales turned the lead down."""
    returned = {statuses[stage] for stage in ("nurture", "disqualified") if stage in statuses}
    working = {statuses[stage] for stage in ("lead", "mql", "sal", "sql", "opportunity") if stage in statuses}
    return status in returned - working


def _shortened(fields: Fields) -> Fields:
    return {
        name: f"{value[: SHORTENED[name] - 1]}…"
        if name in SHORTENED and isinstance(value, str) and len(value) > SHORTENED[name]
        else value
        for name, value in fields.items()
    }


def _moment(at: datetime | None) -> str | None:
    """ISO 8601 in UTC, to the second: Salesforce keeps no more."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None
