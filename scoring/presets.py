"""Scoring as published frameworks have it, as plain data (chapter 12 of the protocol).

Their points, thresholds, counts and windows are as published; what they leave open (which industries, which
paths, how many points off) is a starting point that marketing edits.
"""

from __future__ import annotations

from dataclasses import dataclass

from scoring.rules import Operator


@dataclass(frozen=True, slots=True)
class ConditionPreset:
    property_name: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SignalPreset:
    key: str
    name: str
    event_names: tuple[str, ...]
    is_high_intent: bool = False
    is_engagement: bool = True
    conditions: tuple[ConditionPreset, ...] = ()


@dataclass(frozen=True, slots=True)
class RulePreset:
    """A rule on an attribute or on a signal, which is named by its key."""

    kind: str
    name: str
    points: int = 0
    attribute: str = ""
    operator: Operator | None = None
    values: tuple[str, ...] = ()
    low: int | None = None
    high: int | None = None
    signal: str = ""
    min_count: int = 1
    window_days: int | None = None
    per_occurrence: bool = False
    cap: int | None = None


@dataclass(frozen=True, slots=True)
class ScoringPreset:
    """`decay` holds (days, per mille kept); `tiers` (category, least engagement, least fit)."""

    name: str
    threshold: int
    icp_from: int
    signal_days: int
    signals: tuple[SignalPreset, ...]
    rules: tuple[RulePreset, ...]
    decay: tuple[tuple[int, int], ...] = ()
    tiers: tuple[tuple[str, int, int], ...] = ()


def _page(*paths: str) -> tuple[ConditionPreset, ...]:
    return (ConditionPreset("path", "starts_with", paths),)


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

CLASSIC = ScoringPreset(
    name="Classic",
    threshold=50,
    icp_from=20,
    signal_days=90,
    signals=(
        SignalPreset("demo-request", "Demo request", ("Demo Requested",), is_high_intent=True),
        SignalPreset(
            "pricing-page", "Pricing page visit", PAGE, is_high_intent=True, conditions=_page("/pricing")
        ),
        SignalPreset(
            "case-study",
            "Case study download",
            ("Case Study Downloaded", "Case Study Viewed"),
            is_high_intent=True,
        ),
        SignalPreset("email-open", "E-mail open", ("Email Opened",)),
        SignalPreset("website-visit", "Website visit", PAGE),
        SignalPreset(
            "unsubscribe", "Unsubscribe", ("Email Unsubscribed", "Unsubscribed"), is_engagement=False
        ),
        SignalPreset(
            "careers-page",
            "Careers page visit",
            PAGE,
            is_engagement=False,
            conditions=_page("/careers", "/jobs"),
        ),
    ),
    rules=(
        RulePreset("fit", "Decision maker", 15, "title", Operator.HAS_WORD, TITLES),
        RulePreset(
            "fit", "Size in range", 10, "company.employee_count", Operator.BETWEEN, low=50, high=1_000
        ),
        RulePreset("fit", "Served industry", 10, "company.industry", Operator.ONE_OF, INDUSTRIES),
        RulePreset("behaviour", "Pricing page", 20, signal="pricing-page"),
        RulePreset("behaviour", "Case study", 15, signal="case-study", per_occurrence=True),
        RulePreset("intent", "Demo request", 50, signal="demo-request"),
        RulePreset("instant_mql", "Demo request", signal="demo-request"),
        RulePreset("behaviour", "Reads our e-mails", 10, signal="email-open", min_count=3, window_days=30),
        RulePreset("behaviour", "Keeps coming back", 15, signal="website-visit", min_count=3, window_days=7),
        RulePreset("negative", "Unsubscribed", -20, signal="unsubscribe"),
        RulePreset("negative", "Looks for a job", -15, signal="careers-page"),
        RulePreset(
            "negative",
            "Size off ICP",
            -15,
            "company.employee_count",
            Operator.NOT_BETWEEN,
            low=20,
            high=5_000,
        ),
        RulePreset(
            "negative",
            "Use case off ICP",
            -15,
            "pain_point",
            Operator.HAS_WORD,
            ("student", "thesis", "hobby", "personal project", "home use"),
        ),
        RulePreset(
            "disqualifier",
            "Role address",
            0,
            "email_name",
            Operator.ONE_OF,
            ("abuse", "admin", "noreply", "no-reply", "postmaster", "webmaster"),
        ),
    ),
    decay=((30, 750), (60, 500), (90, 250)),
    tiers=(("A", 40, 20), ("B", 10, 20)),
)

PRESETS = {"classic": CLASSIC}
