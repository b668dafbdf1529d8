"""Only what can be measured; budget, authority, need and time are asked by sales."""

from __future__ import annotations

from scoring.presets.parts import (
    CASE_STUDY,
    DEMO_REQUEST,
    NEWSLETTER,
    PRICING_PAGE,
    ROLE_ADDRESS,
    decision_maker,
    served_industry,
    size_in_range,
)
from scoring.presets.shapes import RulePreset, ScoringPreset

BANT = ScoringPreset(
    name="BANT",
    summary=(
        "Role, company size and industry, and four sources that can be counted: demo form, pricing page, "
        "case study, newsletter. The points and the threshold of 50 are starting values: calibrate them."
    ),
    threshold=50,
    icp_from=20,
    signal_days=90,
    signals=(DEMO_REQUEST, PRICING_PAGE, CASE_STUDY, NEWSLETTER),
    rules=(
        decision_maker(15),
        size_in_range(10),
        served_industry(10),
        RulePreset("intent", "Demo form", 30, signal="demo-request"),
        RulePreset("behaviour", "Pricing page", 15, signal="pricing-page"),
        RulePreset("behaviour", "Case study", 10, signal="case-study"),
        RulePreset("behaviour", "Newsletter", 5, signal="newsletter"),
        ROLE_ADDRESS,
    ),
    tiers=(("A", 30, 20), ("B", 10, 20)),
)
