"""Chapter 12 of the protocol, the column of feedback: what is published for each preset."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client

from accounts.models import User
from feedback.admin import ReasonForm
from feedback.models import FeedbackPolicy, RejectionReason
from feedback.presets import PRESETS, load_feedback_preset
from feedback.presets.shapes import ReasonPreset
from feedback.reviews import ask_for_review
from handoffs.models import Handoff
from leads.fit import fit_in_words
from protocol.services import load_preset
from tests.conftest import NOON
from tests.desk import offer, ready_lead
from tests.handoffs.test_api import client_of

Type = RejectionReason.Type

PUBLISHED = {
    "classic": ["wrong-icp", "premature", "duplicate", "unreachable"],
    # Categories of disqualification; which ones is not published.
    "hybrid": [
        "wrong-icp",
        "unsuitable-region",
        "competitor-or-spam",
        "no-authority",
        "no-need",
        "no-budget",
    ],
    # Its gate: need, decision maker, budget.
    "speed": ["no-need", "no-authority", "no-budget"],
    "six-step": ["unserved-industry"],
    # Not qualified, wrong fit, duplicate.
    "bant": ["no-budget", "no-authority", "no-need", "no-timeline", "wrong-icp", "duplicate"],
}


def reasons_of(name: str) -> dict[str, ReasonPreset]:
    return {reason.code: reason for reason in PRESETS[name].reasons}


@pytest.mark.parametrize("name", PRESETS)
def test_each_protocol_has_its_published_reasons_and_the_published_goal(name: str) -> None:
    assert set(PUBLISHED[name]) <= reasons_of(name).keys()
    assert PRESETS[name].policy.acceptance_goal == 90


@pytest.mark.parametrize("name", PRESETS)
def test_every_protocol_tells_slips_and_duplicates_from_evidence_about_scoring(name: str) -> None:
    """FEED-1: only definitional ones count against marketing; a wrong rep or bad data needs another."""
    assert {Type.PROCEDURAL, Type.CLERICAL, Type.DUPLICATE, Type.DEFINITIONAL, Type.UNREACHABLE} <= {
        reason.type for reason in PRESETS[name].reasons
    }


def test_hybrid_names_its_categories_of_disqualification() -> None:
    reasons = reasons_of("hybrid")

    assert all(reasons[code].label.startswith("Disqualified: ") for code in PUBLISHED["hybrid"])
    assert {reasons[code].type for code in PUBLISHED["hybrid"]} == {Type.DEFINITIONAL}


def test_six_step_reports_each_return_in_words_and_audits_monthly() -> None:
    assert all(reason.requires_note for reason in PRESETS["six-step"].reasons)
    assert PRESETS["six-step"].policy.review_months == 1


def test_bant_reviews_quarterly() -> None:
    assert PRESETS["bant"].policy.review_months == 3
    assert reasons_of("bant")["wrong-icp"].label == "Wrong fit"


@pytest.mark.parametrize(
    ("name", "attempts"), [("classic", 1), ("hybrid", 1), ("speed", 5), ("six-step", 1), ("bant", 3)]
)
def test_unreachable_takes_the_published_attempts_else_one(name: str, attempts: int) -> None:
    """Published: 5 to 7 for `speed`, 3 for `bant`."""
    assert reasons_of(name)["unreachable"].requires_attempts == attempts


@pytest.mark.parametrize("name", PRESETS)
def test_what_the_dialog_says_is_what_happens(name: str) -> None:
    for reason in PRESETS[name].reasons:
        if reason.fit_fields:
            assert reason.promise == f"Comes back only when {fit_in_words(reason.fit_fields)} changes."
        if reason.recycle_after_days:
            assert f"in {reason.recycle_after_days} days." in reason.promise


@pytest.mark.parametrize("name", PRESETS)
def test_the_admin_would_take_every_reason(db: None, name: str) -> None:
    """What a preset lays can be edited without being refused for what it holds already."""
    load_feedback_preset(PRESETS[name], by=None, now=NOON)

    for reason in RejectionReason.objects.all():
        form = ReasonForm({name: getattr(reason, name) for name in ReasonForm.Meta.fields}, instance=reason)
        assert form.is_valid(), (reason.code, form.errors)
    FeedbackPolicy.objects.get().full_clean()


def test_on_a_fresh_portal_a_handoff_can_be_rejected_under_bant(
    bdr: User, other_bdr: User, manager: User, client: Client, now: datetime
) -> None:
    """`classic` brings the routing, and `bant` takes over; the dialog offers what bant publishes."""
    load_preset("classic", by=None, now=now)
    load_preset("bant", by=None, now=now)
    handoff = offer(ready_lead(now=now), now=now)
    assert handoff.owner
    client.force_login(handoff.owner)

    dialog = client.get(f"/handoffs/{handoff.pk}/reject/", headers={"HX-Request": "true"}).content.decode()
    client_of(handoff.owner).post(
        f"/api/v1/handoffs/{handoff.pk}/reject/", {"reason": "no-need"}, format="json"
    )

    assert all(f'value="{code}"' in dialog for code in PUBLISHED["bant"])
    assert 'value="premature"' not in dialog
    assert Handoff.objects.get(pk=handoff.pk).rejection_code == "no-need"


def day(month: int, number: int = 1) -> datetime:
    return datetime(2026, month, number, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("preset", "asked_in"), [("classic", []), ("bant", [1, 4, 7, 10]), ("six-step", list(range(1, 13)))]
)
def test_marketing_and_managers_are_asked_for_the_review_once_a_period(
    preset: str, asked_in: list[int], marketing: User, manager: User, bdr: User
) -> None:
    load_feedback_preset(PRESETS[preset], by=None, now=day(1))

    runs = [(month, ask_for_review(now=day(month, number))) for month in range(1, 13) for number in (1, 2)]

    assert sorted({month for month, people in runs if people}) == asked_in
    assert marketing.notifications.count() == manager.notifications.count() == len(asked_in)
    assert not bdr.notifications.exists()


def test_the_review_opens_the_inbox_for_the_months_behind(marketing: User) -> None:
    load_feedback_preset(PRESETS["bant"], by=None, now=day(1))

    ask_for_review(now=day(4))

    message = marketing.notifications.get()
    assert message.url == "/marketing/?days=90"
    assert message.body.startswith("Look at the last 3 months together")
