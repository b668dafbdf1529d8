"""SLA-7: who lost the time of a promise follows from the log of its handoff."""

from __future__ import annotations

from datetime import timedelta

import pytest

from handoffs.models import PoolMembership
from handoffs.routing.reassignment import reassign_handoff
from handoffs.services import accept_handoff, claim_handoff, record_opened
from handoffs.undo import undo_acceptance
from sla.courses import attribute_clock, attribute_clocks
from sla.models import Clock, Target
from sla.pauses import pause_clock, resume_clock
from sla.services import stop_clock
from tests.desk import offer, ready_lead

MINUTE = timedelta(minutes=1)


def clock_of(handoff, kind=Target.Kind.DECISION) -> Clock:
    return Clock.objects.running().get(handoff_id=handoff.pk, kind=kind)


def lost(handoff, *, now, kind=Target.Kind.DECISION) -> dict[str, int]:
    found = attribute_clock(clock_of(handoff, kind), now=now)
    return {loss.value: part // MINUTE for loss, part in found.parts.items() if part}


@pytest.fixture
def synced(handoff, lead, now):
    """The handoff is in Salesforce two minutes after it was made."""
    stop_clock(lead, handoff_id=handoff.pk, kind=Target.Kind.CRM_TRANSFER, at=now + 2 * MINUTE)
    return handoff


def test_what_nobody_opened_is_first_not_transferred_and_then_unseen(synced, now):
    assert lost(synced, now=now + 20 * MINUTE) == {"sync": 2, "unseen": 18}


def test_what_was_opened_and_not_decided_is_idle(synced, now):
    record_opened(synced, by=synced.owner, now=now + 5 * MINUTE)

    assert lost(synced, now=now + 20 * MINUTE) == {"sync": 2, "unseen": 3, "idle": 15}


def test_a_pause_is_nobodys_time(synced, manager, now):
    clock = clock_of(synced)
    pause_clock(clock, reason="Waits for the lead", by=manager, now=now + 5 * MINUTE)
    resume_clock(clock, by=manager, now=now + 15 * MINUTE)

    assert lost(synced, now=now + 20 * MINUTE) == {"sync": 2, "unseen": 8, "paused": 10}


def test_a_handoff_in_the_overflow_queue_waits_for_a_shift(pool, bdr, now):
    PoolMembership.objects.update(max_open=0)
    handoff = offer(ready_lead(now=now), now=now)
    record_opened(handoff, by=bdr, now=now + 8 * MINUTE)
    claim_handoff(handoff, by=bdr, now=now + 10 * MINUTE)
    Clock.objects.filter(kind=Target.Kind.DECISION).update(started_at=now)  # as if it had gone on

    assert lost(handoff, now=now + 30 * MINUTE) == {"shift": 10, "idle": 20}


def test_an_acceptance_taken_back_never_was(pool, bdr, now):
    PoolMembership.objects.update(max_open=0)
    handoff = offer(ready_lead(now=now), now=now)
    accept_handoff(handoff, by=bdr, now=now + 10 * MINUTE)
    undo_acceptance(handoff, by=bdr, now=now + 10 * MINUTE + timedelta(seconds=5))

    assert lost(handoff, now=now + 30 * MINUTE) == {"shift": 30}


def test_the_next_owner_has_not_seen_it(synced, manager, now, bdr, other_bdr):
    record_opened(synced, by=synced.owner, now=now + 5 * MINUTE)
    other = other_bdr if synced.owner == bdr else bdr
    reassign_handoff(synced, to=other, by=manager, now=now + 10 * MINUTE, reason="Ill")
    Clock.objects.filter(kind=Target.Kind.DECISION).update(started_at=now)

    assert lost(synced, now=now + 30 * MINUTE) == {"sync": 2, "unseen": 3 + 20, "idle": 5}


def test_the_transfer_is_the_time_of_the_sync_whoever_looks_at_it(handoff, now):
    record_opened(handoff, by=handoff.owner, now=now + 1 * MINUTE)

    assert lost(handoff, now=now + 20 * MINUTE, kind=Target.Kind.CRM_TRANSFER) == {"sync": 20}


def test_scoring_took_from_the_last_activity_to_the_handoff(lead, now):
    handoff = offer(lead, now=now + 7 * MINUTE)

    assert attribute_clock(clock_of(handoff), now=now + 20 * MINUTE).scoring == 7 * MINUTE


def test_many_clocks_cost_the_same_few_queries(pool, now, django_assert_max_num_queries):
    for _ in range(4):
        offer(ready_lead(now=now), now=now)
    clocks = list(Clock.objects.select_related("owner"))

    with django_assert_max_num_queries(4 + 3 + 2):  # what happened; the calendar; absences of two owners
        found = attribute_clocks(clocks, now=now + 20 * MINUTE)

    assert {each.whole for each in found.values()} == {20 * MINUTE}
