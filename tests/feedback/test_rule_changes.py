"""One click from a pattern to a draft rule change with its backtest (FEED-5, SCORE-10)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from common.errors import NotAllowed
from feedback.cohorts import Grouping
from feedback.rule_changes import NothingToLower, PatternGone, draft_rule_change
from scoring.models import Backtest, ModelVersion
from tests.desk import load_desk, reason
from tests.feedback.history import write_history

Status = ModelVersion.Status


@pytest.fixture
def moment(bdr: User, other_bdr: User, manager: User, marketing: User) -> datetime:
    """The present, for the page looks back from it: readers of prices have just been refused as wrong ICP."""
    at = timezone.now() - timedelta(minutes=5)
    load_desk(now=at - timedelta(days=100))
    write_history(at=at, marketing=marketing, manager=manager)
    return timezone.now()


def draft_it(
    by: User,
    now: datetime,
    *,
    key: str = "Pricing page",
    code: str = "wrong-icp",
    by_what: Grouping = Grouping.RULE,
) -> ModelVersion:
    return draft_rule_change(by_what=by_what, key=key, reason=reason(code), days=30, by=by, now=now)


def test_the_draft_halves_the_points_says_why_and_is_run_against_history(
    moment: datetime, marketing: User
) -> None:
    draft = draft_it(marketing, moment)

    active = ModelVersion.objects.active().get()
    points = dict(draft.rules.values_list("name", "points"))
    assert (draft.status, draft.based_on, draft.created_by) == (Status.DRAFT, active, marketing)
    assert points["Pricing page"] == 10
    assert active.rules.get(name="Pricing page").points == 20
    assert draft.name == f"Pricing page +20 → +10: 100 % of {reason('wrong-icp')}"[:80]
    assert "6 rejections" in draft.note
    backtest = Backtest.objects.get(version=draft)
    assert (backtest.against, backtest.requested_by, backtest.days) == (active, marketing, 30)


def test_everything_else_stays_as_it_was(moment: datetime, marketing: User) -> None:
    draft = draft_it(marketing, moment)

    def told(version: ModelVersion) -> list[tuple[object, ...]]:
        rules = version.rules.exclude(name="Pricing page").order_by("pk")
        return list(rules.values_list("kind", "name", "points", "signal", "attribute", "group__name"))

    assert told(draft) == told(ModelVersion.objects.active().get())


def test_clicking_twice_makes_one_draft(moment: datetime, marketing: User) -> None:
    first = draft_it(marketing, moment)
    second = draft_it(marketing, moment)

    assert first == second
    assert ModelVersion.objects.filter(status=Status.DRAFT).count() == 1
    assert Backtest.objects.count() == 1


def test_a_pattern_of_a_signal_changes_the_rules_that_count_it(moment: datetime, marketing: User) -> None:
    draft = draft_rule_change(
        by_what=Grouping.SIGNAL,
        key="pricing-page",
        reason=reason("wrong-icp"),
        days=30,
        by=marketing,
        now=moment,
    )

    assert draft.rules.get(name="Pricing page").points == 10


def test_what_does_not_stand_out_is_refused(moment: datetime, marketing: User) -> None:
    with pytest.raises(PatternGone):
        draft_it(marketing, moment, key="Demo request")
    with pytest.raises(PatternGone):
        draft_it(marketing, moment, code="premature")
    assert not ModelVersion.objects.filter(status=Status.DRAFT).exists()


def test_a_rule_that_is_gone_from_the_active_version_cannot_be_lowered(
    moment: datetime, marketing: User
) -> None:
    draft = draft_it(marketing, moment)
    ModelVersion.objects.active().update(status=Status.RETIRED, retired_at=moment)
    draft.rules.filter(name="Pricing page").delete()
    ModelVersion.objects.filter(pk=draft.pk).update(status=Status.ACTIVE, published_at=moment)

    with pytest.raises(NothingToLower, match="gives no points"):
        draft_it(marketing, moment)


def test_only_marketing_drafts(moment: datetime, manager: User) -> None:
    with pytest.raises(NotAllowed):
        draft_it(manager, moment)


# --- The page -------------------------------------------------------------------------------------

ASKED = {"by": "rule", "key": "Pricing page", "reason": "wrong-icp", "days": "30"}


def test_the_inbox_offers_the_change_and_leads_to_its_backtest(
    client: Client, moment: datetime, marketing: User
) -> None:
    client.force_login(marketing)

    page = client.get("/marketing/").content.decode()
    response = client.post("/marketing/draft/", ASKED)

    draft = ModelVersion.objects.get(status=Status.DRAFT)
    assert "fired in 100 % (61 % to 100 %)" in page
    assert "Draft a change" in page
    assert response.url == f"/scoring/{draft.number}/backtest/"


def test_a_reader_sees_the_pattern_without_the_button(client: Client, moment: datetime, reader: User) -> None:
    client.force_login(reader)

    page = client.get("/marketing/").content.decode()

    assert "fired in 100 %" in page
    assert "Draft a change" not in page
    assert client.post("/marketing/draft/", ASKED).status_code == 403


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"key": "Demo request"}, 409, "no longer shows"),
        ({"by": "source"}, 422, "is not complete"),
        ({"key": "a\0b"}, 422, "is not complete"),
        ({"reason": "none"}, 422, "is not complete"),
        ({"days": "9999999999999"}, 422, "is not complete"),
    ],
    ids=["gone", "not a rule", "nul", "no reason", "no period"],
)
def test_what_cannot_be_drafted_is_refused_with_a_sentence(
    client: Client, moment: datetime, marketing: User, change: dict[str, str], status: int, words: str
) -> None:
    client.force_login(marketing)

    response = client.post("/marketing/draft/", ASKED | change)

    assert response.status_code == status
    assert words in response.content.decode()
