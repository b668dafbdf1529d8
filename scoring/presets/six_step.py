"""A short list of what counts, to begin a six-step handoff with."""

from __future__ import annotations

from scoring.language.rules import Operator
from scoring.presets.parts import (
    DEMO_REQUEST,
    INDUSTRIES,
    PRICING_PAGE,
    ROLE_ADDRESS,
    size_in_range,
)
from scoring.presets.shapes import RulePreset, ScoringPreset

SIX_STEP = ScoringPreset(
    name="Six steps",
    summary=(
        "Size, pricing page and demo request add up, an unserved industry takes away. "
        "The threshold of 35 is a starting value: set it by calibration once outcomes are known."
    ),
    threshold=35,  # the right size and a look at the prices
    icp_from=20,
    signal_days=90,
    signals=(DEMO_REQUEST, PRICING_PAGE),
    rules=(
        size_in_range(20),
        RulePreset("behaviour", "Pricing page", 15, signal="pricing-page"),
        RulePreset("intent", "Demo request", 30, signal="demo-request"),
        RulePreset("negative", "Unserved industry", -20, "company.industry", Operator.NOT_ONE_OF, INDUSTRIES),
        ROLE_ADDRESS,
    ),
    tiers=(("A", 30, 20), ("B", 15, 20)),
)
