"""Reasons that several protocols share. A code means the same in all of them: Salesforce maps it.

The kinds are published (FEED-1). The delays, and how many attempts make a lead unreachable, are not: they are
where a team starts, and a protocol that publishes a number replaces ours.
"""

from __future__ import annotations

from dataclasses import replace

from feedback.presets.shapes import ReasonPreset, Treatment, Type


def with_note(reason: ReasonPreset) -> ReasonPreset:
    return replace(reason, requires_note=True)


WRONG_ICP = ReasonPreset(
    code="wrong-icp",
    label="Not in ICP",
    type=Type.DEFINITIONAL,
    treatment=Treatment.BLOCK_UNTIL_FIT_CHANGES,
    consequence="Comes back only when {attributes} changes, such as title, industry or size.",
    tells_marketing=True,
)
PREMATURE = ReasonPreset(
    code="premature",
    label="Premature",
    type=Type.TIMING,
    treatment=Treatment.EDUCATE,
    consequence="Goes back to education, re-checked in {days}.",
    recycle_after_days=30,
)
DUPLICATE = ReasonPreset(
    code="duplicate",
    label="Duplicate",
    type=Type.DUPLICATE,
    treatment=Treatment.LINK_DUPLICATE,
    consequence="Is linked to the other lead, whose owner is told.",
    requires_duplicate=True,
)
# Nobody is unreachable whom nobody tried to reach.
UNREACHABLE = ReasonPreset(
    code="unreachable",
    label="Unreachable",
    type=Type.UNREACHABLE,
    treatment=Treatment.RE_ENGAGE,
    consequence="Gets rare mail until it shows up again.",
    requires_attempts=1,
)
NO_BUDGET = ReasonPreset(
    code="no-budget",
    label="Not qualified: no budget",
    type=Type.DEFINITIONAL,
    treatment=Treatment.NURTURE,
    consequence="Goes back to nurture, re-checked in {days}.",
    recycle_after_days=90,
)
NO_AUTHORITY = ReasonPreset(
    code="no-authority",
    label="Not qualified: no authority",
    type=Type.DEFINITIONAL,
    treatment=Treatment.NURTURE,
    consequence="Goes back to nurture, re-checked in {days}.",
    recycle_after_days=60,
)
NO_NEED = ReasonPreset(
    code="no-need",
    label="Not qualified: no need",
    type=Type.DEFINITIONAL,
    treatment=Treatment.NURTURE,
    consequence="Goes back to nurture, re-checked in {days}.",
    recycle_after_days=180,
)
NO_TIMELINE = ReasonPreset(
    code="no-timeline",
    label="Not qualified: no timeline",
    type=Type.TIMING,
    treatment=Treatment.NURTURE,
    consequence="Goes back to nurture, re-checked in {days}.",
    recycle_after_days=60,
)
COMPETITOR_OR_SPAM = ReasonPreset(
    code="competitor-or-spam",
    label="Competitor or spam",
    type=Type.DEFINITIONAL,
    treatment=Treatment.DISQUALIFY,
    consequence="Is out for good, and marketing is told.",
    requires_note=True,
    tells_marketing=True,
)
UNSUITABLE_REGION = ReasonPreset(
    code="unsuitable-region",
    label="Unsuitable region",
    type=Type.DEFINITIONAL,
    treatment=Treatment.BLOCK_UNTIL_FIT_CHANGES,
    consequence="Comes back only when {attributes} changes.",
    fit_fields=("country", "company", "company.country"),
)
UNSERVED_INDUSTRY = ReasonPreset(
    code="unserved-industry",
    label="Unserved industry",
    type=Type.DEFINITIONAL,
    treatment=Treatment.BLOCK_UNTIL_FIT_CHANGES,
    consequence="Comes back only when {attributes} changes.",
    fit_fields=("company", "company.industry"),
    tells_marketing=True,
)
BAD_DATA = ReasonPreset(
    code="bad-data",
    label="Bad data",
    type=Type.CLERICAL,
    treatment=Treatment.FIX_DATA,
    consequence="Marketing is told at once; it comes back when they have fixed it.",
    requires_note=True,
    tells_marketing=True,
)
WRONG_REP = ReasonPreset(
    code="wrong-rep",
    label="Not mine",
    type=Type.PROCEDURAL,
    treatment=Treatment.REROUTE,
    consequence="Goes to another rep at once; does not count as received.",
)

# By the part of BANT that is missing (FEED-2).
NOT_QUALIFIED = (NO_BUDGET, NO_AUTHORITY, NO_NEED, NO_TIMELINE)
# Says nothing about the lead: without these, a slip of marketing or of routing would count against it.
SLIPS = (BAD_DATA, WRONG_REP)
