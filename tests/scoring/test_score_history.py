"""The score over time is what was known at each moment, to the point (SCORE-7)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from leads.models import AttributeChange, Lead
from scoring.models import DecayStep, ModelVersion, Signal
from scoring.score_history import MOST_POINTS, ScorePoint, score_over_time, thinned
from scoring.services import explain_score, match_activities, publish_version
from tests.factories import NOON, LeadFactory
from tests.scoring.builders import do, make_draft, make_signal, publish

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
START = NOON - 200 * DAY


@pytest.fixture
def pricing() -> Signal:
    return make_signal("Pricing page", ["Page Viewed"], ("path", "equals", ["/pricing"]), intent="high")


@pytest.fixture
def version(pricing: Signal) -> ModelVersion:
    """Twenty points a visit within 30 days; half of the sum after 10 days without one; VPs have 15."""
    draft = make_draft(
        {"signal": pricing, "points": 20, "per_occurrence": True, "cap": 60, "window_days": 30},
        {"attribute": "title", "operator": "contains", "values": ["vp"], "points": 15},
        now=START - DAY,
    )
    DecayStep.objects.create(version=draft, after_days=10, per_mille=500)
    return publish_version(draft, by=None, note="Test", now=START - DAY)


@pytest.fixture
def lead(version: ModelVersion) -> Lead:
    return LeadFactory(created_at=START)


def visit(lead: Lead, *ats: datetime, received_at: datetime | None = None) -> None:
    for at in ats:
        do(lead, "Page Viewed", at, received_at=received_at, path="/pricing")
    match_activities([lead.pk])


def totals(points: list[ScorePoint]) -> dict[datetime, int]:
    return {point.at: point.total for point in points}


def score_at(points: list[ScorePoint], moment: datetime) -> int:
    """What the chart shows of a moment: the last point before it."""
    return [point.total for point in points if point.at <= moment][-1]


def test_each_point_is_what_the_explanation_says_of_its_moment(lead: Lead) -> None:
    visit(lead, START + 5 * DAY, START + 7 * DAY, START + 90 * DAY)

    points = score_over_time(lead, since=START, until=NOON)

    assert len(points) > 8
    for point in points:
        told = explain_score(lead, as_of=point.at)
        assert (point.version, point.threshold) == (told.version, told.threshold)
        assert (point.total, point.fit, point.engagement) == (told.total, told.fit, told.engagement)
        assert point.qualifies == told.qualifies


def test_the_chart_shows_every_change_by_time_when_it_happened(lead: Lead) -> None:
    """A visit, half of it after ten days, nothing after thirty."""
    seen = START + 5 * DAY
    visit(lead, seen)

    points = totals(score_over_time(lead, since=START, until=NOON))

    assert points[START] == 15
    assert points[seen] == 35
    assert points[seen + 10 * DAY] == 25
    assert points[seen + 30 * DAY] == 15


def test_between_the_points_the_score_is_that_of_the_point_before(lead: Lead) -> None:
    visit(lead, START + 5 * DAY, START + 7 * DAY, START + 90 * DAY)
    points = score_over_time(lead, since=START, until=NOON)

    moments = [START + hours * timedelta(hours=7) for hours in range(1, 680)]

    told = [explain_score(lead, as_of=moment).total for moment in moments[::17]]
    assert [score_at(points, moment) for moment in moments[::17]] == told


def test_a_late_arrival_counts_from_when_it_reached_us(lead: Lead) -> None:
    visit(lead, START + 20 * DAY, received_at=START + 25 * DAY)

    points = score_over_time(lead, since=START, until=NOON)

    assert score_at(points, START + 24 * DAY) == 15
    assert totals(points)[START + 25 * DAY] == 35


def test_a_changed_detail_counts_from_when_it_changed(lead: Lead) -> None:
    changed = START + 40 * DAY
    Lead.objects.filter(pk=lead.pk).update(title="Intern")
    AttributeChange.objects.create(
        lead=lead, field="title", old_value="VP Sales", new_value="Intern", changed_at=changed, source="test"
    )
    lead.refresh_from_db()

    points = score_over_time(lead, since=START, until=NOON)

    assert score_at(points, changed - DAY) == 15
    assert totals(points)[changed] == 0


def test_each_moment_is_scored_by_the_version_in_force_then(lead: Lead, pricing: Signal) -> None:
    visit(lead, START + 50 * DAY, START + 70 * DAY)
    later = publish({"signal": pricing, "points": 40}, now=START + 60 * DAY, threshold=40)

    points = score_over_time(lead, since=START, until=NOON)

    by_moment = {point.at: point for point in points}
    assert (by_moment[START + 50 * DAY].total, by_moment[START + 50 * DAY].version) == (35, 1)
    switch = by_moment[START + 60 * DAY]
    assert (switch.total, switch.version, switch.threshold) == (40, later.number, 40)


def test_before_we_knew_the_lead_there_is_nothing(lead: Lead) -> None:
    points = score_over_time(lead, since=START - 50 * DAY, until=START + DAY)

    assert points[0].at == START
    assert score_over_time(lead, since=START - 50 * DAY, until=START - DAY) == []


def test_before_any_version_there_is_nothing() -> None:
    lead = LeadFactory(created_at=START)

    assert score_over_time(lead, since=START, until=NOON) == []


def test_a_busy_lead_still_has_few_points_and_few_queries(
    lead: Lead, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    visit(lead, *(START + number * DAY for number in range(1, 180)))

    with django_assert_max_num_queries(20):
        points = score_over_time(lead, since=START, until=NOON)

    assert 30 < len(points) <= MOST_POINTS
    assert (points[0].at, points[-1].at) == (START, NOON)
    assert [point.at for point in points] == sorted(point.at for point in points)


@pytest.mark.parametrize(
    ("most", "kept"), [(9, [0, 1, 2, 3, 4, 5, 6]), (4, [0, 2, 4, 6]), (2, [0, 6]), (1, [6]), (0, [])]
)
def test_thinning_keeps_the_last_and_spreads_the_others(most: int, kept: list[int]) -> None:
    moments = [NOON + number * DAY for number in range(7)]

    assert thinned(moments, most) == [moments[number] for number in kept]
