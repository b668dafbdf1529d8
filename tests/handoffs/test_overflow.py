"""Leads that wait are handed out in batches, as if one by one (HAND-4)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django_q.models import OrmQ

from accounts.models import User
from handoffs.models import Handoff, Pool, PoolMembership, RoutingDecision, RoutingRule
from handoffs.routing.overflow import assign_all_overflow, assign_overflow
from handoffs.services import accept_handoff, withdraw_handoff
from leads.models import Lead, LeadEvent
from notifications.models import Notification
from sla.models import Clock
from sla.pauses import pause_clock
from sla.sweep import sweep_clocks
from tests.desk import offer, ready_lead
from tests.factories import UserFactory
from tests.poison import poison

LATER = timedelta(hours=1)


@pytest.fixture
def waiting(pool: Pool, bdr: User, other_bdr: User, stranger: User, now: datetime) -> list[Handoff]:
    """Nine leads in line for three reps: one of another weight, one with a territory, some of one company,
    one that was returned, one whose clock stands still. Capacity is for eight."""
    pool.memberships.create(user=stranger, weight=3, countries=["France", "Austria"])
    known = offer(ready_lead(now=now, company="known.example"), now=now)
    pool.memberships.update(max_open=0)
    facts = [{"country": "France"}, {}, {"company": "known.example"}, {"country": "Italy"}]
    leads = [ready_lead(now=now, **facts[number % 4]) for number in range(9)]
    Lead.objects.filter(pk=leads[1].pk).update(trips=2)
    Handoff.objects.create(
        lead=leads[1], pool=pool, owner=known.owner, status=Handoff.Status.WITHDRAWN, category="C",
        trigger=Handoff.Trigger.MANUAL, score=0, warmth="cold", created_at=now, closed_at=now,
    )  # fmt: skip
    handoffs = [
        offer(Lead.objects.get(pk=lead.pk), now=now + timedelta(minutes=minute))
        for minute, lead in enumerate(leads)
    ]
    manager = User.objects.get(role=User.Role.MANAGER)
    decision = Clock.objects.get(handoff_id=handoffs[2].pk, kind="decision")
    pause_clock(decision, reason="Waits for the lead", by=manager, now=now + timedelta(minutes=20))
    pool.memberships.filter(user=known.owner).update(max_open=4)
    pool.memberships.exclude(user=known.owner).update(max_open=2)
    PoolMembership.objects.filter(user=stranger).update(max_open=3)
    return handoffs


# What assigning writes, without the keys that no two runs share.
WRITTEN = {
    Handoff: ["pk", "owner", "offered_at"],
    Lead: ["pk", "owner", "team", "revision"],
    PoolMembership: ["user", "received", "entitled", "last_offered_at"],
    RoutingDecision: ["handoff", "at", "rule_name", "strategy", "chosen", "candidates", "shares"],
    Clock: [
        "handoff_id", "kind", "outcome", "owner", "team", "calendar", "hours_digest", "started_at", "due_at",
        "warnings_at", "risk_at", "warn_at", "stopped_at", "wall_seconds", "business_seconds", "policy_name",
        "mode", "minutes", "warn_percent", "restarts_on_reassignment", "reviews_breaches", "paused_at",
    ],
    LeadEvent: ["lead", "handoff_id", "kind", "at", "by", "detail"],
    Notification: ["recipient", "kind", "dedupe_key", "title", "body", "url", "created_at"],
}  # fmt: skip


def written() -> dict[str, list[tuple[object, ...]]]:
    return {
        model.__name__: sorted(model.objects.values_list(*columns), key=repr)
        for model, columns in WRITTEN.items()
    }


def test_a_batch_writes_what_one_by_one_would(waiting: list[Handoff], pool: Pool, now: datetime) -> None:
    at = now + LATER
    sweep_clocks(now=at)  # what is late is told in one message or in many, as it comes
    before = transaction.savepoint()
    by_size = {}
    for size in (1, 4, 500):
        assigned = assign_overflow(pool, now=at, batch=size)
        by_size[size] = (assigned, written())
        transaction.savepoint_rollback(before)
        before = transaction.savepoint()

    assert [assigned for assigned, _ in by_size.values()] == [8, 8, 8]
    for table in by_size[1][1]:
        assert by_size[4][1][table] == by_size[1][1][table], table
        assert by_size[500][1][table] == by_size[1][1][table], table


def test_everything_about_an_assignment_is_on_record(
    waiting: list[Handoff], pool: Pool, now: datetime
) -> None:
    at = now + LATER
    assign_overflow(pool, now=at)

    handoff = Handoff.objects.select_related("lead", "owner").get(pk=waiting[0].pk)
    lead, owner = handoff.lead, handoff.owner
    assert (handoff.offered_at, lead.owner, lead.team) == (at, owner, owner.team)
    assert lead.revision == lead.events.count()
    log = LeadEvent.objects.filter(handoff_id=handoff.pk, at=at).order_by("pk")
    assert [(event.kind, event.detail.get("owner_id")) for event in log] == [
        ("clock_started", None),
        ("assigned", owner.pk),
    ]
    decision = handoff.routing_decisions.order_by("pk").last()
    assert (decision.chosen, decision.rule_name, len(decision.candidates)) == (owner, "Everything else", 3)
    running = Clock.objects.running().filter(handoff_id=handoff.pk)
    assert {(clock.owner, clock.started_at == at) for clock in running} == {(owner, True)}
    message = owner.notifications.get(dedupe_key=f"handoff-{handoff.pk}-offered-{at.isoformat()}")
    assert message.title == f"New lead: {lead.name}, {lead.company}"
    accept_handoff(handoff, by=owner, now=at)


def test_a_lead_of_an_account_goes_to_its_owner_also_within_a_batch(
    pool: Pool, stranger: User, now: datetime
) -> None:
    pool.memberships.create(user=stranger)
    pool.memberships.update(max_open=0)
    for minute in range(3):
        for company in ("one.example", "two.example"):
            offer(ready_lead(now=now, company=company), now=now + timedelta(minutes=minute))
    pool.memberships.update(max_open=9)

    assign_overflow(pool, now=now + LATER)

    owners = Handoff.objects.values_list("lead__company__domain", "owner").distinct()
    assert len(owners) == len({owner for _, owner in owners}) == 2


def test_a_batch_costs_about_as_many_statements_as_a_single_lead(pool: Pool, now: datetime) -> None:
    pool.memberships.update(max_open=0)
    for _ in range(12):
        offer(ready_lead(now=now), now=now)
    pool.memberships.update(max_open=1)
    with CaptureQueriesContext(connection) as few:
        assert assign_overflow(pool, now=now) == 2
    pool.memberships.update(max_open=6)
    with CaptureQueriesContext(connection) as many:
        assert assign_overflow(pool, now=now) == 10

    assert len(many) <= len(few)
    # Each table is written once: a further version of a row is in all its indexes again.
    writes = Counter(" ".join(one["sql"].split()[:3]) for one in many if " " in one["sql"])
    written = {what: number for what, number in writes.items() if what.startswith(("INSERT", "UPDATE"))}
    written = {what: number for what, number in written.items() if "notifications_" not in what}
    assert written == {
        'INSERT INTO "handoffs_routingdecision"': 1,
        'UPDATE "handoffs_poolmembership" SET': 1,
        'UPDATE "handoffs_handoff" AS': 1,
        'UPDATE "sla_clock" AS': 1,
        'INSERT INTO "sla_clock"': 1,
        'UPDATE "leads_lead" AS': 1,
        'INSERT INTO "leads_leadevent"': 1,
        'INSERT INTO "handoffs_calendarinvitation"': 1,
    }


def test_a_full_pool_locks_nothing(pool: Pool, now: datetime) -> None:
    pool.memberships.update(max_open=0)
    offer(ready_lead(now=now), now=now)

    with CaptureQueriesContext(connection) as queries:
        assert assign_overflow(pool, now=now) == 0

    assert not [query["sql"] for query in queries if "FOR NO KEY UPDATE" in query["sql"]]


def test_who_has_much_room_and_a_territory_does_not_stop_the_others_leads(
    pool: Pool, bdr: User, other_bdr: User, now: datetime
) -> None:
    """The oldest lead is for nobody with room; those behind it are handed out, and it keeps its place."""
    pool.memberships.update(max_open=0)
    french = offer(ready_lead(now=now, country="France"), now=now)
    germans = [offer(ready_lead(now=now), now=now + timedelta(minutes=n)) for n in (1, 2)]
    PoolMembership.objects.filter(user=bdr).update(max_open=1, countries=["Germany"])
    PoolMembership.objects.filter(user=other_bdr).update(countries=["France"])

    assert assign_overflow(pool, now=now + LATER) == 1
    assert list(Handoff.objects.overflow().order_by("created_at")) == [french, germans[1]]

    PoolMembership.objects.filter(user=other_bdr).update(max_open=1)
    assert assign_overflow(pool, now=now + LATER) == 1
    french.refresh_from_db()
    assert french.owner == other_bdr


def test_a_newcomer_takes_from_the_line_what_is_for_them(pool: Pool, now: datetime) -> None:
    pool.memberships.update(max_open=0)
    handoffs = [offer(ready_lead(now=now), now=now + timedelta(minutes=n)) for n in range(3)]
    pool.memberships.create(user=UserFactory(), weekly_capacity=2)

    assert assign_overflow(pool, now=now + LATER) == 2
    assert list(Handoff.objects.overflow()) == [handoffs[2]]


# --- For people outside the pool ----------------------------------------------------------------


def test_a_lead_for_somebody_outside_the_pool_does_not_wait_until_a_member_has_room(
    pool: Pool, bdr: User, other_bdr: User, manager: User, stranger: User, now: datetime
) -> None:
    """FEED-2: a named person and a manager are back from an absence; the members have room for one lead."""
    RoutingRule.objects.create(
        name="Named",
        position=0,
        pool=pool,
        countries=["France"],
        strategy="named_owner",
        named_owner=stranger,
    )  # fmt: skip
    pool.memberships.update(max_open=0)
    User.objects.filter(pk__in=[manager.pk, stranger.pk]).update(away_since=now)
    returned = ready_lead(now=now)
    leads = [ready_lead(now=now), ready_lead(now=now), ready_lead(now=now, country="France"), returned]
    Lead.objects.filter(pk=returned.pk).update(trips=3)
    handoffs = [
        offer(Lead.objects.get(pk=lead.pk), now=now + timedelta(minutes=minute))
        for minute, lead in enumerate(leads)
    ]
    assert assign_overflow(pool, now=now + LATER) == 0
    User.objects.update(away_since=None)
    PoolMembership.objects.filter(user=bdr).update(max_open=1)

    assert assign_overflow(pool, now=now + LATER) == 3

    owners = [Handoff.objects.get(pk=handoff.pk).owner for handoff in handoffs]
    assert owners == [bdr, None, stranger, manager]


# --- What fails ---------------------------------------------------------------------------------


def test_a_lead_that_fails_keeps_its_place_and_keeps_back_no_other(pool: Pool, now: datetime) -> None:
    pool.memberships.update(max_open=0)
    handoffs = [offer(ready_lead(now=now), now=now + timedelta(minutes=n)) for n in range(5)]
    pool.memberships.update(max_open=9)
    poison(handoffs[1].lead)

    assert assign_overflow(pool, now=now + LATER) == 4
    assert list(Handoff.objects.overflow()) == [handoffs[1]]


def test_a_pool_that_fails_keeps_back_no_other(pool: Pool, now: datetime) -> None:
    pool.memberships.update(max_open=0)
    offer(ready_lead(now=now), now=now)
    other = Pool.objects.create(name="Partners")
    RoutingRule.objects.update(pool=other)
    waiting = offer(ready_lead(now=now), now=now)
    other.memberships.create(user=UserFactory())
    Pool.objects.filter(pk=pool.pk).update(off_shift="nonsense")

    assert assign_all_overflow(now=now + LATER) == 1
    waiting.refresh_from_db()
    assert waiting.owner is not None


# --- What waits for nobody ----------------------------------------------------------------------


def test_a_lead_nobody_may_take_holds_up_no_newer_one_and_raises_no_alarm(
    pool: Pool, manager: User, now: datetime
) -> None:
    pool.memberships.update(countries=["Germany"])
    french = offer(ready_lead(now=now, country="France"), now=now)

    german = offer(ready_lead(now=now), now=now + timedelta(minutes=1))

    assert (french.owner, german.owner is not None) == (None, True)
    assert manager.notifications.filter(title__startswith="Nobody available").count() == 1


def test_who_gets_in_line_asks_once_for_it_to_be_handed_out_and_raises_no_alarm(
    pool: Pool, manager: User, now: datetime
) -> None:
    pool.memberships.update(max_open=0)
    offer(ready_lead(now=now), now=now)
    pool.memberships.update(max_open=9)
    alarms = manager.notifications.filter(title__startswith="Nobody available")
    OrmQ.objects.all().delete()

    behind = [offer(ready_lead(now=now), now=now + LATER) for _ in range(3)]

    assert [handoff.owner for handoff in behind] == [None] * 3
    assert [task.func() for task in OrmQ.objects.all()].count("handoffs.tasks.assign_overflow_soon") == 1
    assert alarms.count() == 1


def test_closing_what_nobody_had_asks_for_nothing(pool: Pool, marketing: User, now: datetime) -> None:
    pool.memberships.update(max_open=0)
    handoffs = [offer(ready_lead(now=now), now=now) for _ in range(2)]
    OrmQ.objects.all().delete()

    withdraw_handoff(handoffs[0], by=marketing, now=now, reason="Wrong list")

    assert not OrmQ.objects.exists()
