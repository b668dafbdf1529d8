"""Several workers settle one incident: each clock gets its time back once, and verbs are not in the way."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from sla import incidents
from sla.incidents import declare_incident, settle_incidents, withdraw_incident
from sla.models import Clock, Pause
from sla.pauses import pause_clock
from tests.concurrency.test_races import at_once
from tests.factories import NOON
from tests.sla.factories import ClockFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

HOUR = timedelta(hours=1)


def test_workers_at_once_give_each_clock_its_time_once(manager, bdr, monkeypatch):
    monkeypatch.setattr(incidents, "AT_ONCE", 2)
    monkeypatch.setattr(incidents, "BATCH", 2)
    clocks = [ClockFactory(owner=bdr, minutes=300) for _ in range(10)]
    now = NOON + 2 * HOUR
    incident = declare_incident(
        what="E-mail was down", started_at=NOON, ended_at=NOON + HOUR, by=manager, now=now
    )

    settle = partial(settle_incidents, now=now)
    pause = partial(pause_clock, clocks[7], reason="On holiday", by=manager, now=now)
    results = at_once(settle, pause, settle, settle)

    assert [each for each in results if isinstance(each, Exception)] == []
    settle()
    assert set(Clock.objects.values_list("due_at", flat=True)) == {NOON + 6 * HOUR}
    assert Pause.objects.filter(incident=incident).count() == len(clocks)

    withdraw_incident(incident, by=manager, now=now)
    at_once(settle, settle)
    settle()

    assert set(Clock.objects.values_list("due_at", flat=True)) == {NOON + 5 * HOUR}
