"""A protocol for a marketplace that signs up sellers: a lead is one filled-in landing page and its origin.

There is no e-mail address to follow and no browsing to count, so origin is all the score has to tell leads
apart by; asking to sell is the signal, and each one goes to sales.
"""

from __future__ import annotations

from scoring.presets import RulePreset, ScoringPreset, SignalPreset
from scoring.rules import Operator
from sla.models import Target
from sla.presets import CalendarPreset, PolicyPreset, SlaPreset, TargetPreset

SCORING = ScoringPreset(
    name="Marketplace",
    threshold=1,
    icp_from=0,
    signal_days=365,
    signals=(
        SignalPreset(
            "landing-page", "Landing page filled in", ("Landing Page Submitted",), is_high_intent=True
        ),
    ),
    rules=(
        RulePreset("instant_mql", "Asks to sell", signal="landing-page"),
        RulePreset("intent", "Asks to sell", 10, signal="landing-page"),
        # Origins ordered by how often they have led to a seller.
        RulePreset(
            "fit",
            "Looked for us",
            30,
            "source",
            Operator.ONE_OF,
            ("organic_search", "paid_search", "direct_traffic", "unknown"),
        ),
        RulePreset("fit", "Sent by somebody", 15, "source", Operator.ONE_OF, ("referral", "social")),
        RulePreset("fit", "Saw an advertisement", 5, "source", Operator.ONE_OF, ("display", "email")),
    ),
    tiers=(("A", 0, 30), ("B", 0, 15)),
)

SLA = SlaPreset(
    calendar=CalendarPreset(name="Office hours", time_zone="America/Sao_Paulo", holiday_country="BR"),
    policies=(
        PolicyPreset(
            name="New sellers",
            targets=(
                TargetPreset(kind=Target.Kind.DECISION, mode=Target.Mode.BUSINESS, minutes=8 * 60),
                TargetPreset(kind=Target.Kind.FIRST_CONTACT, mode=Target.Mode.BUSINESS, minutes=16 * 60),
            ),
        ),
    ),
)
