"""SLA-5: pages say what was done about a missed target, and what comes next."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sla.models import Clock, Escalation
from tests.sla.factories import ClockFactory, ladder


@pytest.fixture
def missed(bdr, now) -> Clock:
    """Of three steps one was taken and one left out; the third is to come."""
    due_at = now + timedelta(hours=1)
    clock = ClockFactory(
        owner=bdr,
        lead__owner=bdr,
        policy_version=ladder("remind@0", "notify_manager@10", "flag_crm@20"),
        breach_recorded_at=due_at + timedelta(seconds=5),
        warn_at=None,
        steps_taken=2,
        next_step_at=due_at + timedelta(minutes=20),
    )
    for position, action, result, why in (
        (0, "remind", "taken", "Reminded Mara Lind."),
        (1, "notify_manager", "left_out", "There is no manager to tell."),
    ):
        Escalation.objects.create(
            clock=clock, position=position, action=action, result=result, why=why, due_at=due_at, at=due_at
        )
    return clock


@pytest.mark.parametrize("path", ["/sla/breaches/{clock.pk}/", "/sla/leads/{clock.lead_id}/panel/"])
def test_each_step_is_told_with_its_reason_and_the_next_one_with_its_time(client, manager, missed, path):
    client.force_login(manager)

    page = client.get(path.format(clock=missed)).content.decode()

    told = [page.index(words) for words in ("What was done", "Reminded Mara Lind.", "Left out", "no manager")]
    assert told == sorted(told)
    assert ": Flag it in Salesforce." in page


def test_a_clock_that_stands_still_has_no_next_step(client, manager, missed, now):
    Clock.objects.update(paused_at=now, pause_reason="Waits for the lead")
    client.force_login(manager)

    panel = client.get(f"/sla/leads/{missed.lead_id}/panel/").content.decode()

    assert "Reminded Mara Lind." in panel
    assert "Flag it in Salesforce" not in panel
