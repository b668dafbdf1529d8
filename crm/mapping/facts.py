"""What Salesforce may be told about a lead and its handoff, as plain values. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


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
    first_contact_at: datetime | None = None
    attempts: int = 0
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
    language: str = ""
    company: str = ""
    industry: str = ""
    employee_count: int | None = None
    source: str = ""
    campaign: str = ""
    product_line: str = ""
    deal_size: int | None = None
    budget: str = ""
    timeline: str = ""
    current_solution: str = ""
    pain_point: str = ""
    consent_at: datetime | None = None
    unsubscribed_at: datetime | None = None
    owner_salesforce_id: str = ""
    score: ScoreFacts | None = None
    handoff: HandoffFacts | None = None
    """The latest."""

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip() or self.email
