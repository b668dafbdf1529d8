"""The scoring pages: who may open them, what they say, what they cost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from leads.models import Lead
from scoring.models import ModelVersion
from scoring.presets import CLASSIC
from scoring.services import create_draft, load_scoring_preset, publish_version, score_lead
from tests.factories import CompanyFactory, LeadFactory
from tests.scoring.builders import do

pytestmark = pytest.mark.django_db


@pytest.fixture
def active(marketing: User) -> ModelVersion:
    load_scoring_preset(CLASSIC, by=marketing, now=timezone.now())
    return ModelVersion.objects.active().get()


@pytest.fixture
def draft(active: ModelVersion, marketing: User) -> ModelVersion:
    draft = create_draft(based_on=active, by=marketing, now=timezone.now())
    draft.rules.filter(name="Pricing page").update(points=25)
    return draft


def page(client: Client, user: User, path: str) -> str:
    client.force_login(user)
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


# Who may open them


@pytest.mark.parametrize("path", ["/scoring/", "/scoring/1/"])
def test_everybody_but_bdrs_reads_the_rules(
    client: Client,
    active: ModelVersion,
    marketing: User,
    manager: User,
    operator: User,
    reader: User,
    bdr: User,
    path: str,
) -> None:
    for person in (marketing, manager, operator, reader):
        assert "Pricing page visit: +20" in page(client, person, path)
    client.force_login(bdr)
    assert client.get(path).status_code == 403
    client.logout()
    assert client.get(path).status_code == 302


def test_only_marketing_publishes_and_copies(
    client: Client, draft: ModelVersion, manager: User, reader: User
) -> None:
    for person in (manager, reader):
        client.force_login(person)
        assert client.get("/scoring/2/publish/").status_code == 403
        assert client.post("/scoring/2/publish/", {"note": "x"}).status_code == 403
        assert client.post("/scoring/1/copy/").status_code == 403
        assert "Publish…" not in client.get("/scoring/2/").content.decode()
    assert ModelVersion.objects.count() == 2


@pytest.mark.parametrize("number", ["99", "9" * 30])
def test_a_version_that_is_not_there_is_not_found(
    client: Client, active: ModelVersion, marketing: User, number: str
) -> None:
    client.force_login(marketing)

    assert client.get(f"/scoring/{number}/").status_code == 404


# What they say


def test_the_overview_tells_who_published_when_and_why(
    client: Client, active: ModelVersion, reader: User
) -> None:
    text = page(client, reader, "/scoring/")

    assert "Preset “Classic” loaded" in text
    assert "Jo Marks" in text
    assert "MQL from 50 points" in text


def test_without_a_model_the_overview_says_what_to_do(client: Client, marketing: User) -> None:
    text = page(client, marketing, "/scoring/")

    assert "No active model" in text
    assert "/admin/scoring/modelversion/add/" in text


def test_a_draft_shows_its_difference_from_the_active_version(
    client: Client, draft: ModelVersion, manager: User
) -> None:
    text = page(client, manager, "/scoring/2/")

    assert "Against version 1, the active one" in text
    assert "Pricing page visit: +25" in text
    assert "Pricing page visit: +20" in text


def test_marketing_publishes_with_a_reason(client: Client, draft: ModelVersion, marketing: User) -> None:
    assert "Pricing page visit: +25" in page(client, marketing, "/scoring/2/publish/")

    response = client.post("/scoring/2/publish/", {"note": "Pricing matters more", "replacing": 1})

    assert (response.status_code, response["Location"]) == (302, "/scoring/")
    published = ModelVersion.objects.active().get()
    assert (published.number, published.published_by, published.note) == (
        2,
        marketing,
        "Pricing matters more",
    )


def test_publishing_without_a_reason_is_refused(client: Client, draft: ModelVersion, marketing: User) -> None:
    client.force_login(marketing)

    response = client.post("/scoring/2/publish/", {"note": "", "replacing": 1})

    assert response.status_code == 422
    assert "Say why" in response.content.decode()
    assert ModelVersion.objects.active().get().number == 1


def test_publishing_a_stale_comparison_is_refused_and_shows_the_new_one(
    client: Client, draft: ModelVersion, active: ModelVersion, marketing: User
) -> None:
    other = create_draft(based_on=active, by=marketing, now=timezone.now())
    other.rules.filter(name="Case study").update(points=16)
    publish_version(other, by=marketing, note="Other", now=timezone.now())
    client.force_login(marketing)

    response = client.post("/scoring/2/publish/", {"note": "Mine", "replacing": 1})

    text = response.content.decode()
    assert response.status_code == 409
    assert "Look at the difference again" in text
    assert "Against version 3" in text
    assert "Mine" in text


@pytest.mark.parametrize("replacing", ["abc", "-1", "9" * 40])
def test_a_senseless_comparison_is_refused(
    client: Client, draft: ModelVersion, marketing: User, replacing: str
) -> None:
    client.force_login(marketing)

    response = client.post("/scoring/2/publish/", {"note": "x", "replacing": replacing})

    assert response.status_code == 422


def test_an_unsound_draft_cannot_be_published_from_the_page(
    client: Client, draft: ModelVersion, marketing: User
) -> None:
    draft.rules.all().delete()

    text = page(client, marketing, "/scoring/2/publish/")
    response = client.post("/scoring/2/publish/", {"note": "x", "replacing": 1})

    assert "There are no rules yet" in text
    assert 'name="note"' not in text
    assert response.status_code == 409


def test_copying_leads_to_the_draft_in_the_admin(
    client: Client, active: ModelVersion, marketing: User
) -> None:
    client.force_login(marketing)

    response = client.post("/scoring/1/copy/")

    draft = ModelVersion.objects.get(number=2)
    assert response["Location"] == f"/admin/scoring/modelversion/{draft.pk}/change/"


def test_rolling_back_is_two_clicks(client: Client, draft: ModelVersion, marketing: User) -> None:
    client.force_login(marketing)
    client.post("/scoring/2/publish/", {"note": "Try", "replacing": 1})
    assert "Roll back to this" in client.get("/scoring/1/").content.decode()

    to_confirm = client.post("/scoring/1/copy/", {"then": "publish"})
    client.post(to_confirm["Location"], {"note": "Back", "replacing": 2})

    active = ModelVersion.objects.active().get()
    assert (active.number, active.based_on and active.based_on.number) == (3, 1)
    assert active.rules.get(name="Pricing page").points == 20


def test_a_copied_version_cannot_be_fetched_by_get(
    client: Client, active: ModelVersion, marketing: User
) -> None:
    client.force_login(marketing)

    assert client.get("/scoring/1/copy/").status_code == 405


@pytest.mark.parametrize("copies", [0, 8])
def test_the_overview_costs_the_same_for_many_versions(
    client: Client, active: ModelVersion, reader: User, copies: int, django_assert_num_queries
) -> None:
    for _ in range(copies):
        create_draft(based_on=active, by=None, now=timezone.now())
    client.force_login(reader)
    client.get("/scoring/")

    with django_assert_num_queries(10):
        client.get("/scoring/")


# The panel of a lead


@pytest.fixture
def lead(active: ModelVersion, bdr: User) -> Lead:
    lead = LeadFactory(
        owner=bdr,
        team=bdr.team,
        title="VP Sales",
        company=CompanyFactory(employee_count=200, industry="Software"),
    )
    do(lead, "Case Study Downloaded", timezone.now() - timedelta(days=40))
    score_lead(lead, now=timezone.now())
    return lead


def test_the_panel_shows_a_ledger_that_adds_up_and_what_is_missing(
    client: Client, lead: Lead, bdr: User
) -> None:
    text = page(client, bdr, f"/scoring/leads/{lead.pk}/panel/")

    assert "Case study download: +15 each time" in text
    assert "+15 by the rule; " in text
    assert "Missing for an MQL" in text
    assert "+4 points: for example" in text
    assert "35 of 20 fit points" in text
    assert 'num strong">46<' in text


def test_a_bdr_sees_the_panel_of_visible_leads_only(
    client: Client, lead: Lead, other_bdr: User, stranger: User, marketing: User
) -> None:
    path = f"/scoring/leads/{lead.pk}/panel/"
    for person, status in ((other_bdr, 200), (marketing, 200), (stranger, 404)):
        client.force_login(person)
        assert client.get(path).status_code == status


def test_without_a_model_the_panel_says_so(client: Client, marketing: User) -> None:
    lead = LeadFactory()

    assert "Not scored" in page(client, marketing, f"/scoring/leads/{lead.pk}/panel/")


def test_the_panel_needs_a_login(client: Client, lead: Lead) -> None:
    assert client.get(f"/scoring/leads/{lead.pk}/panel/").status_code == 302


def test_the_panel_costs_few_queries(
    client: Client, lead: Lead, bdr: User, django_assert_num_queries
) -> None:
    client.force_login(bdr)
    path = f"/scoring/leads/{lead.pk}/panel/"
    client.get(path)

    with django_assert_num_queries(5):
        client.get(path)
