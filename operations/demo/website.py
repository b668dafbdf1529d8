"""What the invented vendor offers: pages, case studies, mails, webinars, forms.

Corvane sells software that plans work for firms that make, move and mend things.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

SITE = "https://www.corvane.example"


@dataclass(frozen=True)
class Deed:
    """One thing a person does, as the tracking stack reports it, so many seconds into the visit."""

    event: str
    properties: dict[str, Any] = field(default_factory=dict)
    after_seconds: int = 0


PRICING = ("/pricing", "Pricing")
HOME = ("/", "Work planned before it goes wrong")
ABOUT = ("/about", "About Corvane")
SECURITY = ("/security", "Security and data protection")
PRODUCT = (
    ("/product", "Product overview"),
    ("/product/scheduling", "Scheduling"),
    ("/product/forecasting", "Demand forecasting"),
    ("/product/field-teams", "Field teams"),
    ("/integrations", "Integrations"),
    ("/integrations/erp", "ERP connectors"),
)
CASE_STUDIES = (
    ("/case-studies/lindqvist-cold-chain", "How Lindqvist Cold Chain halved waiting at the gate"),
    ("/case-studies/harrow-components", "Harrow Components: three plants, one plan"),
    ("/case-studies/olmo-retail", "Olmo Retail filled 40 rotas in a morning"),
    ("/case-studies/nordvind-service", "Nordvind Service: 18 % fewer kilometres"),
)
BLOG = (
    ("/blog/planning-in-spreadsheets", "What planning in spreadsheets really costs"),
    ("/blog/yard-slots", "Yard slots without the phone"),
    ("/blog/forecast-error", "Living with forecast error"),
    ("/blog/shift-swaps", "Shift swaps people accept"),
    ("/blog/first-90-days", "The first 90 days of a planning project"),
    ("/blog/capacity-basics", "Capacity planning: the basics"),
)
DOCS = (("/docs/api", "API reference"), ("/docs/glossary", "Glossary of planning terms"))
CAREERS = (
    ("/careers", "Careers at Corvane"),
    ("/careers/backend-engineer", "Backend engineer (Berlin)"),
    ("/careers/customer-success", "Customer success manager (London)"),
    ("/careers/working-student", "Working student, marketing"),
)
WHITEPAPERS = ("Buyer's guide to planning software", "Benchmark: planning in 300 mid-size firms")
NEWSLETTERS = (
    "Three plans that survived Monday",
    "New: slots your hauliers book themselves",
    "What 300 planners told us",
    "Before the season starts: a checklist",
    "How Harrow plans three plants",
)


@dataclass(frozen=True)
class Campaign:
    """Something that brought people in at once, so many days before the end of the story."""

    name: str
    source: str
    days_ago: int
    lasts_days: int
    people_share: float
    webinar: str = ""


CAMPAIGNS = (
    Campaign("Benchmark report launch", "LinkedIn", 318, 24, 0.06),
    Campaign("Webinar: slots without the phone", "Webinar", 262, 6, 0.07, "Slots without the phone"),
    Campaign("Hanover logistics fair", "Trade fair", 205, 5, 0.07),
    Campaign("Buyer's guide, search ads", "Paid search", 120, 45, 0.08),
    Campaign("Webinar: forecasting for the season", "Webinar", 64, 6, 0.07, "Forecasting for the season"),
    Campaign(
        "Webinar: planning without spreadsheets", "Webinar", 9, 7, 0.24, "Planning without spreadsheets"
    ),
)


@dataclass(frozen=True)
class Landing:
    """Where the link of a campaign leads, where it stood, and in which message."""

    path: str
    medium: str
    message: str
    referrer: str = ""


LANDINGS = {
    "LinkedIn": Landing("/benchmark-report", "social", "second post", "https://social.example/"),
    "Webinar": Landing("/webinars", "email", "invitation"),
    "Paid search": Landing("/buyers-guide", "cpc", "advertisement", "https://search.example/"),
}
EVERYDAY_SOURCES = (
    ("Organic search", 34),
    ("Paid search", 16),
    ("Referral", 10),
    ("LinkedIn", 14),
    ("Direct", 12),
    ("Newsletter", 8),
    ("Partner", 6),
)


def is_loud(deed: Deed) -> bool:
    """Whether somebody who does this means business."""
    if deed.event == "Page Viewed":
        return str(deed.properties["path"]) == PRICING[0]
    return deed.event in ("Demo Requested", "Contact Requested", "Case Study Viewed", "Webinar Attended")


def view(page: tuple[str, str], after_seconds: int = 0) -> Deed:
    path, title = page
    return Deed("Page Viewed", {"path": path, "title": title, "url": SITE + path}, after_seconds)


def land(campaign: Campaign) -> Deed:
    """The first page of somebody whom a campaign brought, with what the link said about it."""
    landing = LANDINGS[campaign.source]
    tags = urlencode({"utm_medium": landing.medium, "utm_content": f"{campaign.name}, {landing.message}"})
    page = {"path": landing.path, "title": campaign.name, "url": f"{SITE}{landing.path}?{tags}"}
    return Deed("Page Viewed", page | ({"referrer": landing.referrer} if landing.referrer else {}))


def study(case: tuple[str, str], after_seconds: int = 0) -> Deed:
    path, title = case
    return Deed("Case Study Viewed", {"path": path, "title": title}, after_seconds)


def open_mail(subject: str) -> Deed:
    return Deed("Email Opened", {"subject": subject, "campaign": "Newsletter"})


def click_mail(subject: str, page: tuple[str, str]) -> Deed:
    return Deed("Email Link Clicked", {"subject": subject, "url": SITE + page[0]}, 40)


def request_demo(after_seconds: int = 0) -> Deed:
    return Deed("Demo Requested", {"form": "Book a demo"}, after_seconds)


def request_contact(after_seconds: int = 0) -> Deed:
    return Deed("Contact Requested", {"form": "Talk to sales"}, after_seconds)


def download(title: str, after_seconds: int = 0) -> Deed:
    return Deed("Whitepaper Downloaded", {"title": title, "form": "Whitepaper"}, after_seconds)


def register_for(webinar: str) -> Deed:
    return Deed("Webinar Registered", {"title": webinar, "form": "Webinar"})


def attend(webinar: str) -> Deed:
    return Deed("Webinar Attended", {"title": webinar, "minutes": 41})
