"""Three questions and no sum: is it our customer, do they want something, does anything speak against it."""

from __future__ import annotations

from scoring.language.rules import Formula, Operator
from scoring.presets.parts import (
    CASE_STUDY,
    DIRECT_INQUIRY,
    OFF_ICP_USES,
    PRICING_PAGE,
    ROLE_ADDRESS,
    UNSUBSCRIBE,
    served_industry,
    size_in_range,
)
from scoring.presets.shapes import RulePreset, ScoringPreset

SPEED = ScoringPreset(
    name="Speed",
    summary=(
        "A checklist and no threshold: whoever matches the ICP, shows a clear signal and raises no red flag "
        "goes to sales at once. Points only put the queue in order."
    ),
    threshold=1,
    icp_from=20,  # size and industry together
    signal_days=30,
    formula=Formula.CHECKLIST,
    signals=(DIRECT_INQUIRY, PRICING_PAGE, CASE_STUDY, UNSUBSCRIBE),
    rules=(
        size_in_range(10),
        served_industry(10),
        RulePreset("intent", "Direct inquiry", 30, signal="direct-inquiry"),
        RulePreset("behaviour", "Pricing page", 20, signal="pricing-page"),
        RulePreset("behaviour", "Case study", 10, signal="case-study"),
        RulePreset("disqualifier", "Unsubscribed", signal="unsubscribe"),
        RulePreset("disqualifier", "Use case off ICP", 0, "pain_point", Operator.HAS_WORD, OFF_ICP_USES),
        ROLE_ADDRESS,
    ),
    tiers=(("A", 30, 20), ("B", 10, 20)),
)
