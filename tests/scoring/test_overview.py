"""The overview leads to every page about scoring, and shows the last check that came to its end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from scoring.models import ScoreCheck
from tests.scoring.builders import make_signal, publish

pytestmark = pytest.mark.django_db

FOR_READERS = ["scoring:criteria", "scoring:grid", "scoring:calibration", "scoring:prediction"]
FOR_MARKETING = [*FOR_READERS, "scoring:release", "admin:scoring_modelversion_presets"]


def overview(client: Client, user: User) -> str:
    client.force_login(user)
    return client.get("/scoring/").content.decode()


@pytest.mark.parametrize("name", FOR_MARKETING)
def test_marketing_finds_every_page_about_scoring(client: Client, marketing: User, name: str) -> None:
    assert f'<a href="{reverse(name)}"' in overview(client, marketing)
    assert client.get(reverse(name)).status_code == 200


def test_readers_find_only_what_they_may_open(client: Client, reader: User) -> None:
    said = overview(client, reader)

    linked = [name for name in FOR_MARKETING if f'<a href="{reverse(name)}"' in said]
    assert linked == [name for name in FOR_MARKETING if client.get(reverse(name)).status_code == 200]
    assert set(FOR_READERS) <= set(linked)


def test_a_check_under_way_does_not_hide_the_last_one(client: Client, marketing: User) -> None:
    publish({"signal": make_signal("Demo", ["Demo"], intent="high"), "points": 20})
    now = timezone.now()
    ScoreCheck.objects.create(started_at=now - timedelta(days=1), finished_at=now, leads=7)
    ScoreCheck.objects.create(started_at=now)

    said = overview(client, marketing)

    assert "All 7 scores add up" in said
    assert "All 0 scores" not in said
