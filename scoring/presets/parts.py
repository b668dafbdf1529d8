"""Signals and lists that several presets share: a signal of one key means the same in each of them."""

from __future__ import annotations

from scoring.language.rules import Operator
from scoring.presets.shapes import ConditionPreset, RulePreset, SignalPreset

PAGE = ("Page Viewed",)

INDUSTRIES = (
    "Software",
    "SaaS",
    "Information technology",
    "Financial services",
    "Manufacturing",
    "Logistics",
    "Professional services",
)
TITLES = (
    *("VP", "SVP", "EVP", "Vice President", "Chief"),
    *("CEO", "CFO", "CIO", "CISO", "CMO", "COO", "CPO", "CRO", "CTO"),
)


def page(*paths: str) -> tuple[ConditionPreset, ...]:
    return (ConditionPreset("path", "starts_with", paths),)


DEMO_REQUEST = SignalPreset("demo-request", "Demo request", ("Demo Requested",), is_high_intent=True)
DIRECT_INQUIRY = SignalPreset(
    "direct-inquiry", "Direct inquiry", ("Demo Requested", "Contact Requested"), is_high_intent=True
)
PRICING_PAGE = SignalPreset(
    "pricing-page", "Pricing page visit", PAGE, is_high_intent=True, conditions=page("/pricing")
)
PRICING_OR_DEMO_PAGE = SignalPreset(
    "pricing-or-demo-page",
    "Pricing or demo page visit",
    PAGE,
    is_high_intent=True,
    conditions=page("/pricing", "/demo"),
)
CASE_STUDY = SignalPreset(
    "case-study", "Case study download", ("Case Study Downloaded", "Case Study Viewed"), is_high_intent=True
)
SOLUTION_CONTENT = SignalPreset(
    "solution-content",
    "Solution content",
    PAGE,
    conditions=page("/product", "/solutions", "/integrations"),
)
EMAIL_OPEN = SignalPreset("email-open", "E-mail open", ("Email Opened",))
WEBSITE_VISIT = SignalPreset("website-visit", "Website visit", PAGE)
NEWSLETTER = SignalPreset(
    "newsletter",
    "Newsletter sign-up",
    ("Form Submitted",),
    conditions=(ConditionPreset("form", "equals", ("Newsletter",)),),
)
UNSUBSCRIBE = SignalPreset(
    "unsubscribe", "Unsubscribe", ("Email Unsubscribed", "Unsubscribed"), is_engagement=False
)
CAREERS_PAGE = SignalPreset(
    "careers-page", "Careers page visit", PAGE, is_engagement=False, conditions=page("/careers", "/jobs")
)


def decision_maker(points: int) -> RulePreset:
    return RulePreset("fit", "Decision maker", points, "title", Operator.HAS_WORD, TITLES)


def size_in_range(points: int) -> RulePreset:
    return RulePreset(
        "fit", "Size in range", points, "company.employee_count", Operator.BETWEEN, low=50, high=1_000
    )


def served_industry(points: int) -> RulePreset:
    return RulePreset("fit", "Served industry", points, "company.industry", Operator.ONE_OF, INDUSTRIES)


ROLE_ADDRESS = RulePreset(
    "disqualifier",
    "Role address",
    0,
    "email_name",
    Operator.ONE_OF,
    ("abuse", "admin", "noreply", "no-reply", "postmaster", "webmaster"),
)
OFF_ICP_USES = ("student", "thesis", "hobby", "personal project", "home use")
