"""Cadences in the Django admin: managers write them, and mistakes are named (QUEUE-3)."""

from __future__ import annotations

from django.test import Client
from django.urls import reverse

from accounts.models import User
from handoffs.models import Cadence

ADD = "/admin/handoffs/cadence/add/"


def given(*minutes: int) -> dict[str, object]:
    """The form of a cadence whose attempts are due after so many minutes."""
    form: dict[str, object] = {"name": "Eager", "position": 1, "is_active": "on", "categories": "A"}
    form |= {"sources": "", "steps-TOTAL_FORMS": len(minutes), "steps-INITIAL_FORMS": 0}
    for index, after in enumerate(minutes):
        form |= {
            f"steps-{index}-number": index + 1,
            f"steps-{index}-channel": "call",
            f"steps-{index}-minutes": after,
        }
    return form


def test_a_manager_writes_a_cadence_and_reads_it_in_words(client: Client, manager: User) -> None:
    client.force_login(manager)

    client.post(ADD, given(15, 120, 2880))

    cadence = Cadence.objects.get()
    assert (cadence.categories, cadence.sources) == (["A"], [])
    assert list(cadence.steps.values_list("number", "minutes")) == [(1, 15), (2, 120), (3, 2880)]
    page = client.get(reverse("admin:handoffs_cadence_changelist")).content.decode()
    assert "3: within 15 min, 2 h, 48 h" in page


def test_later_attempts_cannot_be_due_earlier(client: Client, manager: User) -> None:
    client.force_login(manager)

    page = client.post(ADD, given(120, 15)).content.decode()

    assert "Give later attempts more minutes than earlier ones." in page
    assert not Cadence.objects.exists()


def test_marketing_only_reads_them(client: Client, marketing: User) -> None:
    client.force_login(marketing)

    assert client.post(ADD, given(15)).status_code == 403
    assert client.get(reverse("admin:handoffs_cadence_changelist")).status_code == 200
