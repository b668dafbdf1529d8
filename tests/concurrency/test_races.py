"""Real threads on PostgreSQL: one winner, one handoff, fair turns, and no deadlock."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.db.models import Sum

from accounts.models import User
from common.errors import DomainError
from feedback.models import Verdict
from feedback.services import reject_handoff
from handoffs.acting import HandoffAlreadyTaken
from handoffs.contact.services import record_attempt
from handoffs.models import Handoff, Pool, PoolMembership
from handoffs.pipeline import advance_due_leads, advance_lead
from handoffs.routing.overflow import assign_overflow
from handoffs.routing.reassignment import reassign_handoff
from handoffs.services import accept_handoff, claim_handoff, hand_off_by_hand, withdraw_handoff
from leads.facts import ActivityFacts
from leads.intake import record_activity
from leads.models import Lead, LeadEvent
from scoring.models import LeadScore
from sla.models import Clock
from tests.desk import fitting_lead, offer, ready_lead, reason
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def at_once(*jobs: Callable[[], object]) -> list[object]:
    """Run all jobs at the same moment, each on its own connection; a job's error is its result."""
    start = threading.Barrier(len(jobs))

    def run(job: Callable[[], object]) -> object:
        try:
            start.wait(timeout=30)
            return job()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as executor:
        return list(executor.map(run, jobs))


def only_refusals(results: Sequence[object]) -> list[DomainError]:
    """The refusals among the results; any other error (a deadlock, say) fails the test."""
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, DomainError):
            raise result
    return [result for result in results if isinstance(result, DomainError)]


@pytest.fixture
def crowd(team, now: datetime) -> list[User]:
    return [
        UserFactory(username=f"rep{n}", first_name="Rep", last_name=f"No{n}", team=team) for n in range(20)
    ]


def test_of_20_who_accept_one_wins_and_19_read_who(crowd: list[User], pool: Pool, now: datetime) -> None:
    pool.memberships.update(max_open=0)
    waiting = offer(ready_lead(now=now), now=now)
    assert waiting.owner is None

    def accept(rep: User) -> Handoff:
        return accept_handoff(Handoff.objects.get(pk=waiting.pk), by=rep, now=now + timedelta(seconds=4))

    refusals = only_refusals(at_once(*(lambda rep=rep: accept(rep) for rep in crowd)))

    waiting.refresh_from_db()
    assert len(refusals) == 19
    assert waiting.owner in crowd
    assert waiting.accepted_by == waiting.owner
    assert {type(refusal) for refusal in refusals} == {HandoffAlreadyTaken}
    assert {str(refusal) for refusal in refusals} == {f"{waiting.owner} accepted this just now."}
    assert LeadEvent.objects.filter(kind=LeadEvent.Kind.ACCEPTED).count() == 1
    assert PoolMembership.objects.filter(received=1).count() == 1


def test_of_20_who_claim_one_wins(crowd: list[User], pool: Pool, now: datetime) -> None:
    pool.memberships.update(max_open=0)
    waiting = offer(ready_lead(now=now), now=now)

    def claim(rep: User) -> Handoff:
        return claim_handoff(Handoff.objects.get(pk=waiting.pk), by=rep, now=now)

    refusals = only_refusals(at_once(*(lambda rep=rep: claim(rep) for rep in crowd)))

    assert len(refusals) == 19
    assert LeadEvent.objects.filter(kind=LeadEvent.Kind.CLAIMED).count() == 1


def test_50_activities_at_once_at_the_threshold_make_one_handoff(pool: Pool, now: datetime) -> None:
    lead = fitting_lead(now=now)

    def visit(number: int) -> None:
        facts = ActivityFacts(
            event="Page Viewed",
            occurred_at=now,
            message_id=f"visit-{number}",
            properties={"path": "/pricing"},
        )
        record_activity(Lead.objects.get(pk=lead.pk), facts, via="test", now=now)
        advance_lead(lead.pk, now=now)

    refusals = only_refusals(at_once(*(lambda number=number: visit(number) for number in range(50))))
    advance_due_leads(now=now)

    handoff = Handoff.objects.get(lead=lead)
    assert refusals == []
    assert lead.activities.count() == 50
    assert LeadEvent.objects.filter(kind=LeadEvent.Kind.HANDED_OFF).count() == 1
    assert Clock.objects.filter(handoff_id=handoff.pk).count() == 4
    lead.refresh_from_db()
    assert lead.unmatched_from is None
    assert lead.advance_at == LeadScore.objects.get(lead=lead).next_change_at


def test_20_hand_offs_at_once_deal_as_fairly_as_one(crowd: list[User], pool: Pool, now: datetime) -> None:
    leads = [ready_lead(now=now) for _ in range(44)]
    members = pool.memberships.count()  # 22

    for batch in (leads[:20], leads[20:40], leads[40:]):
        assert at_once(*(lambda lead=lead: advance_lead(lead.pk, now=now) for lead in batch)) == [
            None for _ in batch
        ]

    received = Counter(Handoff.objects.values_list("owner", flat=True))
    assert members == 22
    assert sorted(received.values()) == [2] * 22
    assert {one.received for one in pool.memberships.all()} == {2}


