"""SLA-4: "why is this due Tuesday?" is answered from the record."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from sla.conditions import HandoffFacts
from sla.explanations import explain_deadline
from sla.incidents import declare_incident
from sla.models import Clock, Closure, Target
from sla.pauses import pause_clock, resume_clock
from sla.services import start_clocks
from tests.factories import LeadFactory

HOUR = timedelta(hours=1)
EVENING = datetime(2026, 3, 3, 16, tzinfo=UTC)


@pytest.fixture
def clocks(policy, bdr):
    facts = HandoffFacts(7, category="B", warmth="cold", source="", is_instant_mql=False)
    started = start_clocks(LeadFactory(), facts, owner=bdr, team=bdr.team, now=EVENING)
    return {clock.kind: clock for clock in started}


def told(clock: Clock) -> list[str]:
    return [span.skipped_for or "counted" for span in explain_deadline(clock).spans]


def test_nights_are_skipped_and_the_counted_time_is_what_was_promised(clocks):
    why = explain_deadline(clocks["first_contact"])

    assert told(clocks["first_contact"]) == ["counted", "Outside working hours", "counted"]
    assert why.counted == 2 * HOUR
    assert why.is_current
    assert why.zone == "Europe/Berlin"


def test_wall_time_counts_all_of_it(clocks):
    assert told(clocks["opened"]) == ["counted"]
    assert explain_deadline(clocks["opened"]).counted == timedelta(minutes=15)


def test_pauses_are_named_with_their_reason(clocks, bdr):
    clock = pause_clock(clocks["first_contact"], reason="On holiday", by=bdr, now=EVENING + HOUR / 2)
    clock = resume_clock(clock, by=bdr, now=EVENING + 18 * HOUR)

    assert told(clock) == ["counted", "Paused: On holiday", "counted"]
    assert explain_deadline(clock).counted == 2 * HOUR


def test_hours_changed_since_are_admitted(clocks, office):
    Closure.objects.create(calendar=office, on=date(2026, 3, 4), name="Move of the office")

    assert not explain_deadline(Clock.objects.get(kind=Target.Kind.FIRST_CONTACT)).is_current


def test_what_an_incident_took_is_named_after_it(clocks, manager):
    clock = clocks["first_contact"]
    declare_incident(
        what="E-mail was down",
        started_at=EVENING,
        ended_at=EVENING + HOUR / 2,
        by=manager,
        now=EVENING + HOUR / 2,
    )
    clock.refresh_from_db()

    assert told(clock) == ["Excused: E-mail was down", "counted", "Outside working hours", "counted"]
    assert explain_deadline(clock).counted == 2 * HOUR
