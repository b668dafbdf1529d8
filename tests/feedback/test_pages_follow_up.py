"""/marketing/follow-up/: what became of it, and what did sales say once it had talked?"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from feedback.acceptance import explain_acceptance
from feedback.figures.quality import (
    count_acceptance_drivers,
    latest_doubts,
    measure_pulse,
    measure_quality,
)
from feedback.models import Pulse
from feedback.pulses import record_pulse
from feedback.quality import record_quality_check
from handoffs.contact.services import record_attempt
from handoffs.models import Handoff
from tests.desk import load_desk
from tests.feedback.history import accepted, rejected

GOOD = {"really_qualified": "yes", "data_matched": "yes", "timing_right": "partly", "conversation": 5}
BAD = {"really_qualified": "no", "data_matched": "yes", "timing_right": "no", "conversation": 2}


@pytest.fixture
def recently(bdr: User, other_bdr: User, manager: User, marketing: User) -> datetime:
    moment = timezone.now() - timedelta(hours=1)
    load_desk(now=moment - timedelta(days=100))
    return moment


def talked(at: datetime) -> Handoff:
    handoff = accepted(at=at)
    record_attempt(handoff, channel="call", outcome="connected", note="", by=handoff.owner, now=at)
    return handoff


def test_quality_checks_add_up(recently: datetime) -> None:
    for answers in (GOOD, GOOD, BAD):
        handoff = talked(recently)
        record_quality_check(handoff, **answers, by=handoff.owner, now=recently)

    quality = measure_quality(since=recently - timedelta(minutes=1), least=1)

    assert [(each.label, each.yes.yes, each.partly, each.no) for each in quality.questions] == [
        ("Really qualified?", 2, 0, 1),
        ("Did the data match?", 3, 0, 0),
        ("Was the timing right?", 0, 2, 1),
    ]
    assert (quality.checks, quality.conversation, quality.good_percent) == (3, 4.0, 67)
    assert [check.handoff_id for check in latest_doubts(since=recently, most=5)] == [handoff.pk]
    assert measure_quality(since=recently + timedelta(minutes=1), least=1).good_percent is None


def test_what_mattered_is_counted_by_rule(recently: datetime) -> None:
    for drivers in (["Demo request"], ["Demo request", "Decision maker"]):
        handoff = accepted(at=recently)
        explain_acceptance(handoff, drivers=drivers, by=handoff.owner, now=recently)

    explained, drivers = count_acceptance_drivers(since=recently)

    assert explained == 2
    assert drivers[0] == ("Demo request", 2)


def test_the_pulse_is_the_mean_of_each_side_month_by_month(
    bdr: User, other_bdr: User, marketing: User, now: datetime
) -> None:
    earlier = now - timedelta(days=20)
    for person, score, at in ((bdr, 4, earlier), (bdr, 7, now), (other_bdr, 8, now), (marketing, 6, now)):
        record_pulse(person, score=score, comment="Better briefs" if score == 8 else "", now=at)

    trend = measure_pulse()

    sales, marketings = Pulse.Side.SALES.label, Pulse.Side.MARKETING.label
    assert sorted(trend.latest) == sorted([(sales, 7.5, 2), (marketings, 6.0, 1)])
    assert trend.comments == ("Better briefs",)
    assert [row[0] for row in trend.chart.rows] == ["1 Feb 2026", "1 Mar 2026"]
    assert Pulse.objects.filter(month=date(2026, 2, 1)).count() == 1


def test_the_page_shows_all_of_it(client: Client, recently: datetime, marketing: User) -> None:
    handoff = talked(recently)
    record_quality_check(handoff, **BAD, note="Is an agency", by=handoff.owner, now=recently)
    explain_acceptance(handoff, drivers=["Demo request"], by=handoff.owner, now=recently)
    rejected("premature", at=recently)
    record_pulse(marketing, score=9, comment="They call at once", now=recently)
    client.force_login(marketing)

    page = client.get("/marketing/follow-up/").content.decode()

    for words in (
        "0 of 1 rejected leads became an opportunity later",
        "Education track, re-checked after a delay",
        "Is an agency",
        "Demo request",
        "They call at once",
        "handed over with nothing missing",
    ):
        assert words in page


def test_an_empty_page_says_what_will_come(client: Client, marketing: User) -> None:
    client.force_login(marketing)

    page = client.get("/marketing/follow-up/").content.decode()

    assert "No lead is held at the moment" in page
    assert "No check in this period" in page
    assert "Nobody has answered yet" in page


@pytest.mark.parametrize("extra", [0, 3])
def test_the_number_of_queries_does_not_grow(
    client: Client, recently: datetime, marketing: User, extra: int, django_assert_num_queries
) -> None:
    for _ in range(1 + extra):
        handoff = talked(recently)
        record_quality_check(handoff, **BAD, by=handoff.owner, now=recently)
        rejected("premature", at=recently)
    client.force_login(marketing)

    with django_assert_num_queries(24):
        client.get("/marketing/follow-up/")
