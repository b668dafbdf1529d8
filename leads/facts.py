"""What an inbound message says, in one form whatever the channel. Blank or None means unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyFacts:
    name: str = ""
    domain: str = ""
    employee_count: int | None = None
    industry: str = ""
    technologies: str = ""
    growth_signals: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadFacts:
    """What a source says about a person: fills blanks, never erases. Needs an e-mail address, or an
    external id with the system it belongs to."""

    email: str = ""
    source_system: str = ""
    external_id: str = ""
    first_name: str = ""
    last_name: str = ""
    title: str = ""
    phone: str = ""
    website: str = ""
    country: str = ""
    company: CompanyFacts | None = None
    source: str = ""
    campaign: str = ""
    language: str = ""
    product_line: str = ""
    deal_size: int | None = None
    budget: str = ""
    timeline: str = ""
    current_solution: str = ""
    pain_point: str = ""
    consent_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityFacts:
    """One behavioural event. The same message id twice is one activity."""

    event: str
    occurred_at: datetime
    message_id: str
    properties: Mapping[str, Any] = field(default_factory=dict)
