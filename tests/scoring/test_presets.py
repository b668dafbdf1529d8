"""Chapter 12: the published numbers of the `classic` preset, read like the table."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import User
from common.errors import NotAllowed
from leads.models import Lead
from scoring.models import ModelVersion, Rule, Signal, SignalHit
from scoring.presets import CLASSIC
from scoring.services import (
    create_draft,
    explain_score,
    load_scoring_preset,
    publish_version,
    score_lead,
)
from tests.factories import NOON, CompanyFactory, LeadFactory
from tests.scoring.builders import do

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def classic(marketing: User) -> ModelVersion:
    load_scoring_preset(CLASSIC, by=None, now=NOON)
    return ModelVersion.objects.active().get()


def nobody_in_particular() -> Lead:
    return LeadFactory(title="", company=None, created_at=NOON - 400 * DAY)


def points_of(lead: Lead, *, at=NOON) -> int:
    score = score_lead(lead, now=at)
    assert score is not None
    return score.total


@pytest.mark.parametrize(
    ("title", "points"),
    [
        ("VP Sales", 15),
        ("Vice President, Marketing", 15),
        ("Chief Revenue Officer", 15),
        ("CTO", 15),
        ("Director of Marketing", 0),
        ("Sales Manager", 0),
    ],
)
def test_title_vp_or_c_level_gives_15(classic: ModelVersion, title: str, points: int) -> None:
    lead = nobody_in_particular()
    Lead.objects.filter(pk=lead.pk).update(title=title)

    assert points_of(lead) == points


@pytest.mark.parametrize(("employees", "points"), [(50, 10), (1_000, 10), (49, 0), (1_001, 0), (None, 0)])
def test_company_size_in_range_gives_10(classic: ModelVersion, employees: int | None, points: int) -> None:
    lead = LeadFactory(title="", company=CompanyFactory(employee_count=employees, industry=""))

    assert points_of(lead) == points


def test_a_served_industry_gives_10(classic: ModelVersion) -> None:
    served = LeadFactory(title="", company=CompanyFactory(employee_count=None, industry="software"))
    other = LeadFactory(title="", company=CompanyFactory(employee_count=None, industry="Fishing"))

    assert (points_of(served), points_of(other)) == (10, 0)


@pytest.mark.parametrize(
    ("events", "points"),
    [
        ([("Page Viewed", {"path": "/pricing"})], 20),
        ([("Page Viewed", {"path": "/pricing/enterprise"})] * 2, 20),
        ([("Case Study Downloaded", {})], 15),
        ([("Case Study Downloaded", {})] * 3, 45),
        ([("Demo Requested", {})], 50),
        ([("Demo Requested", {})] * 2, 50),
        ([("Email Opened", {})] * 2, 0),
        ([("Email Opened", {})] * 3, 10),
        ([("Email Opened", {})] * 9, 10),
        ([("Page Viewed", {"path": "/blog"})] * 2, 0),
        ([("Page Viewed", {"path": "/blog"})] * 3, 15),
    ],
)
def test_behaviour_gives_its_points(classic: ModelVersion, events: list, points: int) -> None:
    lead = nobody_in_particular()
    for event, properties in events:
        do(lead, event, NOON, **properties)

    assert points_of(lead) == points


@pytest.mark.parametrize(("days", "points"), [(29, 10), (30, 0)])
def test_three_opens_count_within_30_days(classic: ModelVersion, days: int, points: int) -> None:
    lead = nobody_in_particular()
    for age in (0, 1, days):
        do(lead, "Email Opened", NOON - age * DAY)

    assert points_of(lead) == points


@pytest.mark.parametrize(("days", "points"), [(6, 15), (7, 0)])
def test_three_visits_count_within_one_week(classic: ModelVersion, days: int, points: int) -> None:
    lead = nobody_in_particular()
    for age in (0, 1, days):
        do(lead, "Page Viewed", NOON - age * DAY, path="/blog")

    assert points_of(lead) == points


@pytest.mark.parametrize(
    ("days", "points"), [(0, 20), (29, 20), (30, 15), (59, 15), (60, 10), (89, 10), (90, 5), (300, 5)]
)
def test_decay_after_30_60_and_90_days(classic: ModelVersion, days: int, points: int) -> None:
    lead = nobody_in_particular()
    do(lead, "Page Viewed", NOON - days * DAY, path="/pricing")

    assert points_of(lead) == points


def test_the_threshold_is_50(classic: ModelVersion) -> None:
    lead = LeadFactory(title="VP Sales", company=CompanyFactory(employee_count=200, industry="Software"))
    assert points_of(lead) == 35
    assert not score_lead(lead, now=NOON).qualifies

    do(lead, "Page Viewed", path="/pricing")

    assert points_of(lead) == 55
    assert score_lead(lead, now=NOON).qualifies


def test_a_demo_request_is_an_instant_mql_below_the_threshold(classic: ModelVersion) -> None:
    lead = LeadFactory(title="", company=CompanyFactory(employee_count=200, industry="Software"))
    do(lead, "Demo Requested", NOON - 60 * DAY)

    score = score_lead(lead, now=NOON)

    assert (score.total, score.is_instant_mql, score.qualifies, score.warmth) == (
        45,
        True,
        True,
        "hand_raiser",
    )


@pytest.mark.parametrize(("event", "path"), [("Email Unsubscribed", ""), ("Page Viewed", "/careers/berlin")])
def test_unsubscribe_and_careers_page_are_negative(classic: ModelVersion, event: str, path: str) -> None:
    lead = LeadFactory(title="VP Sales", company=CompanyFactory(employee_count=200, industry="Software"))
    do(lead, event, path=path)

    assert points_of(lead) < 35


def test_size_and_use_case_off_icp_are_negative(classic: ModelVersion) -> None:
    tiny = LeadFactory(title="VP Sales", company=CompanyFactory(employee_count=3, industry=""))
    student = LeadFactory(title="VP Sales", company=None, pain_point="For my student thesis")

    assert points_of(tiny) < 15
    assert points_of(student) < 15


def test_loading_twice_changes_nothing(classic: ModelVersion, marketing: User) -> None:
    plan = load_scoring_preset(CLASSIC, by=None, now=NOON + DAY)

    assert plan == []
    assert list(ModelVersion.objects.all()) == [classic]
    assert Signal.objects.count() == len(CLASSIC.signals)


def test_a_dry_run_tells_the_plan_and_writes_nothing(marketing: User) -> None:
    plan = load_scoring_preset(CLASSIC, by=None, now=NOON, dry_run=True)

    assert "Add the signal “Demo request”" in plan
    assert "Added: Pricing page visit: +20" in plan
    assert not ModelVersion.objects.exists()
    assert not Signal.objects.exists()


def test_loading_again_restores_what_marketing_changed(classic: ModelVersion, marketing: User) -> None:
    draft = create_draft(based_on=classic, by=marketing, now=NOON + DAY)
    Rule.objects.filter(version=draft, name="Pricing page").update(points=25)
    publish_version(draft, by=None, note="Try", now=NOON + DAY)

    plan = load_scoring_preset(CLASSIC, by=None, now=NOON + 2 * DAY)

    assert "Changed: Pricing page visit: +25 → Pricing page visit: +20" in plan
    assert ModelVersion.objects.active().get().number == 3


def test_loading_matches_activities_that_came_before(marketing: User) -> None:
    lead = nobody_in_particular()
    do(lead, "Demo Requested", NOON - DAY)

    load_scoring_preset(CLASSIC, by=None, now=NOON)

    assert SignalHit.objects.filter(lead=lead, signal__key="demo-request").count() == 1


def test_a_bdr_may_not_load_a_preset(bdr: User) -> None:
    with pytest.raises(NotAllowed):
        load_scoring_preset(CLASSIC, by=bdr, now=NOON)


def test_drivers_name_a_demo_request_once(classic: ModelVersion) -> None:
    lead = nobody_in_particular()
    do(lead, "Demo Requested")
    do(lead, "Page Viewed", path="/pricing")
    score_lead(lead, now=NOON)

    explanation = explain_score(lead, as_of=NOON)

    assert [(line.rule, line.points) for line in explanation.drivers] == [
        ("Demo request", 50),
        ("Pricing page", 20),
    ]
