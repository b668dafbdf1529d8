"""Every field of ours that may be exchanged with Salesforce. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from crm.mapping.facts import HandoffFacts, LeadFacts

# Salesforce requires both on a lead; this is what its own web forms write when they are unknown.
NOT_PROVIDED = "[not provided]"

Raw = str | int | bool | datetime | None
Read = Callable[[LeadFacts, HandoffFacts | None], Raw]


class Kind(StrEnum):
    """What a value is, and so how it is compared and what kind of field can hold it."""

    TEXT = "text"
    """Free text. Shortened to fit."""
    CHOICE = "choice"
    """One of the words that the portal knows."""
    EMAIL = "email"
    PHONE = "phone"
    LINK = "link"
    NUMBER = "number"
    """Whole."""
    MOMENT = "moment"
    YES_NO = "yes_no"
    """An unticked box says nothing: it is a blank."""


class Target(NamedTuple):
    """Where a value from Salesforce is written: a record of ours and its attribute."""

    record: str
    attribute: str


@dataclass(frozen=True)
class PortalField:
    """One field of ours. `target` is None for what Salesforce cannot tell us."""

    key: str
    label: str
    group: str
    kind: Kind
    read: Read
    max_length: int | None = None
    is_personal: bool = False
    target: Target | None = None
    stand_in: str = ""
    """Sent instead of a blank, and read as one."""
    of_task: bool = False
    """Whether it says something about a handoff, and so may stand in its task, too."""


def _of_handoff(read: Callable[[HandoffFacts], Raw]) -> Read:
    return lambda lead, handoff: read(handoff) if handoff else None


def _of_score(name: str) -> Read:
    return lambda lead, handoff: getattr(lead.score, name) if lead.score else None


def _of_lead(name: str) -> Read:
    return lambda lead, handoff: getattr(lead, name)


def _answer(
    key: str,
    label: str,
    group: str,
    max_length: int | None,
    *,
    kind: Kind = Kind.TEXT,
    is_personal: bool = False,
    target: Target | None = None,
    stand_in: str = "",
) -> PortalField:
    """A field that a lead answers and a rep may correct."""
    return PortalField(
        key,
        label,
        group,
        kind,
        _of_lead(key),
        max_length,
        is_personal,
        target or Target("lead", key),
        stand_in,
    )


PERSON, COMPANY, ORIGIN, ANSWERS = "Person", "Company", "Where it came from", "What they answered"
CONSENT, SCORE, HANDOFF, LINKS = "Consent", "Score", "Handoff", "Links"

_FIELDS = (
    _answer("first_name", "First name", PERSON, 80, is_personal=True),
    _answer("last_name", "Last name", PERSON, 80, is_personal=True, stand_in=NOT_PROVIDED),
    _answer("title", "Job title", PERSON, 128),
    # The address is how a lead is told from another: it is corrected here, where duplicates are seen.
    PortalField("email", "E-mail", PERSON, Kind.EMAIL, _of_lead("email"), 254, is_personal=True),
    _answer("phone", "Phone", PERSON, 40, kind=Kind.PHONE, is_personal=True),
    _answer("website", "Website", PERSON, 255, kind=Kind.LINK),
    _answer("country", "Country", PERSON, 80),
    _answer("language", "Language", PERSON, 40),
    _answer("company", "Company", COMPANY, 255, target=Target("company", "name"), stand_in=NOT_PROVIDED),
    _answer("industry", "Industry", COMPANY, 120, target=Target("company", "industry")),
    _answer(
        "employee_count",
        "Employees",
        COMPANY,
        None,
        kind=Kind.NUMBER,
        target=Target("company", "employee_count"),
    ),
    _answer("source", "Source", ORIGIN, 80),
    _answer("campaign", "Campaign", ORIGIN, 120),
    _answer("product_line", "Product line", ANSWERS, 80),
    _answer("deal_size", "Deal size", ANSWERS, None, kind=Kind.NUMBER),
    _answer("budget", "Budget", ANSWERS, 200),
    _answer("timeline", "Timeline", ANSWERS, 200),
    _answer("current_solution", "Uses today", ANSWERS, 500),
    _answer("pain_point", "Problem", ANSWERS, 1000),
    PortalField("consent_at", "Consented at", CONSENT, Kind.MOMENT, _of_lead("consent_at")),
    PortalField(
        "unsubscribed",
        "Wants no e-mail",
        CONSENT,
        Kind.YES_NO,
        lambda lead, handoff: lead.unsubscribed_at is not None,
        target=Target("lead", "unsubscribed_at"),
    ),
    PortalField("score", "Score", SCORE, Kind.NUMBER, _of_score("total"), of_task=True),
    PortalField("fit", "Fit", SCORE, Kind.NUMBER, _of_score("fit"), of_task=True),
    PortalField("engagement", "Engagement", SCORE, Kind.NUMBER, _of_score("engagement"), of_task=True),
    PortalField("category", "Category", SCORE, Kind.CHOICE, _of_score("category"), of_task=True),
    PortalField("warmth", "Warmth", SCORE, Kind.CHOICE, _of_score("warmth"), of_task=True),
    PortalField("stage", "Stage", HANDOFF, Kind.CHOICE, _of_lead("stage"), of_task=True),
    PortalField(
        "handoff_status",
        "Handoff status",
        HANDOFF,
        Kind.CHOICE,
        _of_handoff(lambda handoff: handoff.status),
        of_task=True,
    ),
    PortalField(
        "handoff_at",
        "Handed over at",
        HANDOFF,
        Kind.MOMENT,
        _of_handoff(lambda handoff: handoff.created_at),
        of_task=True,
    ),
    PortalField(
        "accepted_at",
        "Accepted at",
        HANDOFF,
        Kind.MOMENT,
        _of_handoff(lambda handoff: handoff.accepted_at),
        of_task=True,
    ),
    PortalField(
        "rejected_at",
        "Rejected at",
        HANDOFF,
        Kind.MOMENT,
        _of_handoff(lambda handoff: handoff.closed_at if handoff.status == "rejected" else None),
        of_task=True,
    ),
    PortalField(
        "rejection_reason",
        "Rejection reason",
        HANDOFF,
        Kind.TEXT,
        _of_handoff(lambda handoff: handoff.rejection_reason),
        of_task=True,
    ),
    PortalField(
        "sla_due_at",
        "Next deadline",
        HANDOFF,
        Kind.MOMENT,
        _of_handoff(lambda handoff: handoff.due_at),
        of_task=True,
    ),
    PortalField(
        "sla_breached",
        "A deadline was missed",
        HANDOFF,
        Kind.YES_NO,
        _of_handoff(lambda handoff: handoff.is_breached),
        of_task=True,
    ),
    PortalField(
        "attempts",
        "Attempts to reach the lead",
        HANDOFF,
        Kind.NUMBER,
        _of_handoff(lambda handoff: handoff.attempts),
        of_task=True,
    ),
    PortalField(
        "first_contact_at",
        "First contact at",
        HANDOFF,
        Kind.MOMENT,
        _of_handoff(lambda handoff: handoff.first_contact_at),
        of_task=True,
    ),
    PortalField("lead_url", "Link to the lead", LINKS, Kind.LINK, _of_lead("url"), of_task=True),
    PortalField(
        "handoff_url",
        "Link to the handoff",
        LINKS,
        Kind.LINK,
        _of_handoff(lambda handoff: handoff.url),
        of_task=True,
    ),
)

PORTAL_FIELDS = {field.key: field for field in _FIELDS}
