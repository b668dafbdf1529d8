"""Engagement and readiness, weighted 40 to 60; what makes somebody ready multiplies."""

from __future__ import annotations

from scoring.language.rules import Formula, Operator
from scoring.presets.parts import (
    DIRECT_INQUIRY,
    EMAIL_OPEN,
    PRICING_OR_DEMO_PAGE,
    ROLE_ADDRESS,
    SOLUTION_CONTENT,
    TITLES,
)
from scoring.presets.shapes import RulePreset, ScoringPreset

HYBRID = ScoringPreset(
    name="Hybrid",
    summary=(
        "40 % of what they do and 60 % of how ready they are: growth doubles readiness, a decision maker "
        "makes it half as much again, a direct inquiry triples it. Categories A, B and C tell both apart. "
        "The threshold of 30 is a starting value: calibrate it."
    ),
    # A decision maker who read about a solution and the prices; or who asked, and looked at the prices.
    threshold=30,
    # No fit points are published, so everybody matches until marketing adds some.
    icp_from=0,
    signal_days=90,
    formula=Formula.HYBRID,
    engagement_percent=40,
    signals=(SOLUTION_CONTENT, PRICING_OR_DEMO_PAGE, EMAIL_OPEN, DIRECT_INQUIRY),
    rules=(
        RulePreset("multiplier", "Growth", 0, "company.growth_signals", Operator.IS_KNOWN, factor=2_000),
        RulePreset("multiplier", "Decision maker", 0, "title", Operator.HAS_WORD, TITLES, factor=1_500),
        RulePreset("behaviour", "Solution content", 10, signal="solution-content"),
        RulePreset("behaviour", "Pricing or demo page", 15, signal="pricing-or-demo-page"),
        RulePreset("behaviour", "Consistent e-mail", 5, signal="email-open", min_count=3, window_days=30),
        RulePreset("multiplier", "Direct inquiry", signal="direct-inquiry", factor=3_000),
        ROLE_ADDRESS,
    ),
    tiers=(("A", 15, 45), ("B", 10, 20)),
)
