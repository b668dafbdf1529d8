"""Undoing races with another act: one of them happens, and the other is told so."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from accounts.models import User
from feedback.models import Recycling, Verdict
from feedback.services import reject_handoff
from feedback.undo import undo_rejection
from handoffs.contact.services import record_attempt
from handoffs.models import Attempt, Handoff, Pool, PoolMembership
from handoffs.services import accept_handoff
from handoffs.undo import undo_acceptance
from leads.models import LeadEvent
from sla.models import Clock
from tests.concurrency.test_races import at_once, only_refusals
from tests.desk import offer, ready_lead, reason

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

ROUNDS = 5
SECOND = timedelta(seconds=1)


def stale(handoff: Handoff) -> Handoff:
    return Handoff.objects.get(pk=handoff.pk)


def test_an_acceptance_is_undone_or_worked_on_never_both(pool: Pool, manager: User, now: datetime) -> None:
    accepted = [offer(ready_lead(now=now), now=now) for _ in range(ROUNDS)]
    for handoff in accepted:
        accept_handoff(handoff, by=handoff.owner, now=now + SECOND)
    later = now + 2 * SECOND

    results = at_once(
        *(lambda one=one: undo_acceptance(stale(one), by=one.owner, now=later) for one in accepted),
        *(
            lambda one=one: record_attempt(stale(one), channel="call", outcome="sent", by=manager, now=later)
            for one in accepted
        ),
    )

    assert len(only_refusals(results)) == ROUNDS
    for handoff in accepted:
        undone = LeadEvent.objects.filter(handoff_id=handoff.pk, kind=LeadEvent.Kind.UNDONE).exists()
        handoff.refresh_from_db()
        assert handoff.attempts.exists() is not undone
        assert handoff.status == (Handoff.Status.OFFERED if undone else Handoff.Status.CONTACTED)
        decision = Clock.objects.get(handoff_id=handoff.pk, kind="decision")
        assert decision.outcome == (Clock.Outcome.RUNNING if undone else Clock.Outcome.DONE)
    assert Attempt.objects.count() + Handoff.objects.offered().count() == ROUNDS


def test_a_lead_passed_on_is_taken_back_or_accepted_by_the_next_rep_never_both(
    pool: Pool, now: datetime
) -> None:
    rejected = [offer(ready_lead(now=now), now=now) for _ in range(ROUNDS)]
    for handoff in rejected:
        reject_handoff(
            handoff,
            reason=reason("wrong-rep"),
            note="Theirs",
            by=handoff.owner,
            via=Verdict.Via.PAGE,
            now=now + SECOND,
        )
    passed_on = [Handoff.objects.open().get(lead=handoff.lead_id) for handoff in rejected]
    later = now + 2 * SECOND

    results = at_once(
        *(lambda one=one: undo_rejection(stale(one), by=one.owner, now=later) for one in rejected),
        *(lambda one=one: accept_handoff(stale(one), by=one.owner, now=later) for one in passed_on),
    )

    assert len(only_refusals(results)) == ROUNDS
    assert Handoff.objects.open().count() == ROUNDS
    for old, new in zip(rejected, passed_on, strict=True):
        old.refresh_from_db()
        new.refresh_from_db()
        states = {(Handoff.Status.OFFERED, Handoff.Status.WITHDRAWN)}
        states.add((Handoff.Status.REJECTED, Handoff.Status.ACCEPTED))
        assert (old.status, new.status) in states
    assert sum(one.received for one in PoolMembership.objects.all()) == ROUNDS
    assert not Recycling.objects.exists()
