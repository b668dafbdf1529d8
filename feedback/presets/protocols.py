"""What each protocol says of feedback. What is published (chapter 12) is said so; all else is a start.

The goal of the acceptance rate is published for all (FEED-1); the times that marketing promises are nowhere.
"""

from __future__ import annotations

from dataclasses import replace

from feedback.presets.reasons import (
    COMPETITOR_OR_SPAM,
    DUPLICATE,
    NO_AUTHORITY,
    NO_BUDGET,
    NO_NEED,
    NOT_QUALIFIED,
    PREMATURE,
    SLIPS,
    UNREACHABLE,
    UNSERVED_INDUSTRY,
    UNSUITABLE_REGION,
    WRONG_ICP,
    with_note,
)
from feedback.presets.shapes import ContractPreset, FeedbackPreset, PolicyPreset

# Published: wrong ICP, premature, duplicate, unreachable.
CLASSIC = FeedbackPreset(
    reasons=(
        WRONG_ICP,
        PREMATURE,
        DUPLICATE,
        UNREACHABLE,
        *NOT_QUALIFIED,
        COMPETITOR_OR_SPAM,
        UNSUITABLE_REGION,
        *SLIPS,
    ),
    # So much as a case study, or asking for a demo; and nobody is called twice within a day.
    contract=ContractPreset(
        min_points=10, enough_signals=("demo-request", "direct-inquiry"), cool_off_days=1
    ),
    # A working day for data, two for a dispute.
    policy=PolicyPreset(),
)

# Published: categories of disqualification, and the quality of the conversation, which every protocol asks
# for after the first one (FEED-3). Which categories there are is not: first who it is, then what they want.
HYBRID = FeedbackPreset(
    reasons=(
        replace(WRONG_ICP, label="Disqualified: not in ICP"),
        replace(UNSUITABLE_REGION, label="Disqualified: region"),
        replace(COMPETITOR_OR_SPAM, label="Disqualified: competitor or spam"),
        replace(NO_AUTHORITY, label="Disqualified: does not decide"),
        replace(NO_NEED, label="Disqualified: no need"),
        replace(NO_BUDGET, label="Disqualified: no budget"),
        PREMATURE,
        DUPLICATE,
        UNREACHABLE,
        *SLIPS,
    ),
    # So much as a look at solution content.
    contract=ContractPreset(min_points=10, enough_signals=("direct-inquiry",), cool_off_days=1),
    policy=PolicyPreset(),
)

# Published: every return has its reason, and they make the returns report; 5 to 7 attempts come first. The
# 24 hours in which to return are a service level. The reasons mirror the checklist and the gate to SQL.
SPEED = FeedbackPreset(
    reasons=(
        WRONG_ICP,
        replace(PREMATURE, label="No clear signal"),
        replace(COMPETITOR_OR_SPAM, label="Red flag: competitor or spam"),
        NO_NEED,
        NO_AUTHORITY,
        NO_BUDGET,
        DUPLICATE,
        replace(UNREACHABLE, requires_attempts=5),
        *SLIPS,
    ),
    contract=ContractPreset(min_points=10, enough_signals=("direct-inquiry",), cool_off_days=1),
    # Sales has minutes, so marketing takes hours, not days.
    policy=PolicyPreset(fix_minutes=2 * 60, dispute_minutes=8 * 60),
)

# Published: a structured report after each interaction, so a return says what was seen; a monthly audit.
# That there are unserved industries is published for its scoring.
SIX_STEP = FeedbackPreset(
    reasons=tuple(
        with_note(reason)
        for reason in (
            WRONG_ICP,
            UNSERVED_INDUSTRY,
            PREMATURE,
            DUPLICATE,
            UNREACHABLE,
            *NOT_QUALIFIED,
            COMPETITOR_OR_SPAM,
            *SLIPS,
        )
    ),
    # So much as a look at the prices.
    contract=ContractPreset(min_points=15, enough_signals=("demo-request",), cool_off_days=1),
    policy=PolicyPreset(review_months=1),
)

# Published: not qualified, wrong fit, duplicate; 3 attempts; a review every quarter.
BANT = FeedbackPreset(
    reasons=(
        *NOT_QUALIFIED,
        replace(WRONG_ICP, label="Wrong fit"),
        DUPLICATE,
        replace(UNREACHABLE, requires_attempts=3),
        *SLIPS,
    ),
    # So much as a case study.
    contract=ContractPreset(min_points=10, enough_signals=("demo-request",), cool_off_days=1),
    policy=PolicyPreset(review_months=3),
)

PRESETS = {"classic": CLASSIC, "hybrid": HYBRID, "speed": SPEED, "six-step": SIX_STEP, "bant": BANT}
