"""A protocol for a marketplace that signs up sellers: a lead is one filled-in landing page and its origin.

There is no e-mail address to follow and no browsing to count, so origin is all the score has to tell leads
apart by; asking to sell is the signal, and each one goes to sales.
"""

from __future__ import annotations

from handoffs.models import Attempt
from handoffs.presets import (
    CadencePreset,
    HandoffPreset,
    PlaybookPreset,
    PoolPreset,
    RulePreset,
    StepPreset,
)
from scoring.language.rules import Operator
from scoring.presets import RulePreset as ScoringRule
from scoring.presets import ScoringPreset, SignalPreset
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
        ScoringRule("instant_mql", "Asks to sell", signal="landing-page"),
        ScoringRule("intent", "Asks to sell", 10, signal="landing-page"),
        # Origins ordered by how often they have led to a seller.
        ScoringRule(
            "fit",
            "Looked for us",
            30,
            "source",
            Operator.ONE_OF,
            ("organic_search", "paid_search", "direct_traffic", "unknown"),
        ),
        ScoringRule("fit", "Sent by somebody", 15, "source", Operator.ONE_OF, ("referral", "social")),
        ScoringRule("fit", "Saw an advertisement", 5, "source", Operator.ONE_OF, ("display", "email")),
    ),
    tiers=(("A", 0, 30), ("B", 0, 15)),
)

# Short talks, many of them: a seller is signed up or not within days, and nobody counts open leads.
HANDOFFS = HandoffPreset(
    pools=(PoolPreset(name="Sellers", weekly_capacity=120, max_open=10_000),),
    rules=(RulePreset(name="Every seller", pool="Sellers"),),
    playbooks=(
        PlaybookPreset(
            name="Wants to sell",
            signal_keys=("landing-page",),
            channel=Attempt.Channel.CALL,
            timing="Today, within working hours",
            opening_line="Hello, you would like to sell with us. What do you sell, and where so far?",
            topics=("Catalogue and stock", "How they ship", "Monthly revenue"),
            objections=("“The commission is high”: ask what an own shop costs them in a month",),
            next_step="Open the shop together, with the first ten products",
        ),
    ),
    # A starting value: the second try on the next working day, the third the day after.
    cadences=(
        CadencePreset(
            name="Any lead",
            steps=tuple(StepPreset(hours * 60, Attempt.Channel.CALL) for hours in (4, 12, 20)),
        ),
    ),
    package=("source", "campaign"),
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
