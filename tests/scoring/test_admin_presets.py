"""The page “Start from a preset” in the admin (SCORE-1)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from scoring.loading_presets import load_scoring_preset
from scoring.models import ModelVersion, Rule, Signal
from scoring.presets import CLASSIC, PRESETS

pytestmark = pytest.mark.django_db
PAGE = "/admin/scoring/modelversion/presets/"


@pytest.fixture
def active(marketing: User) -> ModelVersion:
    load_scoring_preset(CLASSIC, by=None, now=timezone.now())
    return ModelVersion.objects.active().get()


def page(client: Client, user: User) -> str:
    client.force_login(user)
    return client.get(PAGE).content.decode()


def test_the_page_shows_every_preset_in_sentences(client: Client, marketing: User) -> None:
    text = page(client, marketing)

    for preset in PRESETS.values():
        assert f"Make a draft of “{preset.name}”" in text
    assert "Growth signal is known: readiness × 2" in text
    assert "MQL as soon as the checklist holds, whatever the score" in text


def test_the_page_says_what_would_change(client: Client, marketing: User, active: ModelVersion) -> None:
    text = page(client, marketing)

    assert str(active) in text
    assert "Removed: Website visit, 3 times or more within 7 days: +15" in text
    assert "The active version says exactly this." in text
    assert "Make a draft of “Classic”" not in text


def test_the_list_of_versions_leads_to_the_presets(client: Client, marketing: User) -> None:
    client.force_login(marketing)

    assert PAGE in client.get("/admin/scoring/modelversion/").content.decode()


def test_one_click_makes_a_draft_and_leaves_the_active_version(
    client: Client, marketing: User, active: ModelVersion
) -> None:
    client.force_login(marketing)

    response = client.post(PAGE, {"preset": "hybrid"}, follow=True)

    draft = ModelVersion.objects.get(status=ModelVersion.Status.DRAFT)
    assert response.redirect_chain[-1][0] == f"/admin/scoring/modelversion/{draft.pk}/change/"
    assert (draft.name, draft.formula, draft.created_by) == ("Hybrid", "hybrid", marketing)
    assert Rule.objects.get(version=draft, name="Growth").factor_per_mille == 2_000
    assert ModelVersion.objects.active().get() == active


def test_a_preset_that_is_active_makes_no_draft(
    client: Client, marketing: User, active: ModelVersion
) -> None:
    client.force_login(marketing)

    response = client.post(PAGE, {"preset": "classic"}, follow=True)

    assert "says what the preset “Classic” says already" in response.content.decode()
    assert list(ModelVersion.objects.all()) == [active]


def test_an_unknown_preset_is_not_found(client: Client, marketing: User) -> None:
    client.force_login(marketing)

    assert client.post(PAGE, {"preset": "baroque"}).status_code == 404


def test_a_manager_reads_the_presets_and_makes_no_draft(client: Client, manager: User) -> None:
    text = page(client, manager)

    assert "Hybrid" in text
    assert "Make a draft" not in text
    assert client.post(PAGE, {"preset": "hybrid"}).status_code == 403
    assert not Signal.objects.exists()


def test_a_bdr_has_no_business_there(client: Client, bdr: User) -> None:
    client.force_login(bdr)

    assert client.get(PAGE).status_code in (302, 403)


def test_the_page_takes_few_queries_whatever_the_number_of_presets(
    client: Client, marketing: User, active: ModelVersion, django_assert_max_num_queries: Any
) -> None:
    client.force_login(marketing)

    with django_assert_max_num_queries(14):
        client.get(PAGE)
