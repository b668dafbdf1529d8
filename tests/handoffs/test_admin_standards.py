"""Playbooks and the standards in the admin: what they take, and what they refuse in plain words (HAND-5)."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from handoffs.models import PackageStandard, Playbook, Pool, QualificationGate

PLAYBOOK = {
    "name": "Fair",
    "position": "0",
    "is_active": "on",
    "signal_keys": "demo-request",
    "categories": ["A", "B"],
    "sources": "Trade fair",
    "industries": "Software",
    "channel": "call",
    "timing": "Now",
    "opening_line": "Hello {first_name}",
    "topics": "",
    "objections": "“Too dear”: ask why",
    "next_step": "Meet",
}


@pytest.fixture
def as_manager(client: Client, pool: Pool, manager: User) -> Client:
    client.force_login(manager)
    return client


def test_a_playbook_takes_conditions_on_signal_category_source_and_industry(as_manager: Client) -> None:
    response = as_manager.post(reverse("admin:handoffs_playbook_add"), PLAYBOOK)

    assert response.status_code == 302
    fair = Playbook.objects.get(name="Fair")
    assert (fair.categories, fair.sources, fair.industries) == (["A", "B"], ["Trade fair"], ["Software"])
    listed = as_manager.get(reverse("admin:handoffs_playbook_changelist")).content.decode()
    assert "demo-request, A or B, Trade fair, Software" in listed
    assert "any lead" in listed


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("signal_keys", ["demo-request", "no-such"], "No signal has the key no-such."),
        ("categories", ["D"], "There is no category D."),
        ("objections", "“Too dear”", "Say what to answer"),
        ("objections", ": ask why", "Say what to answer"),
        ("objections", "“Too dear”: why, {nickname}?", "Nothing fills in {nickname}."),
    ],
)
def test_a_playbook_that_could_not_be_used_is_refused(
    as_manager: Client, field: str, value: str | list[str], words: str
) -> None:
    response = as_manager.post(reverse("admin:handoffs_playbook_add"), PLAYBOOK | {field: value})

    assert words in response.content.decode()
    assert not Playbook.objects.filter(name="Fair").exists()


def test_signals_are_chosen_by_name_and_one_that_is_gone_can_stay(as_manager: Client) -> None:
    Playbook.objects.create(
        name="Fair", signal_keys=["demo-request", "stand-visit"], channel="call", next_step="Meet"
    )
    change = reverse("admin:handoffs_playbook_change", args=[Playbook.objects.get(name="Fair").pk])

    page = as_manager.get(change).content.decode()
    kept = PLAYBOOK | {"signal_keys": ["demo-request", "stand-visit"], "opening_line": "Hello\r\nyou"}
    response = as_manager.post(change, kept)

    assert "Demo request" in page
    assert "stand-visit (no such signal at present)" in page
    assert response.status_code == 302
    fair = Playbook.objects.get(name="Fair")
    assert (fair.signal_keys, fair.opening_line) == (["demo-request", "stand-visit"], "Hello you")


def test_the_standards_are_edited_in_plain_words(as_manager: Client) -> None:
    gate, standard = QualificationGate.objects.get(), PackageStandard.objects.get()
    change = reverse("admin:handoffs_packagestandard_change", args=[standard.pk])
    assert "Present solution" in as_manager.get(change).content.decode()

    as_manager.post(change, {"requires": ["phone", "deal_size"], "task_below": "80"})
    as_manager.post(
        reverse("admin:handoffs_qualificationgate_change", args=[gate.pk]),
        {"requires": ["need", "budget"], "budget_may_be_rough": "on", "evidence_needed": "on"},
    )

    for row in (gate, standard):
        row.refresh_from_db()
    assert (standard.requires, standard.task_below) == (["phone", "deal_size"], 80)
    assert (gate.requires, gate.budget_may_be_rough, gate.evidence_needed) == (["budget", "need"], True, True)


@pytest.mark.parametrize("task_below", ["-1", "101", "many"])
def test_a_line_that_is_no_percentage_is_refused(as_manager: Client, task_below: str) -> None:
    standard = PackageStandard.objects.get()
    change = reverse("admin:handoffs_packagestandard_change", args=[standard.pk])

    as_manager.post(change, {"requires": ["phone"], "task_below": task_below})

    standard.refresh_from_db()
    assert standard.task_below == 60
