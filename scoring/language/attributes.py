"""The attributes of a lead and its company that fit rules may ask about. Pure: names and labels only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    TEXT = "text"
    NUMBER = "number"


class Owner(StrEnum):
    LEAD = "lead"
    COMPANY = "company"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One askable attribute. `extract` wraps the column's SQL where the attribute is only a part of it."""

    key: str
    label: str
    kind: Kind
    owner: Owner
    field: str
    extract: str = "{}"


ATTRIBUTES: dict[str, Attribute] = {
    attribute.key: attribute
    for attribute in (
        Attribute("title", "Job title", Kind.TEXT, Owner.LEAD, "title"),
        Attribute("country", "Country", Kind.TEXT, Owner.LEAD, "country"),
        Attribute("email_name", "E-mail name", Kind.TEXT, Owner.LEAD, "email", "split_part({}, '@', 1)"),
        Attribute("email_domain", "E-mail domain", Kind.TEXT, Owner.LEAD, "email", "split_part({}, '@', 2)"),
        Attribute("source", "Source", Kind.TEXT, Owner.LEAD, "source"),
        Attribute("campaign", "Campaign", Kind.TEXT, Owner.LEAD, "campaign"),
        Attribute("budget", "Budget", Kind.TEXT, Owner.LEAD, "budget"),
        Attribute("timeline", "Timeline", Kind.TEXT, Owner.LEAD, "timeline"),
        Attribute("current_solution", "Current solution", Kind.TEXT, Owner.LEAD, "current_solution"),
        Attribute("pain_point", "Pain point", Kind.TEXT, Owner.LEAD, "pain_point"),
        Attribute("company.industry", "Industry", Kind.TEXT, Owner.COMPANY, "industry"),
        Attribute("company.technologies", "Tech stack", Kind.TEXT, Owner.COMPANY, "technologies"),
        Attribute("company.growth_signals", "Growth signal", Kind.TEXT, Owner.COMPANY, "growth_signals"),
        Attribute("company.country", "Company country", Kind.TEXT, Owner.COMPANY, "country"),
        Attribute("company.domain", "Company domain", Kind.TEXT, Owner.COMPANY, "domain"),
        Attribute("company.employee_count", "Company size", Kind.NUMBER, Owner.COMPANY, "employee_count"),
    )
}
