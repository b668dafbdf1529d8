"""Points for who it is and what they do, against one threshold."""

from __future__ import annotations

from scoring.language.rules import Operator
from scoring.presets.parts import (
    CAREERS_PAGE,
    CASE_STUDY,
    DEMO_REQUEST,
    EMAIL_OPEN,
    OFF_ICP_USES,
    PRICING_PAGE,
    ROLE_ADDRESS,
    UNSUBSCRIBE,
    WEBSITE_VISIT,
    decision_maker,
    served_industry,
    size_in_range,
)
from scoring.presets.shapes import RulePreset, ScoringPreset

CLASSIC = ScoringPreset(
    name="Classic",
    summary="Points for who it is and what they do: 50 make an MQL, and a demo request makes one at once.",
    threshold=50,
    icp_from=20,
    signal_days=90,
    signals=(
        DEMO_REQUEST,
        PRICING_PAGE,
        CASE_STUDY,
        EMAIL_OPEN,
        WEBSITE_VISIT,
        UNSUBSCRIBE,
        CAREERS_PAGE,
    ),
    rules=(
        decision_maker(15),
        size_in_range(10),
        served_industry(10),
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
        RulePreset("negative", "Use case off ICP", -15, "pain_point", Operator.HAS_WORD, OFF_ICP_USES),
        ROLE_ADDRESS,
    ),
    decay=((30, 750), (60, 500), (90, 250)),
    tiers=(("A", 40, 20), ("B", 10, 20)),
)