def test_20_who_hand_off_and_empty_the_overflow_queue_deal_by_weight(
    crowd: list[User], pool: Pool, now: datetime
) -> None:
    """HAND-3: within one of the exact share, whoever deals, one by one or in batches."""
    members = list(pool.memberships.order_by("pk"))
    for number, member in enumerate(members):
        pool.memberships.filter(pk=member.pk).update(weight=1 + number % 3, max_open=0)
    for minute in range(12):
        offer(ready_lead(now=now), now=now + timedelta(minutes=minute))
    leads = [ready_lead(now=now) for _ in range(14)]
    pool.memberships.update(max_open=9)
    later = now + timedelta(hours=1)

    results = at_once(
        *(lambda lead=lead: advance_lead(lead.pk, now=later) for lead in leads),
        *(lambda: assign_overflow(pool, now=later, batch=5) for _ in range(6)),
    )
    only_refusals(results)
    assign_overflow(pool, now=later)

    total = sum(1 + number % 3 for number in range(len(members)))
    dealt = pool.memberships.values_list("weight", "received", "entitled")
    assert not Handoff.objects.overflow().exists()
    assert sum(received for _, received, _ in dealt) == 26
    assert all(abs(received - 26 * weight / total) < 1 for weight, received, _ in dealt)
    assert all(abs(float(entitled) - 26 * weight / total) < 1e-12 for weight, _, entitled in dealt)


def test_capacity_holds_under_20_assigners_at_once(pool: Pool, now: datetime) -> None:
    pool.memberships.update(weekly_capacity=3)
    leads = [ready_lead(now=now) for _ in range(20)]

    at_once(*(lambda lead=lead: advance_lead(lead.pk, now=now) for lead in leads))

    assert Handoff.objects.exclude(owner=None).count() == 6
    assert Handoff.objects.overflow().count() == 14


def test_several_who_empty_the_overflow_queue_keep_its_order(pool: Pool, now: datetime) -> None:
    pool.memberships.update(max_open=0)
    waiting = [offer(ready_lead(now=now), now=now + timedelta(minutes=n)) for n in range(12)]
    pool.memberships.update(max_open=4)

    only_refusals(at_once(*(lambda: assign_overflow(pool, now=now + timedelta(hours=1)) for _ in range(6))))
    assign_overflow(pool, now=now + timedelta(hours=1))

    assigned = [Handoff.objects.get(pk=handoff.pk).owner is not None for handoff in waiting]
    assert assigned == [True] * 8 + [False] * 4


def test_sweeps_at_once_share_the_work(pool: Pool, now: datetime) -> None:
    for _ in range(30):
        ready_lead(now=now)

    taken = at_once(*(lambda: advance_due_leads(now=now, limit=10) for _ in range(5)))
    only_refusals(taken)
    advance_due_leads(now=now)

    assert sum(taken) == 30
    assert Handoff.objects.count() == 30
    assert LeadEvent.objects.filter(kind=LeadEvent.Kind.HANDED_OFF).count() == 30


def test_verbs_that_cross_each_other_do_not_deadlock(
    pool: Pool, bdr: User, other_bdr: User, manager: User, marketing: User, now: datetime
) -> None:
    """Everybody acts on the same few leads at once. Refusals are fine; a deadlock would fail here."""
    handoffs = [offer(ready_lead(now=now), now=now) for _ in range(3)]
    clock = itertools.count()

    def acts(handoff: Handoff) -> list[Callable[[], object]]:
        def stale() -> Handoff:
            return Handoff.objects.get(pk=handoff.pk)

        at = now + timedelta(seconds=next(clock))
        return [
            lambda: accept_handoff(stale(), by=handoff.owner, now=at),
            lambda: reassign_handoff(stale(), to=bdr, by=manager, now=at, reason="Balance"),
            lambda: reassign_handoff(stale(), to=other_bdr, by=manager, now=at, reason="Balance"),
            lambda: advance_lead(handoff.lead_id, now=at),
            lambda: record_attempt(stale(), channel="call", outcome="connected", by=manager, now=at),
            lambda: withdraw_handoff(stale(), by=marketing, now=at, reason="Wrong list"),
            lambda: hand_off_by_hand(handoff.lead, by=marketing, now=at, reason="Right list"),
            lambda: reject_handoff(
                stale(), reason=reason("wrong-rep"), by=manager, via=Verdict.Via.PAGE, now=at
            ),
            lambda: assign_overflow(pool, now=at),
        ]

    for _ in range(3):
        only_refusals(at_once(*(act for handoff in handoffs for act in acts(handoff))))

    for handoff in handoffs:
        assert Handoff.objects.open().filter(lead=handoff.lead_id).count() <= 1
    running = Clock.objects.running().values_list("handoff_id", flat=True)
    assert set(running) <= set(Handoff.objects.open().values_list("pk", flat=True))
    assert sum(PoolMembership.objects.values_list("received", flat=True)) == (
        Handoff.objects.filter(owner__in=[bdr, other_bdr], slot_returned_at=None).count()
    )
    books = PoolMembership.objects.aggregate(received=Sum("received"), entitled=Sum("entitled"))
    assert float(books["entitled"]) == pytest.approx(books["received"], abs=1e-12)


def test_two_who_call_each_others_lead_a_duplicate_do_not_deadlock(pool: Pool, now: datetime) -> None:
    one, two = (offer(ready_lead(now=now), now=now) for _ in range(2))

    def reject(handoff: Handoff, other: Handoff) -> Verdict:
        return reject_handoff(
            handoff,
            reason=reason("duplicate"),
            duplicate_of=other.lead,
            by=handoff.owner,
            via=Verdict.Via.PAGE,
            now=now,
        )

    assert only_refusals(at_once(lambda: reject(one, two), lambda: reject(two, one))) == []
    assert Verdict.objects.count() == 2
