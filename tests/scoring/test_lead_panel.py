"""The score on a lead's page: a ledger that adds up, now and at any past moment, and over time (SCORE-7)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from leads.models import Lead
from scoring.language.ledger import ledger_sections
from scoring.models import ModelVersion
from scoring.presets import CLASSIC, PRESETS
from scoring.services import explain_score, load_scoring_preset, score_lead
from tests.factories import CompanyFactory, LeadFactory
from tests.scoring.builders import do

pytestmark = pytest.mark.django_db


@pytest.fixture
def long_ago() -> None:
    """A version that has been in force for a year."""
    load_scoring_preset(CLASSIC, by=None, now=timezone.now() - timedelta(days=365))


@pytest.fixture
def lead(long_ago: None, bdr: User) -> Lead:
    now = timezone.now()
    lead = LeadFactory(
        owner=bdr,
        team=bdr.team,
        title="VP Sales",
        company=CompanyFactory(employee_count=200, industry="Software"),
        created_at=now - timedelta(days=100),
    )
    do(lead, "Case Study Downloaded", now - timedelta(days=40))
    do(lead, "Page Viewed", now - timedelta(days=2), path="/pricing")
    score_lead(lead, now=now)
    return lead


def panel(lead: Lead, part: str = "panel") -> str:
    return f"/scoring/leads/{lead.pk}/{part}/"


def show(client: Client, user: User, path: str) -> str:
    client.force_login(user)
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("preset", sorted(PRESETS))
@pytest.mark.parametrize("days_ago", [0, 1, 10, 39, 41])
def test_the_sections_add_up_to_the_score(bdr: User, preset: str, days_ago: int) -> None:
    now = timezone.now()
    load_scoring_preset(PRESETS[preset], by=None, now=now - timedelta(days=365))
    lead = LeadFactory(
        title="VP Sales", company=CompanyFactory(employee_count=200), created_at=now - timedelta(60)
    )
    for event, days in (("Demo Requested", 40), ("Page Viewed", 9), ("Email Unsubscribed", 3)):
        do(lead, event, now - timedelta(days=days), path="/pricing", form="demo")
    score_lead(lead, now=now)

    explanation = explain_score(lead, as_of=now - timedelta(days=days_ago))

    assert explanation.version
    assert sum(section.points for section in ledger_sections(explanation)) == explanation.total
    assert sum(len(section.lines) for section in ledger_sections(explanation)) == len(explanation.lines)


def test_what_is_shown_adds_up(client: Client, lead: Lead, bdr: User) -> None:
    text = show(client, bdr, panel(lead))

    figures = [
        int(figure.replace("−", "-").replace("+", ""))
        for figure in re.findall(r'class="ledger-head">.*?<td class="num">([+−]?\d+)</td>', text, re.S)
    ]
    total = re.search(r'num strong">(\d+)<', text)
    assert total
    assert len(figures) == 2
    assert sum(figures) == int(total.group(1))


def test_points_that_count_for_less_say_why(client: Client, lead: Lead, bdr: User) -> None:
    now = timezone.now()
    other = LeadFactory(owner=bdr, team=bdr.team, created_at=now - timedelta(days=60))
    do(other, "Case Study Downloaded", now - timedelta(days=40))
    score_lead(other, now=now)

    text = show(client, bdr, panel(other))

    assert "+15 by the rule; " in text


def test_a_past_moment_shows_what_was_known_then(client: Client, lead: Lead, bdr: User) -> None:
    then = timezone.localtime(timezone.now() - timedelta(days=20))

    text = show(client, bdr, f"{panel(lead)}?at={then:%Y-%m-%dT%H:%M}")

    assert "Score as of" in text
    assert "Case study download" in text
    assert "Pricing page visit: +20" not in text
    assert "Back to now" in text


def test_before_we_knew_the_lead_there_is_no_score(client: Client, lead: Lead, bdr: User) -> None:
    assert "Not scored then" in show(client, bdr, f"{panel(lead)}?at=2001-01-01T00:00")


@pytest.mark.parametrize(
    ("moment", "sentence"),
    [
        ("tomorrow", "Give a day and a time"),
        ("2026-02-30T00:00", "Give a day and a time"),
        ("9999-12-31T23:59", "Choose a past moment"),
        ("0001-01-01T00:00", "Not scored then"),
        ("x" * 5000, "Give a day and a time"),
    ],
)
def test_a_senseless_moment_is_refused_with_a_sentence(
    client: Client, lead: Lead, bdr: User, moment: str, sentence: str
) -> None:
    assert sentence in show(client, bdr, f"{panel(lead)}?at={moment}")


def test_the_score_over_time_is_a_chart_with_its_table(client: Client, lead: Lead, bdr: User) -> None:
    text = show(client, bdr, panel(lead, "history"))

    assert "Score over time" in text
    assert "MQL from 50" in text
    assert text.count("<tr>") > 3


@pytest.mark.parametrize("days", ["30", "365", "7", "", "x", "9" * 30])
def test_the_time_shown_can_be_chosen(client: Client, lead: Lead, bdr: User, days: str) -> None:
    text = show(client, bdr, f"{panel(lead, 'history')}?days={days}")

    chosen = days if days in ("30", "365") else "180"
    assert re.search(rf'aria-pressed="true"[^>]*days={chosen}"', text)


def test_a_lead_nobody_scored_has_no_chart(client: Client, bdr: User) -> None:
    lead = LeadFactory(owner=bdr)

    assert "No version scored this lead" in show(client, bdr, panel(lead, "history"))


@pytest.mark.parametrize("part", ["panel", "history"])
def test_only_those_who_may_see_the_lead_see_its_score(
    client: Client, lead: Lead, other_bdr: User, stranger: User, marketing: User, part: str
) -> None:
    for person, status in ((other_bdr, 200), (marketing, 200), (stranger, 404)):
        client.force_login(person)
        assert client.get(panel(lead, part)).status_code == status
    client.logout()
    assert client.get(panel(lead, part)).status_code == 302


def test_the_chart_costs_the_same_for_a_long_history(
    client: Client, lead: Lead, bdr: User, django_assert_max_num_queries
) -> None:
    now = timezone.now()
    for number in range(150):
        do(lead, "Page Viewed", now - timedelta(hours=number * 7), path="/pricing")
    score_lead(lead, now=now)
    client.force_login(bdr)
    client.get(panel(lead, "history"))

    with django_assert_max_num_queries(25):
        client.get(panel(lead, "history"))


def test_drafts_can_be_tried_from_their_page(
    client: Client, lead: Lead, marketing: User, manager: User
) -> None:
    number = ModelVersion.objects.active().get().number
    assert "Score this lead" in show(client, manager, f"/scoring/{number}/try/")

    answer = client.post(f"/scoring/{number}/try/", {"try-who": lead.email}).content.decode()

    assert f"Version {number}, as it stands" in answer
    assert "the active one" not in answer


def test_trying_is_not_for_bdrs(client: Client, lead: Lead, bdr: User) -> None:
    client.force_login(bdr)

    assert client.get("/scoring/1/try/").status_code == 403
    assert client.post("/scoring/1/try/", {"try-who": lead.email}).status_code == 403
