"""Reasons are data, seeded by a preset (FEED-1)."""

from __future__ import annotations

import pytest

from accounts.models import User
from common.errors import NotAllowed
from feedback.models import FeedbackPolicy, RejectionReason
from feedback.presets import PRESETS, load_feedback_preset
from handoffs.models import RecycleContract
from tests.conftest import NOON

CLASSIC = PRESETS["classic"]


def test_loading_twice_changes_nothing_the_second_time(db: None) -> None:
    first = load_feedback_preset(CLASSIC, by=None, now=NOON)

    assert len(CLASSIC.reasons) == RejectionReason.objects.count()
    assert first[len(CLASSIC.reasons) :] == ["Set the recycle contract.", "Set the feedback policy."]
    assert first[1] == "Add the reason “Premature”: goes back to education, re-checked in 30 days."
    assert load_feedback_preset(CLASSIC, by=None, now=NOON) == []


def test_a_dry_run_says_the_same_and_writes_nothing(db: None) -> None:
    plan = load_feedback_preset(CLASSIC, by=None, now=NOON, dry_run=True)

    assert not RejectionReason.objects.exists()
    assert plan == load_feedback_preset(CLASSIC, by=None, now=NOON)


def test_an_edited_reason_is_set_back_and_one_of_ones_own_switched_off(db: None) -> None:
    load_feedback_preset(CLASSIC, by=None, now=NOON)
    RejectionReason.objects.filter(code="premature").update(recycle_after_days=7)
    RejectionReason.objects.create(
        code="odd", label="Odd", type="timing", treatment="nurture", consequence="–"
    )

    plan = load_feedback_preset(CLASSIC, by=None, now=NOON)

    assert plan == ["Change the reason “Premature”: recycle after days.", "Switch off the reason “Odd”."]
    assert not RejectionReason.objects.get(code="odd").is_active


def test_the_classic_preset_has_the_published_reasons(db: None) -> None:
    """Chapter 12: wrong ICP, premature, duplicate, unreachable; FEED-1 adds the parts of BANT and others."""
    load_feedback_preset(CLASSIC, by=None, now=NOON)

    treatments = dict(RejectionReason.objects.values_list("code", "treatment"))
    assert treatments["wrong-icp"] == "block_until_fit_changes"
    assert treatments["premature"] == "educate"
    assert treatments["duplicate"] == "link_duplicate"
    assert treatments["unreachable"] == "re_engage"
    assert {"no-budget", "no-authority", "no-need", "no-timeline"} <= treatments.keys()


def test_the_acceptance_goal_is_the_published_one_and_the_contract_asks_for_evidence_and_a_day(
    db: None,
) -> None:
    """FEED-1: the goal is 90 %. FEED-2: at least N points or a listed event, and a cool-off."""
    load_feedback_preset(CLASSIC, by=None, now=NOON)
    RecycleContract.objects.update(cool_off_days=7)

    assert load_feedback_preset(CLASSIC, by=None, now=NOON) == ["Change the recycle contract: cool off days."]
    contract, policy = RecycleContract.objects.get(), FeedbackPolicy.objects.get()
    assert (contract.min_points, contract.cool_off_days) == (10, 1)
    assert contract.enough_signals == ["demo-request", "direct-inquiry"]
    assert (policy.acceptance_goal, policy.fix_minutes, policy.dispute_minutes) == (90, 480, 960)


def test_a_bdr_does_not_change_the_reasons(bdr: User) -> None:
    with pytest.raises(NotAllowed):
        load_feedback_preset(CLASSIC, by=bdr, now=NOON)
